// SPDX-License-Identifier: Apache-2.0
#include "las/app/relations.hpp"

#include "planning.hpp"
#include "world.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include <fmt/format.h>

namespace las::app {

namespace {

using catalog::Dependencies;
using catalog::Manifest;

struct View {
  const catalog::Catalog& catalog;
  const hardware::HardwareProfile& profile;
  const state::Generation& present;
};

const catalog::Release* release_of(const Manifest& manifest, const View& view) {
  if (const state::InstalledModule* installed = view.present.find(manifest.name)) {
    if (const auto* release = manifest.find_release(Version(installed->version)))
      return release;
  }
  return manifest.releases.empty() ? nullptr : &manifest.releases.front();
}

const Dependencies& dependencies_of(const Manifest& manifest, const View& view) {
  const catalog::Release* release = release_of(manifest, view);
  return release != nullptr && release->dependencies ? *release->dependencies
                                                     : manifest.dependencies;
}

bool provides(const Manifest& manifest, const std::string& capability) {
  return std::find(manifest.provides.begin(), manifest.provides.end(), capability) !=
         manifest.provides.end();
}

std::vector<std::string> providers_of(const std::string& capability, const View& view) {
  std::vector<std::string> names;
  for (const Manifest* manifest : view.catalog.providers(capability))
    names.push_back(manifest->name);
  return names;
}

bool is_installed(const std::string& name, const View& view) {
  return view.present.find(name) != nullptr;
}

Need module_need(const catalog::ModuleDependency& dependency, Need::Kind kind, const View& view) {
  return {
      kind, dependency.name, dependency.range.to_string(), {}, is_installed(dependency.name, view)};
}

Need capability_need(const std::string& capability, const View& view) {
  Need need{Need::Kind::Capability, capability, {}, providers_of(capability, view), false};
  need.present = std::any_of(need.providers.begin(),
                             need.providers.end(),
                             [&](const std::string& name) { return is_installed(name, view); });
  return need;
}

Need tool_need(const std::string& text, const View& view) {
  const resolve::ToolNeed tool = resolve::judge_tool(text, view.profile);
  Need need{Need::Kind::Tool, tool.name, tool.range.to_string(), {}, std::nullopt};
  if (tool.state != resolve::ToolNeed::State::NoFact)
    need.present = tool.state == resolve::ToolNeed::State::Met;
  return need;
}

std::vector<Need> needs_of(const Dependencies& dependencies, const View& view) {
  std::vector<Need> needs;
  for (const auto& dependency : dependencies.modules)
    needs.push_back(module_need(dependency, Need::Kind::Module, view));
  for (const std::string& capability : dependencies.capabilities)
    needs.push_back(capability_need(capability, view));
  for (const std::string& tool : dependencies.runtime)
    needs.push_back(tool_need(tool, view));
  for (const std::string& package : dependencies.system)
    needs.push_back({Need::Kind::Package, package, {}, {}, std::nullopt});
  for (const auto& dependency : dependencies.optional)
    needs.push_back(module_need(dependency, Need::Kind::Optional, view));
  return needs;
}

// What is installed, but no longer in the catalog, is known by its record alone.
std::vector<Need> recorded_needs(const state::InstalledModule& module, const View& view) {
  std::vector<Need> needs;
  for (const std::string& name : module.requires_modules)
    needs.push_back({Need::Kind::Module, name, {}, {}, is_installed(name, view)});
  return needs;
}

ModuleNeeds module_needs(const std::string& name, const View& view) {
  ModuleNeeds found;
  found.name = name;
  const state::InstalledModule* installed = view.present.find(name);
  const Manifest* manifest = view.catalog.find(name);
  found.installed = installed != nullptr;
  if (installed != nullptr)
    found.version = installed->version;
  if (manifest == nullptr) {
    if (installed != nullptr)
      found.needs = recorded_needs(*installed, view);
    return found;
  }
  if (const auto* release = release_of(*manifest, view); release != nullptr && !found.installed)
    found.version = release->version.text();
  found.needs = needs_of(dependencies_of(*manifest, view), view);
  return found;
}

// Where the way goes on from a need.
std::string next_of(const Need& need, const View& view) {
  if (need.kind == Need::Kind::Module)
    return need.name;
  if (need.kind != Need::Kind::Capability || need.providers.empty())
    return {};
  const auto installed = std::find_if(need.providers.begin(),
                                      need.providers.end(),
                                      [&](const auto& name) { return is_installed(name, view); });
  return installed == need.providers.end() ? need.providers.front() : *installed;
}

void check_known(const std::string& name, const View& view) {
  if (!is_installed(name, view))
    view.catalog.get(name);  // an unknown name gets its own error
}

// The need by which `manifest` names the module or what it provides.
std::optional<Need> need_of(const Manifest& manifest,
                            const std::string& name,
                            const Manifest* target,
                            const View& view) {
  const Dependencies& dependencies = dependencies_of(manifest, view);
  for (const auto& dependency : dependencies.modules) {
    if (dependency.name == name)
      return module_need(dependency, Need::Kind::Module, view);
  }
  for (const std::string& capability : dependencies.capabilities) {
    if (target != nullptr && provides(*target, capability))
      return capability_need(capability, view);
  }
  for (const auto& dependency : dependencies.optional) {
    if (dependency.name == name)
      return module_need(dependency, Need::Kind::Optional, view);
  }
  return std::nullopt;
}

std::vector<User> installed_users(const std::string& name, const resolve::World& world) {
  std::vector<User> users;
  for (const resolve::Dependent& dependent : resolve::dependents_of(name, world)) {
    const auto kind = dependent.optional ? Need::Kind::Optional : Need::Kind::Module;
    users.push_back({dependent.name,
                     world.installed.find(dependent.name)->version,
                     true,
                     {kind, name, {}, {}, true}});
  }
  return users;
}

}  // namespace

std::string_view to_string(Need::Kind kind) {
  switch (kind) {
    case Need::Kind::Module:
      return "module";
    case Need::Kind::Capability:
      return "capability";
    case Need::Kind::Tool:
      return "tool";
    case Need::Kind::Package:
      return "package";
    case Need::Kind::Optional:
      return "optional";
  }
  return "module";
}

std::vector<ModuleNeeds> depends(Session& session,
                                 const std::string& name,
                                 bool recursive,
                                 const Activity& activity) {
  const state::Generation present = current_generation(session);
  const View view{session.catalog(activity), session.profile(activity), present};
  check_known(name, view);
  std::vector<ModuleNeeds> all;
  std::set<std::string> seen{name};
  std::deque<std::string> next{name};
  while (!next.empty()) {
    all.push_back(module_needs(next.front(), view));
    next.pop_front();
    if (!recursive)
      break;
    for (const Need& need : all.back().needs) {
      const std::string below = next_of(need, view);
      if (!below.empty() && seen.insert(below).second)
        next.push_back(below);
    }
  }
  return all;
}

std::vector<User> rdepends(Session& session,
                           const std::string& name,
                           bool only_installed,
                           const Activity& activity) {
  const state::Generation present = current_generation(session);
  const View view{session.catalog(activity), session.profile(activity), present};
  check_known(name, view);
  if (only_installed)
    return installed_users(name,
                           {view.catalog, view.profile, session.verdict(activity), view.present});
  const Manifest* target = view.catalog.find(name);
  std::vector<User> users;
  for (const std::string& other : view.catalog.names()) {
    if (other == name)
      continue;
    const Manifest& manifest = view.catalog.get(other);
    if (auto need = need_of(manifest, name, target, view)) {
      const ModuleNeeds user = module_needs(manifest.name, view);
      users.push_back({user.name, user.version, user.installed, std::move(*need)});
    }
  }
  return users;
}

Why why(Session& session, const std::string& name, const Activity& activity) {
  const state::Generation present = current_generation(session);
  const resolve::World world = world_of(session, present, activity);
  check_known(name, {world.catalog, world.profile, present});
  Why answer;
  answer.name = name;
  const state::InstalledModule* installed = present.find(name);
  if (installed == nullptr) {
    resolve::Request request;
    request.install.push_back({name, {}, {}, {}});
    const resolve::Outcome outcome = resolve::resolve(request, world);
    answer.cannot = outcome.explanation;
    if (outcome.resolution) {
      for (const resolve::Choice& choice : outcome.resolution->choices) {
        if (choice.name != name)
          continue;
        answer.version = choice.version.text();
        answer.variant = choice.variant_name;
        answer.mode = catalog::to_string(choice.mode);
        answer.would_be = choice.why;
      }
    }
    return answer;
  }
  answer.installed = true;
  answer.version = installed->version;
  answer.variant = installed->variant;
  answer.mode = installed->mode;
  answer.reason = installed->reason;
  answer.chain = resolve::chain_to(name, world);
  answer.needed_by = resolve::dependents_of(name, world);
  answer.better_variants = resolve::better_variants(name, world);
  resolve::Request upgrade;
  upgrade.upgrade.push_back(name);
  const resolve::Outcome outcome = resolve::resolve(upgrade, world);
  if (outcome.resolution) {
    for (resolve::Standing& standing : resolve::standings(world, upgrade, *outcome.resolution)) {
      answer.held = standing.held;
      answer.standing = std::move(standing);
    }
  }
  return answer;
}

resolve::WhyNot why_not(Session& session, const resolve::Wish& wish, const Activity& activity) {
  const state::Generation present = current_generation(session);
  return resolve::why_not(
      wish,
      {session.catalog(activity), session.profile(activity), session.verdict(activity), present});
}

std::vector<resolve::Standing> outdated(Session& session, const Activity& activity) {
  const state::Generation present = current_generation(session);
  std::vector<resolve::Standing> all = resolve::standings(
      {session.catalog(activity), session.profile(activity), session.verdict(activity), present});
  for (resolve::Standing& standing : all) {
    const state::InstalledModule* installed = present.find(standing.name);
    if (installed == nullptr || standing.held || standing.upgradable())
      continue;
    if (const std::string now = newer_build(session, *installed, activity); !now.empty()) {
      standing.installed = Version(installed->delivered);
      standing.possible = standing.newest = Version(now);
    }
  }
  return all;
}

}  // namespace las::app
