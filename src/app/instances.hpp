// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/install.hpp"
#include "las/app/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace las::app {

/// What policies may deny to a service because of who may reach it.
std::vector<std::string> network_capabilities(const state::ServiceInstance& service);

/// What the catalog says now of each module that the plan brings goes with it.
void add_recipes(Session& session, plan::Plan& plan, const Activity& activity);

/// The manifest that the module was installed by; for an older record, or one that this las cannot
/// read, the catalog's. Nothing where that has none either.
std::optional<catalog::Manifest> find_installed_manifest(Session& session,
                                                         const state::InstalledModule& module,
                                                         const Activity& activity);
/// Likewise. NotFound, with the nearest name, where there is none.
catalog::Manifest installed_manifest(Session& session,
                                     const state::InstalledModule& module,
                                     const Activity& activity);

/// Modules whose manifest has a service of kind "service" run as soon as they are there: adds a
/// deployment for each that the plan brings and that has none yet.
void add_own_services(Session& session,
                      const state::Generation& present,
                      PreparedPlan& prepared,
                      const Activity& activity);

}  // namespace las::app
