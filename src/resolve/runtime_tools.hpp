// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "universe.hpp"

#include <optional>
#include <string>
#include <vector>

namespace las::resolve {

/// The module that stands in for a tool the machine lacks: the one of its name, else any that
/// provides it. Nothing if the catalog has none. The demand looks at `need`.
std::optional<Demand> module_for_tool(const ToolNeed& need, const Universe& universe);

/// Whether "apt install" is what brings a program to the machine.
bool has_apt(const hardware::HardwareProfile& profile);

/// Rejects the builds that need a tool which neither the machine nor the catalog has.
void check_tools(Module& module, const Universe& universe);

/// The modules that are needed for tools which the machine lacks.
void add_tool_demands(const catalog::Dependencies& dependencies,
                      const Universe& universe,
                      std::vector<Demand>& demands);

/// Tools of which las knows no fact and that no module provides: it cannot be told whether they are
/// here.
std::vector<std::string> unverified_tools(const catalog::Dependencies& dependencies,
                                          const Universe& universe);

}  // namespace las::resolve
