// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/catalog/manifest.hpp"
#include "las/plan/plan.hpp"

#include <optional>

namespace las::app {

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

}  // namespace las::app
