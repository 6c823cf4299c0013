// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"
#include "sentence.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::resolve {

namespace {

using Reason = Explanation::Reason;

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
  return std::any_of(build.rejections().begin(), build.rejections().end(), [](const Rejection& r) {
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
    const auto& rejections = build->rejections();
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
  for (const Rejection& rejection : build.rejections()) {
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
    for (const Rejection& rejection : build->rejections()) {
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
  builds = filtered(builds, [&](const Build* b) { return demand.range->contains(b->version); });
  if (builds.empty())
    return because(
        module.name,
        sentence(
            _("no release is {}; the newest is {}"), demand.range->to_string(), newest.text()));
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

}  // namespace las::resolve
