// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unit_file.hpp"

#include "las/service/unit.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What the units of a service have in common.
namespace las::service {

/// With the two comment lines that tell whose it is.
UnitFile begin_unit(const UnitInput& input, UnitKind kind);

/// For Description=; `part` is what this unit has to do with the service.
std::string described(const UnitInput& input, std::string_view part = {});

/// Whether las looks at its health.
bool is_looked_at(const UnitInput& input);

/// How las is called from a unit: of the right scope, and without a terminal's habits.
std::string las_command(const UnitInput& input, const std::vector<std::string>& arguments);

}  // namespace las::service
