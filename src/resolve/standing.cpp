// SPDX-License-Identifier: Apache-2.0
// What an upgrade would bring, and why it is not the newest there is.
#include "consequences.hpp"
#include "sentence.hpp"

#include "las/base/i18n.hpp"
#include "las/resolve/inspect.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::resolve {

namespace {

using Reason = Explanation::Reason;

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

const state::WorldEntry* wish_of(const std::string& name, const World& world) {
  const auto found = std::find_if(world.installed.world.begin(),
                                  world.installed.world.end(),
                                  [&](const auto& entry) { return entry.module == name; });
  return found == world.installed.world.end() ? nullptr : &*found;
}

// Of two modules whose newest releases exclude each other one was served first.
std::vector<Reason> served_before(const std::string& release,
                                  const Resolution& alone,
                                  const Resolution& upgraded) {
  std::vector<Reason> reasons;
  for (const Choice& choice : upgraded.choices) {
    const Choice* beside = find_choice(alone, choice.name);
    if (beside != nullptr && beside->version < choice.version)
      reasons.push_back(
          {choice.name + " " + choice.version.text(), sentence(_("does not go with {}"), release)});
  }
  return reasons;
}

std::vector<Reason> why_kept_back(const Standing& standing,
                                  const World& world,
                                  const Request& asked,
                                  const Resolution& upgraded) {
  const state::WorldEntry* entry = wish_of(standing.name, world);
  if (standing.held)
    return {{standing.name, sentence(_("is held at {}"), standing.installed.text())}};
  Wish wish;
  wish.name = standing.name;
  if (entry != nullptr) {
    const auto range = VersionRange::parse(entry->range);
    if (range && !range->contains(standing.newest))
      return {{standing.name, sentence(_("is wished for as {}"), entry->range)}};
    wish.variant = entry->variant;
    wish.mode = entry->mode;
  }
  wish.range = VersionRange::parse("==" + standing.newest.text()).value_or(VersionRange());
  Request request;
  request.install.push_back(wish);
  request.hold = asked.hold;
  request.unhold = asked.unhold;
  const Outcome alone = resolve_without_advice(request, world);
  if (alone.explanation) {
    std::vector<Reason> reasons = alone.explanation->reasons;
    // That the newest is asked for is our own doing.
    if (reasons.size() > 1 && reasons.front().subject == standing.name)
      reasons.erase(reasons.begin());
    return reasons;
  }
  std::vector<Reason> reasons = consequences(*alone.resolution, world, standing.name);
  if (reasons.empty())
    reasons =
        served_before(standing.name + " " + standing.newest.text(), *alone.resolution, upgraded);
  if (reasons.empty())
    reasons.push_back({standing.name, _("an upgrade of this module was not asked for")});
  return reasons;
}

}  // namespace

std::vector<Standing> standings(const World& world,
                                const Request& request,
                                const Resolution& upgraded) {
  const std::vector<std::string>& names = request.upgrade;
  std::vector<Standing> all;
  for (const state::InstalledModule& module : world.installed.modules) {
    if (!names.empty() && !contains(names, module.name))
      continue;
    const Choice* choice = find_choice(upgraded, module.name);
    if (choice == nullptr)
      continue;  // nobody needs it any more, so it leaves
    Standing standing;
    standing.name = module.name;
    standing.installed = Version(module.version);
    standing.variant = module.variant;
    standing.possible = choice->version;
    standing.possible_variant = choice->variant_name;
    const state::WorldEntry* entry = wish_of(module.name, world);
    standing.held = ((entry != nullptr && entry->held) || contains(request.hold, module.name)) &&
                    !contains(request.unhold, module.name);
    const catalog::Manifest* manifest = world.catalog.find(module.name);
    if (manifest == nullptr) {
      standing.kept_back.push_back({module.name, _("is no longer in the catalog")});
    } else if (!manifest->releases.empty()) {
      standing.newest = manifest->releases.front().version;
      if (standing.possible < standing.newest)
        standing.kept_back = why_kept_back(standing, world, request, upgraded);
    }
    all.push_back(std::move(standing));
  }
  std::sort(
      all.begin(), all.end(), [](const Standing& a, const Standing& b) { return a.name < b.name; });
  return all;
}

std::vector<Standing> standings(const World& world) {
  Request request;
  request.upgrade_all = true;
  const Outcome outcome = resolve(request, world);
  // What is installed is always possible, so there is a resolution, be it the present state.
  return outcome.resolution ? standings(world, request, *outcome.resolution)
                            : std::vector<Standing>{};
}

}  // namespace las::resolve
