// SPDX-License-Identifier: Apache-2.0
// `dependencies.runtime`: programs that the machine must have, or that a module brings.
#include "runtime_tools.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace las::resolve {

namespace {

using hardware::Fact;
using hardware::HardwareProfile;
using hardware::Tools;

struct KnownTool {
  std::string_view name;
  Fact<Version> Tools::*fact;
  const char* package;  ///< of Debian and its kin; "" where none would help
};

constexpr std::array<KnownTool, 5> kKnownTools = {{{"podman", &Tools::podman, "podman"},
                                                   {"docker", &Tools::docker, "docker.io"},
                                                   {"python3", &Tools::python, "python3"},
                                                   {"python", &Tools::python, "python3"},
                                                   {"systemd", &Tools::systemd, ""}}};

// "podman >= 4.1", as the other facts of a machine are compared.
std::string spell(const ToolNeed& need) {
  std::string range = need.range.to_string();
  for (std::size_t i = 1; i < range.size(); ++i) {
    constexpr std::string_view kOperators = "<>=!";
    const bool after_operator = kOperators.find(range[i - 1]) != std::string_view::npos;
    if ((after_operator && kOperators.find(range[i]) == std::string_view::npos) ||
        range[i - 1] == ',')
      range.insert(i++, " ");
  }
  return range.empty() ? need.name : need.name + " " + range;
}

// What is no name with a range (published manifests hold prose too) is a tool of that name.
ToolNeed parse(std::string_view text) {
  ToolNeed need;
  const std::string_view trimmed = text::trim(text);
  const auto name_end = std::min(trimmed.find_first_of("@=<>!^~ "), trimmed.size());
  std::string_view rest = text::trim(trimmed.substr(name_end));
  if (!rest.empty() && rest[0] == '@')
    rest.remove_prefix(1);
  const std::string name = text::lower(trimmed.substr(0, name_end));
  const auto range = VersionRange::parse(rest);
  if (!text::is_name(name) || !range) {
    need.name = std::string(trimmed);
    return need;
  }
  need.name = name;
  need.range = *range;
  return need;
}

}  // namespace

bool has_apt(const HardwareProfile& profile) {
  const auto& id = profile.os.id;
  return id.is_known() && (*id.value == "debian" || *id.value == "ubuntu");
}

ToolNeed judge_tool(std::string_view needs, const HardwareProfile& profile) {
  ToolNeed need = parse(needs);
  const auto* const known =
      std::find_if(kKnownTools.begin(), kKnownTools.end(), [&](const KnownTool& tool) {
        return tool.name == need.name;
      });
  if (known == kKnownTools.end())
    return need;
  const Fact<Version>& fact = profile.tools.*(known->fact);
  if (fact.is_known() && need.range.contains(*fact.value)) {
    need.state = ToolNeed::State::Met;
    return need;
  }
  need.state = ToolNeed::State::Unmet;
  if (fact.is_known()) {
    need.clause = fmt::format(
        fmt::runtime(_("needs {}; this machine has {}")), spell(need), fact.value->text());
    return need;
  }
  need.clause =
      fmt::format(fmt::runtime(_("needs {}; none was found: {}")), spell(need), fact.unknown);
  if (*known->package != '\0' && has_apt(profile))
    need.remedy = std::string("sudo apt install ") + known->package;
  return need;
}

std::optional<Demand> module_for_tool(const ToolNeed& need, const Universe& universe) {
  if (universe.world().catalog.find(need.name) != nullptr)
    return Demand{Demand::Kind::Module, need.name, &need.range, {}, {}, false};
  if (!universe.providers(need.name).empty())
    return Demand{Demand::Kind::Capability, need.name};
  return std::nullopt;
}

void check_tools(Module& module, const Universe& universe) {
  for (Build& build : module.builds) {
    if (build.release == nullptr || build.installed)
      continue;
    for (const std::string& text : dependencies_of(module, build).runtime) {
      const ToolNeed& need = universe.tool(text);
      if (need.state != ToolNeed::State::Unmet || module_for_tool(need, universe))
        continue;
      build.reject(
          {Rejection::Kind::Hardware, !build.release->dependencies, need.clause, {}, need.remedy});
    }
  }
}

void add_tool_demands(const catalog::Dependencies& dependencies,
                      const Universe& universe,
                      std::vector<Demand>& demands) {
  for (const std::string& text : dependencies.runtime) {
    const ToolNeed& need = universe.tool(text);
    if (need.state == ToolNeed::State::Met)
      continue;
    if (auto demand = module_for_tool(need, universe))
      demands.push_back(*demand);
  }
}

std::vector<std::string> unverified_tools(const catalog::Dependencies& dependencies,
                                          const Universe& universe) {
  std::vector<std::string> tools;
  for (const std::string& text : dependencies.runtime) {
    const ToolNeed& need = universe.tool(text);
    if (need.state == ToolNeed::State::NoFact && !module_for_tool(need, universe))
      tools.push_back(spell(need));
  }
  return tools;
}

}  // namespace las::resolve
