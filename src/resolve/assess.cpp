// SPDX-License-Identifier: Apache-2.0
#include "runtime_tools.hpp"
#include "universe.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace las::resolve {

namespace {

// The sentence of a decision begins with the capability, which the reader has before him already.
std::string denial_text(const policy::Decision& decision, const std::string& capability) {
  std::string_view sentence = decision.explanation;
  if (sentence.starts_with(capability + " "))
    sentence.remove_prefix(capability.size() + 1);
  if (sentence.empty())
    return fmt::format(fmt::runtime(_("is denied by the policy rule {}")), decision.rule);
  return fmt::format(fmt::runtime(_("{}; policy rule {}")), sentence, decision.rule);
}

std::vector<catalog::Mode> modes_of(const catalog::Manifest& manifest, catalog::Mode preferred) {
  std::vector<catalog::Mode> modes = manifest.modes;
  if (modes.empty())
    modes.push_back(catalog::Mode::Native);
  if (modes.size() == 1)
    return modes;
  std::stable_partition(
      modes.begin(), modes.end(), [&](catalog::Mode mode) { return mode == preferred; });
  return modes;
}

bool alike(const std::optional<Version>& a, const std::optional<Version>& b) {
  return a.has_value() == b.has_value() && (!a || a->text() == b->text());
}

// Equal down to the spelling of versions, which the reader gets to see; and quicker than ==, which
// reads each version. Bound by position, so that a need that is added does not compile until it
// stands here.
bool alike(const catalog::HardwareNeeds& a, const catalog::HardwareNeeds& b) {
  const auto& [cores,
               ram,
               vram,
               many,
               vendor,
               capability,
               driver,
               cuda,
               glibc,
               cpu,
               arch,
               os,
               tools] = a;
  return cores == b.cores_min && ram == b.ram_min && vram == b.vram_min && many == b.multi_gpu &&
         vendor == b.gpu_vendor && alike(capability, b.compute_capability_min) &&
         alike(driver, b.driver_min) && alike(cuda, b.cuda_min) && alike(glibc, b.glibc_min) &&
         cpu == b.cpu_features && arch == b.architectures && os == b.os && tools == b.tools;
}

// Of a source only its needs and its mode count here, and the mode is the same for all.
bool judged_alike(const catalog::Variant& a, const catalog::Variant& b) {
  return a.name == b.name && alike(a.needs, b.needs) &&
         std::equal(a.sources.begin(),
                    a.sources.end(),
                    b.sources.begin(),
                    b.sources.end(),
                    [](const catalog::Source& x, const catalog::Source& y) {
                      return alike(x.needs, y.needs);
                    });
}

// Newest release first; of one release the highest priority, and what is equal keeps the manifest's
// order.
bool is_before(const Build& a, const Build& b) {
  if (const auto order = a.version <=> b.version; order != 0)
    return order > 0;
  return a.variant->priority > b.variant->priority;
}

// Builds of one release, as a rule so few that each is quicker put in its place than sorted.
void put_in_order(std::vector<Build>& builds, std::size_t first, std::size_t last) {
  constexpr std::size_t kFew = 8;
  if (last - first > kFew) {
    const auto begin = builds.begin();
    std::stable_sort(begin + static_cast<std::ptrdiff_t>(first),
                     begin + static_cast<std::ptrdiff_t>(last),
                     is_before);
    return;
  }
  for (std::size_t i = first + 1; i < last; ++i) {
    for (std::size_t j = i;
         j > first && builds[j].variant->priority > builds[j - 1].variant->priority;
         --j)
      std::swap(builds[j], builds[j - 1]);
  }
}

bool has_falling_versions(const std::vector<catalog::Release>& releases) {
  return std::adjacent_find(releases.begin(), releases.end(), [](const auto& a, const auto& b) {
           return a.version <= b.version;
         }) == releases.end();
}

// So few answers differ that looking along them is quicker than any order of them.
constexpr std::size_t kMostKept = 64;

}  // namespace

const std::vector<std::string>& Assessor::unmet(const catalog::HardwareNeeds& needs) {
  const auto found = std::find_if(
      unmet_.begin(), unmet_.end(), [&](const Unmet& known) { return alike(*known.needs, needs); });
  if (found != unmet_.end())
    return found->clauses;
  if (unmet_.size() == kMostKept)
    unmet_.clear();
  return unmet_.emplace_back(Unmet{&needs, unmet_needs(needs, world_.profile)}).clauses;
}

const std::string& Assessor::denial(std::string_view capability) {
  static const std::string kAllowed;
  const auto decided = world_.verdict.decisions.find(std::string(capability));
  if (decided == world_.verdict.decisions.end() || decided->second.allowed)
    return kAllowed;  // what no rule names is not forbidden
  const auto found = denials_.find(decided->first);
  if (found != denials_.end())
    return found->second;
  return denials_.emplace(decided->first, denial_text(decided->second, decided->first))
      .first->second;
}

void Assessor::check_policy(std::string_view capability,
                            bool whole_module,
                            std::vector<Rejection>& rejections) {
  if (const std::string& text = denial(capability); !text.empty())
    rejections.push_back({Rejection::Kind::Policy, whole_module, text, std::string(capability)});
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
    if (source.mode() != mode)
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

/// What runs containers has to be here: las brings modules, not engines.
void Assessor::check_engine(std::vector<Rejection>& rejections) {
  const hardware::Tools& tools = world_.profile.tools;
  if (tools.podman.is_known() || tools.docker.is_known() || !rejections.empty())
    return;
  rejections.push_back({Rejection::Kind::Hardware,
                        false,
                        _("needs podman or docker; neither was found"),
                        {},
                        has_apt(world_.profile) ? "sudo apt install podman" : ""});
}

std::vector<Rejection> Assessor::judge_anew(const catalog::Variant& variant, catalog::Mode mode) {
  std::vector<Rejection> rejections;
  // The machine first: a policy about a kind of build often only repeats what it lacks.
  check_needs(variant.needs, false, rejections);
  check_sources(variant, mode, rejections);
  if (mode == catalog::Mode::Container)
    check_engine(rejections);
  check_policy(variant.name, false, rejections);
  check_policy(catalog::to_string(mode), false, rejections);
  return rejections;
}

Assessor::Rejections Assessor::judge(const catalog::Variant& variant,
                                     catalog::Mode mode,
                                     const std::vector<Rejection>& of_module) {
  auto known = std::find_if(judged_.begin(), judged_.end(), [&](const Judged& other) {
    return other.mode == mode && judged_alike(*other.variant, variant);
  });
  if (known == judged_.end()) {
    if (judged_.size() == kMostKept)
      judged_.clear();
    std::vector<Rejection> rejections = judge_anew(variant, mode);
    judged_.push_back({&variant,
                       mode,
                       rejections.empty() ? nullptr
                                          : std::make_shared<const std::vector<Rejection>>(
                                                std::move(rejections))});
    known = judged_.end() - 1;
  }
  if (of_module.empty())
    return known->rejections;
  std::vector<Rejection> all = of_module;
  if (known->rejections != nullptr)
    all.insert(all.end(), known->rejections->begin(), known->rejections->end());
  return std::make_shared<const std::vector<Rejection>>(std::move(all));
}

std::vector<Build> Assessor::builds(const catalog::Manifest& manifest) {
  std::vector<Rejection> of_module;
  check_policy(manifest.name, true, of_module);
  check_needs(manifest.needs, true, of_module);
  const std::vector<catalog::Mode> modes =
      modes_of(manifest, world_.preferred_mode.value_or(manifest.preferred_mode));
  std::size_t count = 0;
  for (const catalog::Release& release : manifest.releases)
    count += release.variants.size() * modes.size();
  std::vector<Build> builds;
  builds.reserve(count);
  for (const catalog::Release& release : manifest.releases) {
    for (const catalog::Variant& variant : release.variants) {
      for (const catalog::Mode mode : modes) {
        builds.push_back({&release,
                          &variant,
                          release.version,
                          variant.name,
                          mode,
                          false,
                          judge(variant, mode, of_module)});
      }
    }
  }
  // Within one variant the preferred mode comes first. A manifest has its newest release first, so
  // that as a rule only the few builds of a release are to be put in order.
  if (!has_falling_versions(manifest.releases)) {
    std::stable_sort(builds.begin(), builds.end(), is_before);
    return builds;
  }
  for (std::size_t first = 0, last = 0; first < builds.size(); first = last) {
    while (last < builds.size() && builds[last].release == builds[first].release)
      ++last;
    put_in_order(builds, first, last);
  }
  return builds;
}

}  // namespace las::resolve
