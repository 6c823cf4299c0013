// SPDX-License-Identifier: Apache-2.0
#include "os_release.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::hardware {

namespace {

std::string unquoted(std::string_view value) {
  value = text::trim(value);
  if (value.size() < 2 || (value[0] != '"' && value[0] != '\'') || value.back() != value[0])
    return std::string(value);
  const bool escapes = value[0] == '"';
  value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (escapes && value[i] == '\\' && i + 1 < value.size())
      ++i;
    out += value[i];
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> parse_os_release(std::string_view text) {
  std::map<std::string, std::string> values;
  for (const std::string& line : text::lines(text)) {
    const std::string_view entry = text::trim(line);
    const auto equals = entry.find('=');
    if (entry.starts_with('#') || equals == std::string_view::npos || equals == 0)
      continue;
    values[std::string(entry.substr(0, equals))] = unquoted(entry.substr(equals + 1));
  }
  return values;
}

void read_os_release(const platform::FileReader& files, OperatingSystem& os) {
  std::map<std::string, std::string> values;
  std::string origin = "/etc/os-release";
  auto content = files.try_read(origin);
  if (!content) {
    origin = "/usr/lib/os-release";
    content = files.try_read(origin);
  }
  if (content)
    values = parse_os_release(*content);
  const auto fact = [&](const char* key) {
    const auto found = values.find(key);
    if (found == values.end()) {
      return Fact<std::string>::missing(
          content ? fmt::format(fmt::runtime(_("os-release has no {}")), key)
                  : std::string(_("there is no os-release file")));
    }
    return text_fact(
        found->second, origin, fmt::format(fmt::runtime(_("{} is empty in os-release")), key));
  };
  os.id = fact("ID");
  os.version = fact("VERSION_ID");
  os.codename = fact("VERSION_CODENAME");
  os.pretty_name = fact("PRETTY_NAME");
}

}  // namespace las::hardware
