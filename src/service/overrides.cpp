// SPDX-License-Identifier: Apache-2.0
#include "las/service/overrides.hpp"

#include "las/base/text.hpp"

#include <map>

namespace las::service {
namespace {

/// "Section.Directive" → value; source of the grammar: systemd.syntax(7).
std::map<std::string, std::string> directives(std::string_view text) {
  std::map<std::string, std::string> all;
  std::string section, pending;
  for (const std::string& raw : text::lines(text)) {
    const std::string line = pending + std::string(text::trim(raw));
    pending.clear();
    if (line.empty() || line.front() == '#' || line.front() == ';')
      continue;
    if (line.back() == '\\') {
      pending = line.substr(0, line.size() - 1) + " ";
      continue;
    }
    if (line.front() == '[' && line.back() == ']') {
      section = line.substr(1, line.size() - 2);
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string::npos)
      continue;
    std::string& value =
        all[section + "." + std::string(text::trim(std::string_view(line).substr(0, equals)))];
    if (!value.empty())
      value += "\n";
    value += text::trim(std::string_view(line).substr(equals + 1));
  }
  return all;
}

std::string value_of(const std::map<std::string, std::string>& all, const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? std::string() : found->second;
}

}  // namespace

std::vector<Contradiction> contradictions(std::string_view unit_before,
                                          std::string_view unit_now,
                                          std::string_view drop_in) {
  const auto before = directives(unit_before), now = directives(unit_now);
  std::vector<Contradiction> found;
  for (const auto& [name, value] : directives(drop_in)) {
    const std::string was = value_of(before, name), is = value_of(now, name);
    if (was != is)
      found.push_back({name, was, is, value});
  }
  return found;
}

}  // namespace las::service
