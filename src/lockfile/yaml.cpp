// SPDX-License-Identifier: Apache-2.0
#include "yaml.hpp"

#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace las::lockfile {

namespace {

using Json = nlohmann::ordered_json;

// Words that some version of YAML takes for a boolean or for nothing.
constexpr std::array<std::string_view, 9> kReserved = {
    "y", "n", "yes", "no", "on", "off", "true", "false", "null"};

bool is_plain(std::string_view text) {
  constexpr std::string_view kInside =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+:@-";
  if (text.empty() || text.find_first_not_of(kInside) != std::string_view::npos ||
      text.back() == ':')
    return false;
  // A letter first: no number, no date, no list item.
  const char first = text.front();
  const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
  return letter &&
         std::find(kReserved.begin(), kReserved.end(), text::lower(text)) == kReserved.end();
}

// The escapes of JSON are escapes of a double-quoted scalar too.
std::string scalar(const Json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>()))
    return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_block(const Json& value) {
  return value.is_structured() && !value.empty();
}

void write(const Json& value, std::size_t depth, bool in_item, std::string& out) {
  const std::string indent(depth * 2, ' ');
  bool first = in_item;  // its dash stands where the indent would
  if (value.is_array()) {
    for (const Json& item : value) {
      out += indent + "-";
      if (is_block(item)) {
        out += " ";
        write(item, depth + 1, true, out);
      } else {
        out += " " + scalar(item) + "\n";
      }
    }
    return;
  }
  for (const auto& [key, member] : value.items()) {
    out += (first ? "" : indent) + scalar(Json(key)) + ":";
    first = false;
    if (!is_block(member)) {
      out += " " + scalar(member) + "\n";
      continue;
    }
    out += "\n";
    write(member, member.is_array() ? depth : depth + 1, false, out);
  }
}

}  // namespace

std::string to_yaml(const nlohmann::ordered_json& object) {
  std::string out;
  write(object, 0, false, out);
  return out;
}

}  // namespace las::lockfile
