// SPDX-License-Identifier: Apache-2.0
#include "universe.hpp"

#include "runtime_tools.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::resolve {

namespace {

bool contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool is_build_of(const Build& build, const state::InstalledModule& installed) {
  return build.version == Version(installed.version) && build.variant_name == installed.variant &&
         (installed.mode.empty() || catalog::to_string(build.mode) == installed.mode);
}

// Marks the build that is installed, or adds it where its version belongs.
void place_installed(Module& module) {
  const state::InstalledModule& installed = *module.installed;
  const auto same = std::find_if(module.builds.begin(), module.builds.end(), [&](const Build& b) {
    return is_build_of(b, installed);
  });
  if (same != module.builds.end()) {
    same->installed = true;
    return;
  }
  Build build;
  build.version = Version(installed.version);
  build.variant_name = installed.variant;
  build.mode = installed.mode == catalog::to_string(catalog::Mode::Container)
                   ? catalog::Mode::Container
                   : catalog::Mode::Native;
  build.installed = true;
  if (module.manifest != nullptr) {
    build.release = module.manifest->find_release(build.version);
    if (build.release !=
        nullptr)  // the release is known, its variant is gone: not for new installs
      build.reject({Rejection::Kind::Other, false, _("the catalog no longer has this variant")});
  }
  const auto older = std::find_if(module.builds.begin(), module.builds.end(), [&](const Build& b) {
    return b.version < build.version;
  });
  module.builds.insert(older, std::move(build));
}

void hold(Module& module) {
  for (Build& build : module.builds) {
    if (!build.installed)
      build.reject({Rejection::Kind::Other,
                    true,
                    fmt::format(fmt::runtime(_("is held at {}")), module.installed->version),
                    {},
                    "las unhold " + module.name});
  }
}

// Who only asks for something newer does not want anything older.
void forbid_going_back(Module& module) {
  const Version installed(module.installed->version);
  for (Build& build : module.builds) {
    if (!build.installed && build.version < installed)
      build.reject(
          {Rejection::Kind::Other,
           false,
           fmt::format(fmt::runtime(_("an upgrade never goes back from {}")), installed.text())});
  }
}

}  // namespace

const catalog::Dependencies& dependencies_of(const Module& module, const Build& build) {
  static const catalog::Dependencies kNone;
  if (build.release == nullptr)
    return kNone;
  return build.release->dependencies ? *build.release->dependencies : module.manifest->dependencies;
}

const std::vector<Rejection>& Build::rejections() const {
  static const std::vector<Rejection> kNone;
  return rejected == nullptr ? kNone : *rejected;
}

void Build::reject(Rejection why) {
  std::vector<Rejection> all = rejections();
  all.push_back(std::move(why));
  rejected = std::make_shared<const std::vector<Rejection>>(std::move(all));
}

const VersionRange& any_version() {
  static const VersionRange kAny;
  return kAny;
}

const Build* Module::installed_build() const {
  const auto found = std::find_if(
      builds.begin(), builds.end(), [](const Build& build) { return build.installed; });
  return found == builds.end() ? nullptr : &*found;
}

bool Module::wanted_by_user() const {
  return (world != nullptr && world->wished) ||
         (installed != nullptr && installed->reason == state::Reason::User);
}

bool Demand::accepts(const Build& build) const {
  if (or_installed && build.installed)
    return true;
  return range->contains(build.version) && (variant.empty() || variant == build.variant_name) &&
         (mode.empty() || mode == catalog::to_string(build.mode));
}

std::string Demand::to_string() const {
  if (kind == Kind::Capability)
    return fmt::format(fmt::runtime(_("something that provides {}")), name);
  std::string text(name);
  if (!range->any())
    text += " " + range->to_string();
  if (!variant.empty())
    text += fmt::format(" ({})", variant);
  return text;
}

Universe::Universe(const Request& request, const World& world)
    : world_(world),
      request_(request),
      assessor_(world),
      only_installed_(request.install.empty() && request.upgrade.empty() && !request.upgrade_all),
      removed_(request.remove.begin(), request.remove.end()) {
  for (const state::WorldEntry& entry : world.installed.world)
    wanted_.emplace(entry.module, &entry);
  for (const state::InstalledModule& module : world.installed.modules)
    installed_.emplace(module.name, &module);

  std::vector<std::string_view> names;
  for (const Wish& wish : request.install)
    names.push_back(wish.name);
  for (const auto& [name, module] : installed_)
    names.push_back(name);
  // A list of names to visit instead of recursion: chains are as long as a catalog makes them.
  while (!names.empty()) {
    const std::string_view name = names.back();
    names.pop_back();
    if (found_.count(name) > 0 || is_removed(name))
      continue;
    if (const Module* module = add(name, request))
      reach(*module, names);
  }
  std::vector<Module*> by_name;
  for (Module& module : modules_)
    by_name.push_back(&module);
  std::sort(by_name.begin(), by_name.end(), [](const Module* a, const Module* b) {
    return a->name < b->name;
  });
  for (std::size_t i = 0; i < by_name.size(); ++i)
    by_name[i]->number = i;
  by_name_.assign(by_name.begin(), by_name.end());
}

const Module* Universe::find(std::string_view name) const {
  const auto found = found_.find(name);
  return found == found_.end() ? nullptr : found->second;
}

bool Universe::is_held(std::string_view name) const {
  if (installed_.count(name) == 0 || contains(request_.unhold, name))
    return false;
  const auto wish = wanted_.find(name);
  return contains(request_.hold, name) || (wish != wanted_.end() && wish->second->held);
}

const std::vector<const catalog::Manifest*>& Universe::providers(
    std::string_view capability) const {
  return world_.catalog.providers(capability);
}

// nullptr: nobody knows it.
const Module* Universe::add(std::string_view name, const Request& request) {
  const catalog::Manifest* manifest = world_.catalog.find(name);
  const auto present = installed_.find(name);
  if (manifest == nullptr && present == installed_.end())
    return nullptr;
  Module& module = modules_.emplace_back();
  module.name = name;
  module.manifest = manifest;
  if (present != installed_.end())
    module.installed = present->second;
  if (const auto found = wanted_.find(name); found != wanted_.end()) {
    module.world = found->second;
    module.wished = VersionRange::parse(module.world->range).value_or(VersionRange());
  }
  module.upgrade = request.upgrade_all || contains(request.upgrade, name);
  if (module.manifest != nullptr)
    module.builds = assessor_.builds(*module.manifest);
  module.asked = std::any_of(request.install.begin(), request.install.end(), [&](const Wish& wish) {
    return wish.name == name;
  });
  if (module.asked)
    module.optionals = request.optionals;
  if (module.installed != nullptr) {
    place_installed(module);
    module.held = is_held(name);
    if (module.held)
      hold(module);
    if (request.install.empty())
      forbid_going_back(module);
  }
  judge_tools(module);
  check_tools(module, *this);
  if (only_installed_)
    module.builds.erase(std::remove_if(module.builds.begin(),
                                       module.builds.end(),
                                       [](const Build& build) { return !build.installed; }),
                        module.builds.end());
  found_.emplace(module.name, &module);
  return &module;
}

void Universe::judge_tools(const Module& module) {
  for (const Build& build : module.builds) {
    for (const std::string& text : dependencies_of(module, build).runtime) {
      if (tools_.count(text) == 0)
        tools_.emplace(text, judge_tool(text, world_.profile));
    }
  }
}

void Universe::reach(const Module& module, std::vector<std::string_view>& names) {
  // Most releases need what the manifest says, so that one of their builds speaks for all; the
  // builds of a release stand side by side.
  const catalog::Dependencies* before = nullptr;
  bool seen_manifest = false;
  for (const Build& build : module.builds) {
    if (!build.usable())
      continue;
    const catalog::Dependencies& dependencies = dependencies_of(module, build);
    if (!build.installed) {
      const bool of_manifest = &dependencies == &module.manifest->dependencies;
      if (&dependencies == before || (of_manifest && seen_manifest))
        continue;
      before = &dependencies;
      seen_manifest = seen_manifest || of_manifest;
    }
    std::vector<Demand> demands = requirements(module, build);
    for (const Demand& demand : recommendations(module, build))
      demands.push_back(demand);
    for (const Demand& demand : demands) {
      if (demand.kind == Demand::Kind::Module) {
        if (found_.count(demand.name) == 0)
          names.push_back(demand.name);
        continue;
      }
      if (!reached_capabilities_.emplace(demand.name).second)
        continue;
      for (const catalog::Manifest* provider : providers(demand.name)) {
        if (!provider->deprecated)
          names.push_back(provider->name);
      }
    }
  }
}

std::vector<Demand> Universe::requirements(const Module& module, const Build& build) const {
  if (build.installed)
    return installed_requirements(module, build);
  std::vector<Demand> demands;
  if (build.release == nullptr)
    return demands;
  const catalog::Dependencies& all = dependencies_of(module, build);
  demands.reserve(all.modules.size() + all.capabilities.size());
  for (const catalog::ModuleDependency& dependency : all.modules)
    demands.push_back({Demand::Kind::Module, dependency.name, &dependency.range, {}, {}, false});
  for (const std::string& capability : all.capabilities)
    demands.push_back({Demand::Kind::Capability, capability});
  add_tool_demands(all, *this, demands);
  return demands;
}

std::vector<Demand> Universe::recommendations(const Module& module, const Build& build) const {
  std::vector<Demand> demands;
  if (module.optionals != Optionals::Bring)
    return demands;
  for (const catalog::ModuleDependency& optional : dependencies_of(module, build).optional)
    demands.push_back({Demand::Kind::Module, optional.name, &optional.range, {}, {}, false});
  return demands;
}

// What is installed works with what it was installed with. The catalog adds what a record cannot
// say (ranges, capabilities), but never a demand that the present state does not meet: a manifest
// that changed must not make unrelated requests fail.
std::vector<Demand> Universe::installed_requirements(const Module& module,
                                                     const Build& build) const {
  const catalog::Dependencies& known = dependencies_of(module, build);
  std::vector<Demand> demands;
  std::set<std::string_view> covered;  // by a demand for a capability
  for (const std::string& capability : known.capabilities) {
    bool met = false;
    for (const catalog::Manifest* provider : providers(capability)) {
      if (installed_.count(provider->name) == 0)
        continue;
      met = true;
      covered.insert(provider->name);
    }
    if (met)
      demands.push_back({Demand::Kind::Capability, capability});
  }
  for (const std::string& name : module.installed->requires_modules) {
    const auto present = installed_.find(name);
    if (present == installed_.end())
      continue;
    const auto listed =
        std::find_if(known.modules.begin(), known.modules.end(), [&](const auto& dependency) {
          return dependency.name == name;
        });
    // A preference is for what is asked for; the others keep the provider they work with.
    const bool keeps_provider = !request_.prefer.empty() && !module.asked;
    if (listed == known.modules.end() && covered.count(name) > 0 && !keeps_provider)
      continue;
    Demand demand{Demand::Kind::Module, name};
    if (listed != known.modules.end() && listed->range.contains(Version(present->second->version)))
      demand.range = &listed->range;
    demands.push_back(demand);
  }
  return demands;
}

std::vector<Demand> Universe::conflicts(const Module& module, const Build& build) const {
  std::vector<Demand> demands;
  if (module.manifest == nullptr)
    return demands;
  for (const catalog::ModuleDependency& conflict : module.manifest->conflicts) {
    if (conflict.name == module.name)
      continue;  // one release of a module excludes the others anyway
    const auto present = installed_.find(conflict.name);
    if (build.installed && present != installed_.end() &&
        conflict.range.contains(Version(present->second->version)))
      continue;  // both are there already: see installed_requirements
    demands.push_back({Demand::Kind::Module, conflict.name, &conflict.range, {}, {}, false});
  }
  return demands;
}

}  // namespace las::resolve
