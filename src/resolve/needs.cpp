// SPDX-License-Identifier: Apache-2.0
#include "sentence.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/hardware/marketed_size.hpp"
#include "las/resolve/resolve.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::resolve {

namespace {

using catalog::HardwareNeeds;
using hardware::Fact;
using hardware::Gpu;
using hardware::HardwareProfile;

// Sizes in manifests are the marketed ones, like in policies.
bool holds_nominal(ByteSize actual, ByteSize nominal) {
  return actual >= hardware::marketed_floor(nominal);
}

std::string vendor_name(std::string_view vendor) {
  if (vendor == "nvidia")
    return "NVIDIA";
  if (vendor == "amd")
    return "AMD";
  if (vendor == "intel")
    return "Intel";
  return std::string(vendor);
}

std::string a_gpu(std::string_view vendor) {
  if (vendor.empty() || vendor == "other")
    return _("a GPU");
  return sentence(_("an {} GPU"), vendor_name(vendor));
}

std::string canonical_architecture(std::string_view name) {
  if (name == "amd64" || name == "x86-64")
    return "x86_64";
  if (name == "arm64")
    return "aarch64";
  return std::string(name);
}

// "x" when known; the clause itself ends with why a fact is unknown otherwise.
template <typename T>
std::string unknown_clause(const std::string& needed, const Fact<T>& fact) {
  return sentence(_("needs {}; what this machine has is unknown: {}"), needed, fact.unknown);
}

void check_version(const std::optional<Version>& least,
                   const Fact<Version>& fact,
                   const std::string& what,
                   std::vector<std::string>& clauses) {
  if (!least)
    return;
  const std::string needed = what + " >= " + least->text();
  if (!fact.is_known())
    clauses.push_back(unknown_clause(needed, fact));
  else if (*fact.value < *least)
    clauses.push_back(sentence(_("needs {}; this machine has {}"), needed, fact.value->text()));
}

// One version is spelled without "==".
std::string spell(const VersionRange& range) {
  std::string text = range.to_string();
  if (range.bounds().size() == 1 && text.starts_with("=="))
    text.erase(0, 2);
  return text;
}

std::string named(const std::string& name, const VersionRange& range) {
  return range.any() ? name : name + " " + spell(range);
}

void check_os(const HardwareNeeds& needs,
              const HardwareProfile& profile,
              std::vector<std::string>& clauses) {
  if (needs.os.empty())
    return;
  std::vector<std::string> distributions;
  for (const auto& [id, range] : needs.os)
    distributions.push_back(named(id, range));
  const std::string needed = text::join(distributions, _(" or "));
  const Fact<std::string>&id = profile.os.id, &version = profile.os.version;
  if (!id.is_known()) {
    clauses.push_back(unknown_clause(needed, id));
    return;
  }
  const auto wanted = needs.os.find(*id.value);
  if (wanted != needs.os.end() && wanted->second.any())
    return;
  // A rolling release has a name and no version.
  if (wanted != needs.os.end() && !version.is_known()) {
    clauses.push_back(unknown_clause(needed, version));
    return;
  }
  if (wanted == needs.os.end() || !wanted->second.contains(Version(*version.value)))
    clauses.push_back(sentence(_("needs {}; this machine is {}"),
                               needed,
                               version.is_known() ? *id.value + " " + *version.value : *id.value));
}

void check_tools(const HardwareNeeds& needs,
                 const HardwareProfile& profile,
                 std::vector<std::string>& clauses) {
  if (needs.tools.empty())
    return;
  const std::vector<hardware::NamedFact> facts = hardware::named_facts(profile);
  for (const auto& [tool, range] : needs.tools) {
    const auto fact = std::find_if(
        facts.begin(), facts.end(), [name = "tools." + tool](const hardware::NamedFact& one) {
          return one.name == name;
        });
    const std::string needed = named(tool, range);
    if (fact == facts.end())
      clauses.push_back(sentence(_("needs {}, of which las knows nothing"), needed));
    else if (!fact->text.is_known())
      clauses.push_back(unknown_clause(needed, fact->text));
    else if (!range.contains(Version(*fact->text.value)))
      clauses.push_back(sentence(_("needs {}; this machine has {}"), needed, *fact->text.value));
  }
}

void check_architecture(const HardwareNeeds& needs,
                        const HardwareProfile& profile,
                        std::vector<std::string>& clauses) {
  if (needs.architectures.empty())
    return;
  const std::string needed =
      sentence(_("the architecture {}"), text::join(needs.architectures, _(" or ")));
  const Fact<std::string>& fact = profile.os.architecture;
  if (!fact.is_known()) {
    clauses.push_back(unknown_clause(needed, fact));
    return;
  }
  const std::string present = canonical_architecture(*fact.value);
  if (std::none_of(needs.architectures.begin(), needs.architectures.end(), [&](const auto& name) {
        return canonical_architecture(name) == present;
      }))
    clauses.push_back(sentence(_("needs {}; this machine is {}"), needed, *fact.value));
}

void check_cpu(const HardwareNeeds& needs,
               const HardwareProfile& profile,
               std::vector<std::string>& clauses) {
  if (needs.cores_min) {
    // A quota or an affinity below the number of cores is what a process really gets.
    Fact<int> cores = profile.cpu.cores.is_known() ? profile.cpu.cores : profile.cpu.usable_threads;
    if (cores.is_known() && profile.cpu.usable_threads.is_known())
      cores.value = std::min(*cores.value, *profile.cpu.usable_threads.value);
    const std::string needed = sentence(_("{} CPU cores"), *needs.cores_min);
    if (!cores.is_known())
      clauses.push_back(unknown_clause(needed, cores));
    else if (*cores.value < *needs.cores_min)
      clauses.push_back(sentence(_("needs {}; this machine has {}"), needed, *cores.value));
  }
  if (needs.cpu_features.empty())
    return;
  const std::string needed =
      sentence(_("the CPU features {}"), text::join(needs.cpu_features, ", "));
  const auto& features = profile.cpu.features;
  if (!features.is_known()) {
    clauses.push_back(unknown_clause(needed, features));
    return;
  }
  std::vector<std::string> lacking;
  for (const std::string& feature : needs.cpu_features) {
    if (std::find(features.value->begin(), features.value->end(), feature) == features.value->end())
      lacking.push_back(feature);
  }
  if (!lacking.empty())
    clauses.push_back(
        sentence(_("needs {}; this machine lacks {}"), needed, text::join(lacking, ", ")));
}

void check_memory(const HardwareNeeds& needs,
                  const HardwareProfile& profile,
                  std::vector<std::string>& clauses) {
  if (!needs.ram_min)
    return;
  const std::string needed = sentence(_("{} of memory"), needs.ram_min->to_string());
  const Fact<ByteSize>& memory = profile.memory.effective;
  if (!memory.is_known())
    clauses.push_back(unknown_clause(needed, memory));
  else if (!holds_nominal(*memory.value, *needs.ram_min))
    clauses.push_back(
        sentence(_("needs {}; this machine has {}"), needed, memory.value->to_string()));
}

// Only one vendor's cards have a compute capability and a CUDA version.
std::string wanted_vendor(const HardwareNeeds& needs) {
  if (needs.gpu_vendor)
    return text::lower(*needs.gpu_vendor);
  return needs.compute_capability_min || needs.cuda_min || needs.driver_min ? "nvidia" : "";
}

// "an NVIDIA GPU with compute capability >= 7.5 and 24.0 GiB of memory"
std::string describe_gpu(const HardwareNeeds& needs, const std::string& vendor) {
  std::vector<std::string> details;
  if (needs.compute_capability_min)
    details.push_back(
        sentence(_("compute capability >= {}"), needs.compute_capability_min->text()));
  if (needs.vram_min)
    details.push_back(sentence(_("{} of memory"), needs.vram_min->to_string()));
  const std::string gpu = a_gpu(vendor);
  return details.empty() ? gpu : sentence(_("{} with {}"), gpu, text::join(details, _(" and ")));
}

// The cards that meet the compute capability; the clause is added when there is none.
std::vector<const Gpu*> check_compute_capability(const HardwareNeeds& needs,
                                                 const std::vector<const Gpu*>& gpus,
                                                 const std::string& vendor,
                                                 std::vector<std::string>& clauses) {
  if (!needs.compute_capability_min)
    return gpus;
  std::vector<const Gpu*> able;
  const Gpu* best = nullptr;
  const Gpu* unread = nullptr;
  for (const Gpu* gpu : gpus) {
    const auto& capability = gpu->compute_capability;
    if (!capability.is_known())
      unread = unread == nullptr ? gpu : unread;
    else if (*capability.value >= *needs.compute_capability_min)
      able.push_back(gpu);
    else if (best == nullptr || *capability.value > *best->compute_capability.value)
      best = gpu;
  }
  if (!able.empty())
    return able;
  const std::string needed = sentence(
      _("{} with compute capability >= {}"), a_gpu(vendor), needs.compute_capability_min->text());
  clauses.push_back(unread != nullptr ? unknown_clause(needed, unread->compute_capability)
                                      : sentence(_("needs {}; this machine has {}"),
                                                 needed,
                                                 best->compute_capability.value->text()));
  return gpus;  // the memory is still worth a word
}

void check_vram(const HardwareNeeds& needs,
                const std::vector<const Gpu*>& gpus,
                std::vector<std::string>& clauses) {
  if (!needs.vram_min)
    return;
  // Without multi_gpu a single card has to hold it.
  const bool sum_counts = needs.multi_gpu.value_or(false);
  ByteSize present;
  const Gpu* unread = nullptr;
  for (const Gpu* gpu : gpus) {
    if (!gpu->vram.is_known())
      unread = unread == nullptr ? gpu : unread;
    else
      present = sum_counts ? present + *gpu->vram.value : std::max(present, *gpu->vram.value);
  }
  if (holds_nominal(present, *needs.vram_min))
    return;
  const std::string needed = sentence(_("{} of GPU memory"), needs.vram_min->to_string());
  clauses.push_back(
      unread != nullptr
          ? unknown_clause(needed, unread->vram)
          : sentence(_("needs {}; this machine has {}"), needed, present.to_string()));
}

void check_gpu(const HardwareNeeds& needs,
               const HardwareProfile& profile,
               std::vector<std::string>& clauses) {
  const bool several = needs.multi_gpu.value_or(false);
  const std::string vendor = wanted_vendor(needs);
  if (vendor.empty() && !needs.vram_min && !several)
    return;
  const std::string needed = describe_gpu(needs, vendor);
  if (!profile.gpus.is_known()) {
    clauses.push_back(unknown_clause(needed, profile.gpus));
    return;
  }
  std::vector<const Gpu*> gpus;
  for (const Gpu& gpu : *profile.gpus.value) {
    if (vendor.empty() || hardware::to_string(gpu.vendor) == vendor)
      gpus.push_back(&gpu);
  }
  if (gpus.empty()) {
    // What follows from having no such card (no driver, no CUDA) needs no clauses of its own.
    clauses.push_back(
        profile.gpus.value->empty()
            ? sentence(_("needs {}; this machine has none"), needed)
            : sentence(_("needs {}; this machine has only {}"),
                       needed,
                       a_gpu(hardware::to_string(profile.gpus.value->front().vendor))));
    return;
  }
  if (several && gpus.size() < 2)
    clauses.push_back(_("needs at least 2 GPUs; this machine has 1"));
  check_vram(needs, check_compute_capability(needs, gpus, vendor, clauses), clauses);
  const auto driver = vendor == "nvidia"
                          ? profile.tools.nvidia_driver
                          : Fact<Version>::missing(_("las reads no driver version of this vendor"));
  check_version(needs.driver_min, driver, sentence(_("{} driver"), vendor_name(vendor)), clauses);
  check_version(needs.cuda_min, profile.tools.cuda_driver, _("a driver for CUDA"), clauses);
}

}  // namespace

std::vector<std::string> unmet_needs(const HardwareNeeds& needs, const HardwareProfile& profile) {
  std::vector<std::string> clauses;
  check_os(needs, profile, clauses);
  check_architecture(needs, profile, clauses);
  check_version(needs.glibc_min, profile.os.glibc, "glibc", clauses);
  check_cpu(needs, profile, clauses);
  check_memory(needs, profile, clauses);
  check_gpu(needs, profile, clauses);
  check_tools(needs, profile, clauses);
  return clauses;
}

}  // namespace las::resolve
