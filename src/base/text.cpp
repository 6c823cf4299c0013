// SPDX-License-Identifier: Apache-2.0
#include "las/base/text.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>
#include <cctype>

namespace las::text {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const auto end = text.find(separator, start);
    if (end == std::string_view::npos) {
      parts.emplace_back(text.substr(start));
      return parts;
    }
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> parts = split(text, '\n');
  if (!parts.empty() && parts.back().empty())
    parts.pop_back();
  for (std::string& line : parts) {
    if (line.ends_with('\r'))
      line.pop_back();
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0)
      out += separator;
    out += parts[i];
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  // ASCII only: identifiers, units and option names, never prose.
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool is_name(std::string_view text) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (text.empty() || text.size() > 64 || !is_alnum(text[0]) ||
      text.find("..") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || c == '.' || c == '_' || c == '+' || c == '-';
  });
}

std::string expand(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    if (c != '{') {
      out += c;
      continue;
    }
    const auto end = text.find('}', i);
    if (end == std::string_view::npos)
      throw Error(ErrorKind::InvalidData, _("unclosed '{' in a template"), std::string(text));
    const std::string key(text.substr(i + 1, end - i - 1));
    const auto found = values.find(key);
    if (found == values.end())
      throw Error(ErrorKind::InvalidData, _("unknown placeholder in a template"), "{" + key + "}");
    out += found->second;
    i = end;
  }
  return out;
}

}  // namespace las::text
