// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/install.hpp"
#include "las/app/session.hpp"

#include <string>
#include <vector>

namespace las::app {

/// What policies may deny to a service because of who may reach it.
std::vector<std::string> network_capabilities(const state::ServiceInstance& service);

/// Modules whose manifest has a service of kind "service" run as soon as they are there: adds a
/// deployment for each that the plan brings and that has none yet.
void add_own_services(Session& session,
                      const state::Generation& present,
                      PreparedPlan& prepared,
                      const Activity& activity);

}  // namespace las::app
