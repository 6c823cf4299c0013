// SPDX-License-Identifier: Apache-2.0
#include "las/plan/plan.hpp"

#include "las/base/i18n.hpp"
#include "las/plan/order.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace las::plan {

namespace {

using Choices = std::map<std::string, const resolve::Choice*>;

std::optional<Action> action_for(const resolve::Choice& choice,
                                 const state::InstalledModule* installed) {
  if (installed == nullptr)
    return Action::Install;
  if (choice.already_installed)
    return std::nullopt;
  const auto order = choice.version <=> Version(installed->version);
  if (order != 0)
    return order > 0 ? Action::Upgrade : Action::Downgrade;
  const bool same = choice.variant_name == installed->variant &&
                    (installed->mode.empty() || catalog::to_string(choice.mode) == installed->mode);
  return same ? std::nullopt : std::optional(Action::Reinstall);
}

// Explicit, else the sum of the parts when each says its size.
std::optional<ByteSize> download_size(const catalog::Source& source) {
  const auto* archive = std::get_if<catalog::ArchiveSource>(&source.how);
  if (source.download_size || archive == nullptr || archive->parts.empty())
    return source.download_size;
  ByteSize sum;
  for (const catalog::ArchivePart& part : archive->parts) {
    if (!part.size)
      return std::nullopt;
    sum += *part.size;
  }
  return sum;
}

bool is_unpinned(const catalog::Source& source) {
  const auto* archive = std::get_if<catalog::ArchiveSource>(&source.how);
  return archive != nullptr &&
         std::any_of(archive->parts.begin(), archive->parts.end(), [](const auto& part) {
           return !part.digest.has_value();
         });
}

PlannedAction bring(Action kind,
                    const resolve::Choice& choice,
                    const state::InstalledModule* installed) {
  PlannedAction action;
  action.action = kind;
  action.subject = choice.name;
  action.version = choice.version.text();
  if (installed != nullptr)
    action.old_version = installed->version;
  action.variant = choice.variant_name;
  action.mode = std::string(catalog::to_string(choice.mode));
  action.reason = choice.reason;
  action.why = choice.why;
  action.requires_modules = choice.requires_modules;
  action.suggests = choice.suggests;
  if (choice.manifest != nullptr) {
    action.manifest_directory = choice.manifest->directory;
    describe_release(action, *choice.manifest, choice.manifest->find_release(choice.version));
  }
  if (choice.variant != nullptr)
    action.sources = choice.variant->sources;
  describe_preferred_source(action);
  return action;
}

PlannedAction remove(const state::InstalledModule& module, bool asked) {
  PlannedAction action;
  action.action = Action::Remove;
  action.subject = module.name;
  action.version = action.old_version = module.version;
  action.variant = module.variant;
  action.mode = module.mode;
  action.reason = module.reason;
  action.why = asked ? _("asked for") : _("no longer needed");
  action.requires_modules = module.requires_modules;
  action.installed_size = module.size;
  return action;
}

std::vector<PlannedAction> removals(const state::Generation& present,
                                    const resolve::Request& request,
                                    const Choices& choices) {
  std::map<std::string, std::vector<std::string>> needs;
  std::map<std::string, const state::InstalledModule*> leaving;
  for (const state::InstalledModule& module : present.modules) {
    if (choices.count(module.name) > 0)
      continue;
    needs[module.name] = module.requires_modules;
    leaving[module.name] = &module;
  }
  std::vector<std::string> order = dependency_order(needs);
  std::reverse(order.begin(), order.end());
  std::vector<PlannedAction> actions;
  for (const std::string& name : order) {
    const bool asked =
        std::find(request.remove.begin(), request.remove.end(), name) != request.remove.end();
    actions.push_back(remove(*leaving.at(name), asked));
  }
  return actions;
}

std::vector<state::WorldEntry> next_world(const state::Generation& present,
                                          const resolve::Request& request) {
  std::map<std::string, state::WorldEntry> world;
  for (const state::WorldEntry& entry : present.world)
    world.emplace(entry.module, entry);
  for (const std::string& name : request.remove)
    world.erase(name);
  for (const resolve::Wish& wish : request.install) {
    state::WorldEntry& entry = world[wish.name];
    entry.module = wish.name;
    entry.range = wish.range.to_string();
    entry.variant = wish.variant;
    entry.mode = wish.mode;  // `held` stays: only its own command lifts it
    entry.wished = true;
  }
  for (const std::string& name : request.hold) {
    state::WorldEntry& entry = world[name];
    const state::InstalledModule* installed = present.find(name);
    if (entry.module.empty())
      entry.wished = installed == nullptr || installed->reason == state::Reason::User;
    entry.module = name;
    entry.held = true;
  }
  for (const std::string& name : request.unhold) {
    const auto found = world.find(name);
    if (found == world.end())
      continue;
    found->second.held = false;
    if (!found->second.wished)
      world.erase(found);
  }
  std::vector<state::WorldEntry> entries;
  for (auto& [name, entry] : world)
    entries.push_back(std::move(entry));
  return entries;
}

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::Install:
      return "install";
    case Action::Upgrade:
      return "upgrade";
    case Action::Downgrade:
      return "downgrade";
    case Action::Reinstall:
      return "reinstall";
    case Action::Remove:
      return "remove";
    case Action::Deploy:
      return "deploy";
    case Action::Undeploy:
      return "undeploy";
  }
  return "install";
}

bool brings_module(Action action) {
  switch (action) {
    case Action::Install:
    case Action::Upgrade:
    case Action::Downgrade:
    case Action::Reinstall:
      return true;
    case Action::Remove:
    case Action::Deploy:
    case Action::Undeploy:
      return false;
  }
  return false;
}

void describe_preferred_source(PlannedAction& action) {
  if (action.sources.empty()) {
    action.unpinned = false;
    action.download_size = action.installed_size = std::nullopt;
    return;
  }
  const catalog::Source& preferred = action.sources.front();
  action.unpinned = is_unpinned(preferred);
  action.download_size = download_size(preferred);
  action.installed_size = preferred.installed_size;
}

Plan make_hold_plan(const state::Generation& present, const resolve::Request& request) {
  return {{}, next_world(present, request), {}, {}};
}

std::vector<std::string> world_changes(const std::vector<state::WorldEntry>& before,
                                       const Plan& plan) {
  std::map<std::string, std::pair<state::WorldEntry, state::WorldEntry>> entries;
  state::WorldEntry none;
  none.wished = false;
  const auto at = [&](const std::string& name) -> auto& {
    return entries.emplace(name, std::pair(none, none)).first->second;
  };
  for (const state::WorldEntry& entry : before)
    at(entry.module).first = entry;
  for (const state::WorldEntry& entry : plan.world)
    at(entry.module).second = entry;
  std::vector<std::string> changes;
  for (const auto& [name, pair] : entries) {
    const auto& [old, now] = pair;
    if (old.held != now.held)
      changes.push_back((now.held ? "hold " : "unhold ") + name);
    if (!now.wished)
      continue;  // a wish goes with its module
    const bool installed =
        std::any_of(plan.actions.begin(), plan.actions.end(), [&](const PlannedAction& action) {
          return action.action == Action::Install && action.subject == name;
        });
    if (installed && now.range.empty())
      continue;
    std::string wish = "wish for " + name;
    if (!now.range.empty())
      wish += " " + now.range;
    if (!old.wished || old.range != now.range || old.variant != now.variant || old.mode != now.mode)
      changes.push_back(std::move(wish));
  }
  return changes;
}

Plan make_plan(const state::Generation& present,
               const resolve::Request& request,
               const resolve::Resolution& resolution) {
  Choices choices;
  std::map<std::string, std::vector<std::string>> needs;
  for (const resolve::Choice& choice : resolution.choices) {
    choices.emplace(choice.name, &choice);
    needs.emplace(choice.name, choice.requires_modules);
  }
  std::map<std::string, const state::InstalledModule*> installed;
  for (const state::InstalledModule& module : present.modules)
    installed.emplace(module.name, &module);

  Plan plan;
  // What leaves goes first: it may conflict with what comes.
  plan.actions = removals(present, request, choices);
  for (const std::string& name : dependency_order(needs)) {
    const resolve::Choice& choice = *choices.at(name);
    const auto found = installed.find(name);
    const state::InstalledModule* before = found == installed.end() ? nullptr : found->second;
    if (const auto action = action_for(choice, before))
      plan.actions.push_back(bring(*action, choice, before));
  }
  for (const resolve::Choice& choice : resolution.choices) {
    const auto found = installed.find(choice.name);
    if (found == installed.end() || !choice.already_installed)
      continue;
    // What the catalog adds is no change; that it works with another now is one.
    const auto& now = choice.requires_modules;
    const auto& before = found->second->requires_modules;
    if (std::any_of(before.begin(), before.end(), [&](const std::string& name) {
          return installed.count(name) > 0 && std::find(now.begin(), now.end(), name) == now.end();
        }))
      plan.requirements.emplace(choice.name, now);
  }
  plan.world = next_world(present, request);
  return plan;
}

Plan make_deploy_plan(const state::Generation& present, const state::ServiceInstance& service) {
  const auto module =
      std::find_if(present.modules.begin(), present.modules.end(), [&](const auto& candidate) {
        return candidate.name == service.module;
      });
  if (module == present.modules.end())
    throw Error(
        ErrorKind::NotFound, _("the module that would serve it is not installed"), service.module)
        .hint("las install " + service.module);
  PlannedAction action;
  action.action = Action::Deploy;
  action.subject = service.id;
  action.version = module->version;
  action.variant = module->variant;
  action.mode = module->mode;
  action.why =
      service.model.empty()
          ? fmt::format(fmt::runtime(_("runs {}")), service.module)
          : fmt::format(fmt::runtime(_("serves {} with {}")), service.model, service.module);
  action.requires_modules = {service.module};
  action.service = service;
  return {{std::move(action)}, present.world, {}, {}};
}

Plan make_undeploy_plan(const state::Generation& present, const std::string& service_id) {
  const auto service =
      std::find_if(present.services.begin(), present.services.end(), [&](const auto& candidate) {
        return candidate.id == service_id;
      });
  if (service == present.services.end()) {
    std::vector<std::string> ids;
    for (const state::ServiceInstance& known : present.services)
      ids.push_back(known.id);
    Error error(ErrorKind::NotFound, _("unknown service"), service_id);
    const std::string nearest = nearest_name(service_id, ids);
    error.hint(nearest.empty() ? _("see the services with: las status")
                               : fmt::format(fmt::runtime(_("did you mean {}?")), nearest));
    throw error;
  }
  PlannedAction action;
  action.action = Action::Undeploy;
  action.subject = service->id;
  action.why =
      service->model.empty()
          ? fmt::format(fmt::runtime(_("ran {}")), service->module)
          : fmt::format(fmt::runtime(_("served {} with {}")), service->model, service->module);
  action.requires_modules = {service->module};
  return {{std::move(action)}, present.world, {}, {}};
}

void describe_release(PlannedAction& action,
                      const catalog::Manifest& manifest,
                      const catalog::Release* release) {
  action.system_packages = release != nullptr && release->dependencies
                               ? release->dependencies->system
                               : manifest.dependencies.system;
  action.system = manifest.system;
  action.data_format = release != nullptr ? release->data_format : std::string();
}

std::string summary(const PlannedAction& action) {
  std::string text = std::string(to_string(action.action)) + " " + action.subject;
  if (action.action == Action::Deploy || action.action == Action::Undeploy) {
    for (const std::string& module : action.requires_modules)
      text += " (" + module + ")";
    return text;
  }
  if (action.action == Action::Upgrade || action.action == Action::Downgrade)
    text += " " + action.old_version + " ->";
  text += " " + action.version;
  std::string how = action.variant;
  if (action.mode == catalog::to_string(catalog::Mode::Container))
    how += how.empty() ? action.mode : ", " + action.mode;
  return how.empty() ? text : text + " (" + how + ")";
}

}  // namespace las::plan
