// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/install.hpp"

#include <string>
#include <vector>

namespace las::app {

/// Adds the data folders that the services of `modules` left or will leave, with their sizes, and
/// the drop-ins that users wrote for their units. What a service of another module uses is never
/// among them.
void add_purge(Session& session,
               const std::vector<std::string>& modules,
               const state::Generation& present,
               PreparedPlan& prepared);

}  // namespace las::app
