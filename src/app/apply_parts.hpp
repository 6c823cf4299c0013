// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "planning.hpp"

#include "las/app/apply.hpp"

/// The parts that prepare_apply() puts together.
namespace las::app {

/// The models to take in: found, hashed and as expected.
std::vector<ModelImport> find_models(Session& session,
                                     const ApplyRequest& request,
                                     const lockfile::Document& wanted,
                                     const Activity& activity);

/// What the modules become, and the wishes. `modules_after`: all that are installed then.
PreparedPlan plan_modules(Session& session,
                          const ApplyRequest& request,
                          const lockfile::Document& wanted,
                          const state::Generation& present,
                          std::vector<std::string>& modules_after,
                          const Activity& activity);

/// Adds the services to the plan, and says which are to be started and stopped after it.
void plan_services(Session& session,
                   const ApplyRequest& request,
                   const state::Generation& present,
                   const std::vector<std::string>& modules_after,
                   PreparedApply& prepared,
                   const Activity& activity);

}  // namespace las::app
