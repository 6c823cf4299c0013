// SPDX-License-Identifier: Apache-2.0
#include "installed_manifest.hpp"

#include "las/catalog/recipe.hpp"

#include <fmt/format.h>

namespace las::app {

void add_recipes(Session& session, plan::Plan& plan, const Activity& activity) {
  for (plan::PlannedAction& action : plan.actions) {
    if (!plan::brings_module(action.action))
      continue;
    if (const catalog::Manifest* manifest = session.catalog(activity).find(action.subject))
      action.recipe = catalog::make_recipe(session.files(), *manifest, Version(action.version));
  }
}

std::optional<catalog::Manifest> find_installed_manifest(Session& session,
                                                         const state::InstalledModule& module,
                                                         const Activity& activity) {
  Diagnostics faults;
  auto manifest = catalog::read_recipe(module.recipe, faults);
  for (const Diagnostic& fault : faults.items())
    activity.debug("service", fmt::format("{}: {}", module.name, fault.message));
  if (manifest)
    return manifest;
  if (const catalog::Manifest* now = session.catalog(activity).find(module.name))
    return *now;
  return std::nullopt;
}

catalog::Manifest installed_manifest(Session& session,
                                     const state::InstalledModule& module,
                                     const Activity& activity) {
  if (auto manifest = find_installed_manifest(session, module, activity))
    return *std::move(manifest);
  return session.catalog(activity).get(module.name);
}

}  // namespace las::app
