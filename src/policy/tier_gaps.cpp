// SPDX-License-Identifier: Apache-2.0
// Tries the tiers of rules on machines on both sides of every threshold that the rules name.
#include "facts.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::policy {

namespace {

using hardware::Fact;
using hardware::Gpu;
using hardware::GpuVendor;
using hardware::HardwareProfile;

/// Every value that the rules compare a fact with.
std::set<std::string> values_of(const std::vector<const Rule*>& rules, std::string_view fact) {
  std::set<std::string> values;
  std::vector<const Condition*> open;
  for (const Rule* rule : rules)
    open.push_back(&rule->conditions);
  while (!open.empty()) {
    const Condition& condition = *open.back();
    open.pop_back();
    if (condition.fact == fact)
      values.insert(condition.values.begin(), condition.values.end());
    for (const Condition& child : condition.children)
      open.push_back(&child);
  }
  return values;
}

using Sizes = std::vector<Fact<ByteSize>>;

constexpr const char* kOrigin = "a machine made up for the check";

// Unknown, nothing, and both sides of every size: a gap, if there is one, lies where a rule begins.
Sizes around(const std::set<std::string>& values) {
  std::set<std::uint64_t> all = {0};
  for (const std::string& text : values) {
    const auto size = ByteSize::parse(text);
    if (!size)
      continue;
    const std::uint64_t floor = marketed_floor(*size).bytes();  // where a minimum begins
    const std::uint64_t exact = size->bytes();                  // where a maximum ends
    all.insert({floor - std::min<std::uint64_t>(floor, 1), floor, exact, exact + 1});
  }
  Sizes sizes = {Fact<ByteSize>::missing(kOrigin)};
  for (const std::uint64_t bytes : all)
    sizes.push_back(Fact<ByteSize>::known(ByteSize(bytes), kOrigin));
  return sizes;
}

std::vector<std::optional<Gpu>> kinds_of_gpu(const std::vector<const Rule*>& rules) {
  std::set<std::string> targets = values_of(rules, "gpu.gfx_target");
  targets.insert("");
  std::vector<std::optional<Gpu>> kinds = {std::nullopt};
  for (const bool integrated : {false, true}) {
    Gpu gpu;
    gpu.integrated = Fact<bool>::known(integrated, kOrigin);
    for (const GpuVendor vendor : {GpuVendor::Nvidia, GpuVendor::Intel}) {
      gpu.vendor = vendor;
      gpu.driver_state = Fact<std::string>::missing(kOrigin);
      kinds.emplace_back(gpu);
      gpu.driver_state = Fact<std::string>::known("broken", kOrigin);
      kinds.emplace_back(gpu);
    }
    gpu.driver_state = Fact<std::string>::known("working", kOrigin);
    gpu.vendor = GpuVendor::Amd;
    for (const std::string& target : targets) {
      gpu.gfx_target = target.empty() ? Fact<std::string>::missing(kOrigin)
                                      : Fact<std::string>::known(target, kOrigin);
      kinds.emplace_back(gpu);
    }
  }
  return kinds;
}

std::string describe(const HardwareProfile& profile) {
  const auto size = [](const Fact<ByteSize>& fact) {
    return fact.is_known() ? fact.value->to_string() : std::string(_("an unknown amount"));
  };
  std::string text = fmt::format(fmt::runtime(_("{} of memory")), size(profile.memory.effective));
  if (profile.gpus.value->empty())
    return text + ", " + _("no GPU");
  const Gpu& gpu = profile.gpus.value->front();
  text += ", " + fmt::format(fmt::runtime(*gpu.integrated.value
                                              ? _("an integrated {} GPU with {} of its own")
                                              : _("an {} GPU with {}")),
                             to_string(gpu.vendor),
                             size(gpu.vram));
  if (gpu.gfx_target.is_known())
    text += " (" + *gpu.gfx_target.value + ")";
  return text;
}

}  // namespace

void check_tiers(const std::vector<Rule>& rules, Diagnostics& diagnostics) {
  std::vector<const Rule*> tiers;
  for (const Rule& rule : rules) {
    if (rule.tier)
      tiers.push_back(&rule);
  }
  std::set<std::string> memories = values_of(tiers, "memory.effective");
  memories.merge(values_of(tiers, "memory.unified"));
  std::set<std::string> vrams = values_of(tiers, "gpu.vram_total");
  vrams.merge(values_of(tiers, "gpu.vram"));
  bool gap = false;
  std::set<std::pair<std::string, std::string>> told;
  for (const std::optional<Gpu>& kind : kinds_of_gpu(tiers)) {
    for (const Fact<ByteSize>& vram : kind ? around(vrams) : Sizes(1)) {
      for (const Fact<ByteSize>& memory : around(memories)) {
        HardwareProfile profile;
        profile.memory.total = profile.memory.effective = memory;
        profile.gpus = Fact<std::vector<Gpu>>::known({}, kOrigin);
        profile.nvlink = Fact<bool>::known(false, kOrigin);
        if (kind) {
          profile.gpus.value->push_back(*kind);
          profile.gpus.value->front().vram = vram;
        }
        const Facts facts(profile);
        std::vector<const Rule*> matching;
        for (const Rule* rule : tiers) {
          if (evaluate(rule->conditions, facts) == Truth::True)
            matching.push_back(rule);
        }
        if (matching.empty() && !gap) {
          gap = true;
          const bool any = !tiers.empty();
          diagnostics.add(
              {Severity::Error,
               any ? tiers.back()->file : "",
               any ? tiers.back()->line : 0,
               0,
               any ? tiers.back()->name : "",
               fmt::format(fmt::runtime(_("a machine lands in no tier: {}")), describe(profile)),
               {}});
        }
        if (matching.size() < 2)
          continue;
        const Rule& one = *matching[0];
        const Rule& two = *matching[1];
        if (told.insert({one.name, two.name}).second)
          diagnostics.add(
              {Severity::Warning,
               two.file,
               two.line,
               0,
               two.name,
               fmt::format(fmt::runtime(_("a machine lands in the tiers of '{}' and '{}', of which "
                                          "the most restrictive counts: {}")),
                           one.name,
                           two.name,
                           describe(profile)),
               {}});
      }
    }
  }
}

}  // namespace las::policy
