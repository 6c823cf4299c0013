// SPDX-License-Identifier: Apache-2.0
// Why a module is here, why in this build, and why not in another.
#include "consequences.hpp"
#include "explain.hpp"
#include "sentence.hpp"
#include "universe.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/resolve/inspect.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

namespace las::resolve {

namespace {

using Reason = Explanation::Reason;

const catalog::Dependencies* known_dependencies(const state::InstalledModule& module,
                                                const World& world) {
  const catalog::Manifest* manifest = world.catalog.find(module.name);
  if (manifest == nullptr)
    return nullptr;
  const catalog::Release* release = manifest->find_release(Version(module.version));
  return release != nullptr && release->dependencies ? &*release->dependencies
                                                     : &manifest->dependencies;
}

bool lists_as_companion(const state::InstalledModule& module,
                        const std::string& name,
                        const World& world) {
  const catalog::Dependencies* known = known_dependencies(module, world);
  return known != nullptr &&
         std::any_of(known->optional.begin(), known->optional.end(), [&](const auto& optional) {
           return optional.name == name;
         });
}

bool needs(const state::InstalledModule& module, const std::string& name) {
  const auto& required = module.requires_modules;
  return std::find(required.begin(), required.end(), name) != required.end();
}

bool is_wanted(const state::InstalledModule& module) {
  return module.reason == state::Reason::User;
}

std::string build_name(const std::string& module, const Build& build) {
  return module + " " + build.version.text() + " (" + build.variant_name + ")";
}

// The build that a resolution chose for `name` among those of the universe.
const Build* chosen_build(const Module& module, const Choice& choice) {
  for (const Build& build : module.builds) {
    if (build.version == choice.version && build.variant_name == choice.variant_name &&
        build.mode == choice.mode)
      return &build;
  }
  return nullptr;
}

// Nothing forbids it, so it is a matter of preference.
std::vector<Reason> why_not_preferred(const Wish& wish, const Choice& chosen, const World& world) {
  Request request;
  request.install.push_back({wish.name, {}, {}, {}});
  const Universe universe(request, world);
  const Module* module = universe.find(wish.name);
  const Build* build = module == nullptr ? nullptr : chosen_build(*module, chosen);
  if (build == nullptr)
    return {};
  const std::string name = build_name(wish.name, *build);
  if (build->installed)
    return {{name, _("is what is installed")}};
  if (const Build* installed = module->installed_build())
    return {{build_name(wish.name, *installed),
             _("is installed, and is kept until another is asked for")}};
  for (const Build& better : module->builds) {
    if (&better == build)
      break;
    if (!better.usable())
      continue;
    if (better.version > build->version)
      return {
          {build_name(wish.name, better), sentence(_("is newer than {}"), build->version.text())}};
    return {{build_name(wish.name, better),
             better.variant_name == build->variant_name
                 ? _("is in the preferred mode")
                 : sentence(_("fits too, and is preferred to {}"), build->variant_name)}};
  }
  return {{name, _("is what would be installed")}};
}

}  // namespace

const Choice* find_choice(const Resolution& resolution, const std::string& name) {
  const auto found = std::find_if(resolution.choices.begin(),
                                  resolution.choices.end(),
                                  [&](const Choice& choice) { return choice.name == name; });
  return found == resolution.choices.end() ? nullptr : &*found;
}

std::vector<Reason> consequences(const Resolution& resolution,
                                 const World& world,
                                 const std::string& asked) {
  std::vector<Reason> all;
  for (const state::InstalledModule& module : world.installed.modules) {
    if (module.name == asked)
      continue;
    const std::string subject = module.name + " " + module.version;
    const Choice* choice = find_choice(resolution, module.name);
    if (choice == nullptr)
      all.push_back({subject, _("would be removed")});
    else if (choice->version < Version(module.version))
      all.push_back({subject, sentence(_("would go back to {}"), choice->version.text())});
  }
  return all;
}

std::vector<Dependent> dependents_of(const std::string& name, const World& world) {
  std::vector<Dependent> all;
  const state::InstalledModule* module = world.installed.find(name);
  for (const state::InstalledModule& other : world.installed.modules) {
    if (other.name == name)
      continue;
    if (needs(other, name))
      all.push_back({other.name, false});
    else if (module != nullptr && module->reason == state::Reason::Optional &&
             lists_as_companion(other, name, world))
      all.push_back({other.name, true});
  }
  std::sort(all.begin(), all.end(), [](const Dependent& a, const Dependent& b) {
    return a.name < b.name;
  });
  return all;
}

// From `name` up to the nearest module that the user wants, so that the shortest chain is found.
std::vector<std::string> chain_to(const std::string& name, const World& world) {
  std::map<std::string, std::string> needed_for;  // the next one down the chain
  std::deque<std::string> next{name};
  needed_for.emplace(name, "");
  while (!next.empty()) {
    const std::string current = next.front();
    next.pop_front();
    const state::InstalledModule* module = world.installed.find(current);
    if (module != nullptr && is_wanted(*module)) {
      std::vector<std::string> chain;
      for (std::string step = current; !step.empty(); step = needed_for.at(step))
        chain.push_back(step);
      return chain;
    }
    for (const Dependent& user : dependents_of(current, world)) {
      if (needed_for.emplace(user.name, current).second)
        next.push_back(user.name);
    }
  }
  return {};
}

std::vector<Reason> better_variants(const std::string& name, const World& world) {
  Request request;
  request.install.push_back({name, {}, {}, {}});
  const Universe universe(request, world);
  const Module* module = universe.find(name);
  const Build* installed = module == nullptr ? nullptr : module->installed_build();
  std::vector<Reason> reasons;
  if (installed == nullptr)
    return reasons;
  std::set<std::string> told{installed->variant_name};
  for (const Build& build : module->builds) {
    if (&build == installed)
      break;
    if (build.version != installed->version || !told.insert(build.variant_name).second)
      continue;
    std::vector<std::string> clauses;
    for (const Rejection& rejection : build.rejections())
      clauses.push_back(rejection.text);
    reasons.push_back({build.variant_name,
                       clauses.empty() ? _("fits, and would be taken by an upgrade")
                                       : text::join(clauses, "; ")});
  }
  return reasons;
}

WhyNot why_not(const Wish& wish, const World& world) {
  Request request;
  request.install.push_back(wish);
  const Outcome outcome = resolve(request, world);
  WhyNot answer;
  if (outcome.explanation) {
    if (outcome.explanation->kind == Explanation::Kind::UnknownName)
      throw to_error(*outcome.explanation);
    answer.reasons = outcome.explanation->reasons;
    answer.suggestion = outcome.explanation->suggestion;
    return answer;
  }
  answer.possible = true;
  const Choice* choice = find_choice(*outcome.resolution, wish.name);
  if (choice != nullptr)
    answer.reasons = why_not_preferred(wish, *choice, world);
  answer.consequences = consequences(*outcome.resolution, world, wish.name);
  answer.suggestion = "las install " + to_argument(wish);
  return answer;
}

}  // namespace las::resolve
