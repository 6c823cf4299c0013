// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

namespace las::resolve {

namespace {

using Reason = Explanation::Reason;

template <typename... Values>
std::string sentence(const std::string& format, const Values&... values) {
  return fmt::format(fmt::runtime(format), values...);
}

void add_unique(std::vector<Reason>& reasons, Reason reason) {
  if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end())
    reasons.push_back(std::move(reason));
}

template <typename Keep>
std::vector<const Build*> filtered(const std::vector<const Build*>& builds, Keep&& keep) {
  std::vector<const Build*> kept;
  std::copy_if(builds.begin(), builds.end(), std::back_inserter(kept), keep);
  return kept;
}

std::string variant_names(const std::vector<const Build*>& builds) {
  std::vector<std::string> names;
  for (const Build* build : builds) {
    if (std::find(names.begin(), names.end(), build->variant_name) == names.end())
      names.push_back(build->variant_name);
  }
  return text::join(names, ", ");
}

bool has_hardware_reason(const Build& build) {
  return std::any_of(build.rejections.begin(), build.rejections.end(), [](const Rejection& r) {
    return r.kind == Rejection::Kind::Hardware;
  });
}

// One build per variant: of several modes the one whose obstacle is the machine says most.
std::vector<const Build*> one_per_variant(const std::vector<const Build*>& builds) {
  std::vector<const Build*> chosen;
  for (const Build* build : builds) {
    const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const Build* other) {
      return other->variant_name == build->variant_name;
    });
    if (same == chosen.end())
      chosen.push_back(build);
    else if (!has_hardware_reason(**same) && has_hardware_reason(*build))
      *same = build;
  }
  return chosen;
}

NoBuild because(std::string subject, std::string text) {
  return {{{std::move(subject), std::move(text)}}, false, {}};
}

// Of the first build that only policies forbid, everything they deny.
std::vector<std::string> denied_capabilities(const std::vector<const Build*>& builds) {
  std::vector<std::string> names;
  for (const Build* build : builds) {
    const auto& rejections = build->rejections;
    if (!std::all_of(rejections.begin(), rejections.end(), [](const Rejection& r) {
          return r.kind == Rejection::Kind::Policy;
        }))
      continue;
    for (const Rejection& rejection : rejections)
      names.push_back(rejection.capability);
    break;
  }
  return names;
}

// What is the same for every build is told once. A denial of the module by name decides alone; the
// needs that are unmet as well are told all the same.
NoBuild rejected_as_a_whole(const Module& module, const Build& build) {
  NoBuild why;
  for (const Rejection& rejection : build.rejections) {
    if (!rejection.whole_module)
      continue;
    const bool of_release = rejection.kind == Rejection::Kind::Hardware;
    add_unique(
        why.reasons,
        {of_release ? module.name + " " + build.version.text() : module.name, rejection.text});
    why.by_policy = why.by_policy || rejection.kind == Rejection::Kind::Policy;
    if (why.remedy.empty())
      why.remedy = rejection.remedy;
  }
  return why;
}

NoBuild rejected(const Module& module, const std::vector<const Build*>& builds) {
  NoBuild why = rejected_as_a_whole(module, *builds.front());
  why.denied = denied_capabilities(builds);
  if (!why.reasons.empty())
    return why;
  why.by_policy = true;
  for (const Build* build : one_per_variant(builds)) {
    const bool hardware = has_hardware_reason(*build);
    for (const Rejection& rejection : build->rejections) {
      const bool policy = rejection.kind == Rejection::Kind::Policy;
      if (hardware && policy)
        continue;
      add_unique(why.reasons,
                 {module.name + " " + build->version.text() + " (" + build->variant_name + ")",
                  rejection.text});
      why.by_policy = why.by_policy && policy;
      if (why.remedy.empty())
        why.remedy = rejection.remedy;
    }
  }
  return why;
}

}  // namespace

NoBuild why_no_build(const Module& module, const Demand& demand) {
  std::vector<const Build*> builds;
  for (const Build& build : module.builds)
    builds.push_back(&build);
  if (builds.empty())
    return because(module.name, _("the catalog describes it, but names no way to install it"));
  const Version newest = builds.front()->version;
  builds = filtered(builds, [&](const Build* b) { return demand.range.contains(b->version); });
  if (builds.empty())
    return because(
        module.name,
        sentence(_("no release is {}; the newest is {}"), demand.range.to_string(), newest.text()));
  const std::string release = module.name + " " + builds.front()->version.text();
  if (!demand.variant.empty()) {
    const std::string names = variant_names(builds);
    builds = filtered(builds, [&](const Build* b) { return b->variant_name == demand.variant; });
    if (builds.empty())
      return because(release, sentence(_("has no variant {}; it has {}"), demand.variant, names));
  }
  if (!demand.mode.empty()) {
    builds = filtered(builds,
                      [&](const Build* b) { return catalog::to_string(b->mode) == demand.mode; });
    if (builds.empty())
      return because(release, sentence(_("cannot run in {} mode"), demand.mode));
  }
  const Version best = builds.front()->version;
  return rejected(module, filtered(builds, [&](const Build* b) { return b->version == best; }));
}

namespace {

Explanation unknown_wish(const std::string& name, const Universe& universe) {
  Explanation explanation;
  explanation.kind = Explanation::Kind::UnknownName;
  explanation.wanted = name;
  const auto& able = universe.providers(name);
  std::string nearest;
  if (able.empty()) {
    nearest = nearest_name(name, universe.world().catalog.names());
  } else {
    nearest = able.front()->name;
    std::vector<std::string> names;
    for (const catalog::Manifest* manifest : able)
      names.push_back(manifest->name);
    explanation.reasons.push_back(
        {name, sentence(_("is no module, but what {} provides"), text::join(names, ", "))});
  }
  explanation.suggestion = nearest.empty() ? "las search " + name : "las install " + nearest;
  return explanation;
}

Explanation unknown_preference(const std::string& name, const Universe& universe) {
  Explanation explanation;
  explanation.kind = Explanation::Kind::UnknownName;
  explanation.wanted = name;
  const std::string nearest = nearest_name(name, universe.world().catalog.names());
  explanation.suggestion = nearest.empty() ? "las search " + name : "--prefer " + nearest;
  return explanation;
}

Explanation unknown_installed(const std::string& command,
                              const std::string& name,
                              const Universe& universe) {
  Explanation explanation;
  explanation.kind = Explanation::Kind::UnknownName;
  explanation.wanted = name;
  explanation.reasons.push_back({name, _("is not installed")});
  std::vector<std::string> names;
  for (const state::InstalledModule& module : universe.world().installed.modules)
    names.push_back(module.name);
  if (universe.world().catalog.find(name) != nullptr)
    explanation.suggestion = "las install " + name;
  else if (const std::string nearest = nearest_name(name, names); !nearest.empty())
    explanation.suggestion = "las " + command + " " + nearest;
  else
    explanation.suggestion = "las list";
  return explanation;
}

bool is_installed(const std::string& name, const World& world) {
  return std::any_of(world.installed.modules.begin(),
                     world.installed.modules.end(),
                     [&](const auto& module) { return module.name == name; });
}

std::optional<Explanation> explain_held_removal(const Request& request, const Universe& universe) {
  Explanation explanation;
  std::vector<std::string> held;
  for (const std::string& name : request.remove) {
    if (!universe.is_held(name))
      continue;
    held.push_back(name);
    explanation.reasons.push_back({name, _("is held, so it is not removed")});
  }
  if (held.empty())
    return std::nullopt;
  explanation.wanted = text::join(held, ", ");
  explanation.suggestion = "las unhold " + text::join(held, " ");
  return explanation;
}

std::optional<Explanation> explain_names(const Request& request, const Universe& universe) {
  const World& world = universe.world();
  for (const Wish& wish : request.install) {
    if (universe.is_removed(wish.name)) {
      Explanation explanation;
      explanation.wanted = wish.name;
      explanation.reasons.push_back({wish.name, _("is to be installed and removed at once")});
      return explanation;
    }
    if (universe.find(wish.name) == nullptr)
      return unknown_wish(wish.name, universe);
  }
  for (const std::string& name : request.remove) {
    // Removing what is not there is done already; only a name nobody knows is a slip.
    if (!is_installed(name, world) && world.catalog.find(name) == nullptr)
      return unknown_installed("remove", name, universe);
  }
  const std::pair<const char*, const std::vector<std::string>*> of_installed[] = {
      {"upgrade", &request.upgrade}, {"unhold", &request.unhold}};
  for (const auto& [command, names] : of_installed) {
    for (const std::string& name : *names) {
      if (!is_installed(name, world))
        return unknown_installed(command, name, universe);
    }
  }
  for (const std::string& name : request.hold) {
    if (!is_installed(name, world) &&
        std::none_of(request.install.begin(), request.install.end(), [&](const Wish& wish) {
          return wish.name == name;
        }))
      return unknown_installed("hold", name, universe);
  }
  for (const std::string& name : request.prefer) {
    if (world.catalog.find(name) == nullptr)
      return unknown_preference(name, universe);
  }
  return explain_held_removal(request, universe);
}

}  // namespace

std::optional<Explanation> explain_request(const Request& request, const Universe& universe) {
  if (auto explanation = explain_names(request, universe))
    return explanation;
  for (const Wish& wish : request.install) {
    const Module& module = *universe.find(wish.name);
    const Demand demand = demand_of(wish);
    if (std::any_of(module.builds.begin(), module.builds.end(), [&](const Build& build) {
          return build.usable() && demand.accepts(build);
        }))
      continue;
    NoBuild why = why_no_build(module, demand);
    Explanation explanation;
    explanation.kind =
        why.by_policy ? Explanation::Kind::PolicyDenied : Explanation::Kind::Unsatisfiable;
    explanation.wanted = wish.name;
    explanation.reasons = std::move(why.reasons);
    explanation.denied = std::move(why.denied);
    explanation.suggestion = std::move(why.remedy);
    return explanation;
  }
  return std::nullopt;
}

namespace {

// Which installed modules lose something they need, in the order in which they lose it.
std::vector<const Module*> broken_modules(const Universe& universe) {
  std::map<std::string_view, std::vector<const Module*>> users;
  std::deque<const Module*> to_check;
  for (const auto& [name, module] : universe.modules()) {
    if (module.installed == nullptr)
      continue;
    to_check.push_back(&module);
    for (const std::string& needed : module.installed->requires_modules)
      users[needed].push_back(&module);
  }
  std::set<std::string_view> broken;
  std::vector<const Module*> order;
  const auto alive = [&](const std::string& name) {
    const Module* module = universe.find(name);
    return module != nullptr && module->installed != nullptr && broken.count(module->name) == 0;
  };
  const auto met = [&](const Demand& demand) {
    if (demand.kind == Demand::Kind::Module)
      return alive(demand.name);
    const auto& able = universe.providers(demand.name);
    return std::any_of(
        able.begin(), able.end(), [&](const auto* manifest) { return alive(manifest->name); });
  };
  while (!to_check.empty()) {
    const Module* module = to_check.front();
    to_check.pop_front();
    if (broken.count(module->name) > 0)
      continue;
    const std::vector<Demand> demands = universe.requirements(*module, *module->installed_build());
    if (std::all_of(demands.begin(), demands.end(), met))
      continue;
    broken.insert(module->name);
    order.push_back(module);
    for (const Module* user : users[module->name])
      to_check.push_back(user);
  }
  return order;
}

}  // namespace

void keep_both_ends(std::vector<Explanation::Reason>& reasons) {
  constexpr std::size_t kHead = 6, kTail = 5;
  if (reasons.size() <= kHead + 1 + kTail)
    return;
  const std::size_t hidden = reasons.size() - kHead - kTail;
  const auto first = reasons.begin() + static_cast<std::ptrdiff_t>(kHead);
  reasons.erase(first + 1, reasons.end() - static_cast<std::ptrdiff_t>(kTail));
  reasons[kHead] = {
      "…", fmt::format(fmt::runtime(LAS_N("{} step more", "{} steps more", hidden)), hidden)};
}

Explanation explain_dependents(const Request& request, const Universe& universe) {
  Explanation explanation;
  explanation.wanted = text::join(request.remove, ", ");
  std::set<std::string_view> gone(request.remove.begin(), request.remove.end());
  std::vector<std::string> users;
  for (const Module* module : broken_modules(universe)) {
    for (const std::string& needed : module->installed->requires_modules) {
      if (gone.count(needed) > 0)
        explanation.reasons.push_back(
            {module->name + " " + module->installed->version, sentence(_("needs {}"), needed)});
    }
    gone.insert(module->name);
    if (module->wanted_by_user())
      users.push_back(module->name);
  }
  keep_both_ends(explanation.reasons);
  std::sort(users.begin(), users.end());
  if (!users.empty())
    explanation.suggestion =
        "las remove " + text::join(request.remove, " ") + " " + text::join(users, " ");
  return explanation;
}

std::vector<Wish> alternatives(const Request& request,
                               const Explanation& explanation,
                               const Universe& universe) {
  constexpr std::size_t kMost = 8;
  std::vector<Wish> wishes;
  const auto wanted =
      std::find_if(request.install.begin(), request.install.end(), [&](const Wish& wish) {
        return wish.name == explanation.wanted;
      });
  if (wanted == request.install.end() || explanation.kind == Explanation::Kind::UnknownName)
    return wishes;
  if (!wanted->variant.empty() || !wanted->mode.empty())
    wishes.push_back({wanted->name, wanted->range, {}, {}});
  if (!wanted->range.any())
    wishes.push_back({wanted->name, {}, {}, {}});
  const catalog::Manifest* manifest = universe.world().catalog.find(wanted->name);
  if (manifest == nullptr)
    return wishes;
  std::map<std::string, int> shared;  // capabilities in common, by module
  for (const std::string& capability : manifest->provides) {
    for (const catalog::Manifest* other : universe.providers(capability)) {
      if (other->name != manifest->name && !other->deprecated &&
          !is_installed(other->name, universe.world()))
        ++shared[other->name];
    }
  }
  std::vector<std::pair<std::string, int>> ranked(shared.begin(), shared.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second > b.second;
  });
  for (const auto& [name, count] : ranked) {
    if (wishes.size() < kMost)
      wishes.push_back({name, {}, {}, {}});
  }
  return wishes;
}

}  // namespace las::resolve
