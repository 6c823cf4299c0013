// SPDX-License-Identifier: Apache-2.0
// What is wrong with a request before any solving.
#include "explain.hpp"
#include "sentence.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::resolve {

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
    if (world.installed.find(name) == nullptr && world.catalog.find(name) == nullptr)
      return unknown_installed("remove", name, universe);
  }
  const std::pair<const char*, const std::vector<std::string>*> of_installed[] = {
      {"upgrade", &request.upgrade}, {"unhold", &request.unhold}};
  for (const auto& [command, names] : of_installed) {
    for (const std::string& name : *names) {
      if (world.installed.find(name) == nullptr)
        return unknown_installed(command, name, universe);
    }
  }
  for (const std::string& name : request.hold) {
    if (world.installed.find(name) == nullptr &&
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

}  // namespace las::resolve
