// SPDX-License-Identifier: Apache-2.0
#include "las/service/overrides.hpp"

#include "installed_units.hpp"

#include "las/base/text.hpp"

#include <map>

namespace las::service {
namespace {

constexpr std::string_view kFolder = ".d";

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

std::vector<std::string> drop_in_folders_of(const std::string& unit) {
  const auto dot = unit.rfind('.');
  const std::string name = unit.substr(0, dot), suffix = unit.substr(dot);
  std::vector<std::string> folders = {unit + ".d"};
  const auto at = name.find('@');
  if (at != std::string::npos)
    folders.push_back(name.substr(0, at + 1) + suffix + ".d");
  const std::string prefix = name.substr(0, at);
  for (auto dash = prefix.rfind('-'); dash != std::string::npos && dash > 0;
       dash = prefix.rfind('-', dash - 1))
    folders.push_back(prefix.substr(0, dash + 1) + suffix + ".d");
  folders.push_back(suffix.substr(1) + ".d");
  return folders;
}

std::map<std::filesystem::path, std::string> drop_in_folders(const platform::FileReader& files,
                                                             const std::filesystem::path& units) {
  std::map<std::filesystem::path, std::string> found;
  if (!files.exists(units))
    return found;
  for (const std::string& name : files.list_directory(units)) {
    if (!name.ends_with(kFolder))
      continue;
    const auto unit = parse_unit_name(name.substr(0, name.size() - kFolder.size()));
    const auto status = files.status(units / name);
    if (unit && status && status->kind == platform::FileKind::Directory)
      found[units / name] = unit->service;
  }
  return found;
}

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
