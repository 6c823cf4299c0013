// SPDX-License-Identifier: Apache-2.0
#include "universe.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace las::resolve {

namespace {

// Every kind of source there is so far delivers a native program.
catalog::Mode mode_of(const catalog::Source&) {
  return catalog::Mode::Native;
}

// The sentence of a decision begins with the capability, which the reader has before him already.
std::string denial_text(const policy::Decision& decision, const std::string& capability) {
  std::string_view sentence = decision.explanation;
  if (sentence.starts_with(capability + " "))
    sentence.remove_prefix(capability.size() + 1);
  if (sentence.empty())
    return fmt::format(fmt::runtime(_("is denied by the policy rule {}")), decision.rule);
  return fmt::format(fmt::runtime(_("{}; policy rule {}")), sentence, decision.rule);
}

void check_policy(const std::string& capability,
                  bool whole_module,
                  const World& world,
                  std::vector<Rejection>& rejections) {
  const policy::Decision decision = world.verdict.decide(capability);
  if (!decision.allowed)
    rejections.push_back(
        {Rejection::Kind::Policy, whole_module, denial_text(decision, capability), capability});
}

void check_needs(const catalog::HardwareNeeds& needs,
                 bool whole_module,
                 const World& world,
                 std::vector<Rejection>& rejections) {
  for (std::string& clause : unmet_needs(needs, world.profile))
    rejections.push_back({Rejection::Kind::Hardware, whole_module, std::move(clause)});
}

// At least one source has to fit; if none does, the one that lacks least is explained.
void check_sources(const catalog::Variant& variant,
                   catalog::Mode mode,
                   const World& world,
                   std::vector<Rejection>& rejections) {
  std::optional<std::vector<std::string>> least;
  for (const catalog::Source& source : variant.sources) {
    if (mode_of(source) != mode)
      continue;
    std::vector<std::string> clauses = unmet_needs(source.needs, world.profile);
    if (clauses.empty())
      return;
    if (!least || clauses.size() < least->size())
      least = std::move(clauses);
  }
  if (!least) {
    rejections.push_back({Rejection::Kind::Other,
                          false,
                          variant.sources.empty()
                              ? _("the catalog names no source for it")
                              : fmt::format(fmt::runtime(_("no source delivers it in {} mode")),
                                            catalog::to_string(mode))});
    return;
  }
  for (std::string& clause : *least)
    rejections.push_back({Rejection::Kind::Hardware, false, std::move(clause)});
}

std::vector<catalog::Mode> modes_of(const catalog::Manifest& manifest) {
  std::vector<catalog::Mode> modes = manifest.modes;
  if (modes.empty())
    modes.push_back(catalog::Mode::Native);
  std::stable_partition(modes.begin(), modes.end(), [&](catalog::Mode mode) {
    return mode == manifest.preferred_mode;
  });
  return modes;
}

}  // namespace

std::vector<Build> assess_builds(const catalog::Manifest& manifest, const World& world) {
  std::vector<Rejection> of_module;
  check_policy(manifest.name, true, world, of_module);
  check_needs(manifest.needs, true, world, of_module);
  std::vector<Build> builds;
  for (const catalog::Release& release : manifest.releases) {
    for (const catalog::Variant& variant : release.variants) {
      for (const catalog::Mode mode : modes_of(manifest)) {
        Build build;
        build.release = &release;
        build.variant = &variant;
        build.version = release.version;
        build.variant_name = variant.name;
        build.mode = mode;
        build.rejections = of_module;
        // The machine first: a policy about a kind of build often only repeats what it lacks.
        check_needs(variant.needs, false, world, build.rejections);
        check_sources(variant, mode, world, build.rejections);
        check_policy(variant.name, false, world, build.rejections);
        check_policy(std::string(catalog::to_string(mode)), false, world, build.rejections);
        builds.push_back(std::move(build));
      }
    }
  }
  // Newest release, then the highest priority; what is equal keeps the manifest's order, and within
  // one variant the preferred mode comes first.
  std::stable_sort(builds.begin(), builds.end(), [](const Build& a, const Build& b) {
    if (const auto order = a.version <=> b.version; order != 0)
      return order > 0;
    return a.variant->priority > b.variant->priority;
  });
  return builds;
}

}  // namespace las::resolve
