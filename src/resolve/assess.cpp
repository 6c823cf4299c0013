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

const std::vector<std::string>& Assessor::unmet(const catalog::HardwareNeeds& needs) {
  // So few differ that looking along them is quicker than any order of them.
  constexpr std::size_t kMost = 64;
  const auto found = std::find_if(
      unmet_.begin(), unmet_.end(), [&](const Unmet& known) { return known.needs == needs; });
  if (found != unmet_.end())
    return found->clauses;
  if (unmet_.size() == kMost)
    unmet_.clear();
  return unmet_.emplace_back(Unmet{needs, unmet_needs(needs, world_.profile)}).clauses;
}

const std::string& Assessor::denial(const std::string& capability) {
  const auto found = denials_.find(capability);
  if (found != denials_.end())
    return found->second;
  const policy::Decision decision = world_.verdict.decide(capability);
  return denials_
      .emplace(capability, decision.allowed ? std::string() : denial_text(decision, capability))
      .first->second;
}

void Assessor::check_policy(const std::string& capability,
                            bool whole_module,
                            std::vector<Rejection>& rejections) {
  if (const std::string& text = denial(capability); !text.empty())
    rejections.push_back({Rejection::Kind::Policy, whole_module, text, capability});
}

void Assessor::check_needs(const catalog::HardwareNeeds& needs,
                           bool whole_module,
                           std::vector<Rejection>& rejections) {
  for (const std::string& clause : unmet(needs))
    rejections.push_back({Rejection::Kind::Hardware, whole_module, clause});
}

// At least one source has to fit; if none does, the one that lacks least is explained.
void Assessor::check_sources(const catalog::Variant& variant,
                             catalog::Mode mode,
                             std::vector<Rejection>& rejections) {
  std::optional<std::vector<std::string>> least;
  for (const catalog::Source& source : variant.sources) {
    if (mode_of(source) != mode)
      continue;
    const std::vector<std::string>& clauses = unmet(source.needs);
    if (clauses.empty())
      return;
    if (!least || clauses.size() < least->size())
      least = clauses;
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

std::vector<Build> Assessor::builds(const catalog::Manifest& manifest) {
  std::vector<Rejection> of_module;
  check_policy(manifest.name, true, of_module);
  check_needs(manifest.needs, true, of_module);
  const std::vector<catalog::Mode> modes = modes_of(manifest);
  std::vector<Build> builds;
  for (const catalog::Release& release : manifest.releases) {
    for (const catalog::Variant& variant : release.variants) {
      for (const catalog::Mode mode : modes) {
        Build build;
        build.release = &release;
        build.variant = &variant;
        build.version = release.version;
        build.variant_name = variant.name;
        build.mode = mode;
        build.rejections = of_module;
        // The machine first: a policy about a kind of build often only repeats what it lacks.
        check_needs(variant.needs, false, build.rejections);
        check_sources(variant, mode, build.rejections);
        check_policy(variant.name, false, build.rejections);
        check_policy(std::string(catalog::to_string(mode)), false, build.rejections);
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
