// SPDX-License-Identifier: Apache-2.0
#include "profile_fields.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/hardware/main_gpus.hpp"
#include "las/hardware/profile.hpp"

#include <algorithm>
#include <set>

namespace las::hardware {

namespace {

using Kind = NamedFact::Kind;

std::string canonical(const std::string& value) {
  return value;
}

std::string canonical(int value) {
  return std::to_string(value);
}

std::string canonical(bool value) {
  return value ? "true" : "false";
}

std::string canonical(ByteSize value) {
  return std::to_string(value.bytes());
}

std::string canonical(const Version& value) {
  return value.text();
}

std::string canonical(const std::vector<std::string>& value) {
  return text::join(value, " ");
}

constexpr Kind kind_of(const std::string*) {
  return Kind::Text;
}

constexpr Kind kind_of(const int*) {
  return Kind::Number;
}

constexpr Kind kind_of(const bool*) {
  return Kind::Boolean;
}

constexpr Kind kind_of(const ByteSize*) {
  return Kind::Size;
}

constexpr Kind kind_of(const Version*) {
  return Kind::Version;
}

constexpr Kind kind_of(const std::vector<std::string>*) {
  return Kind::List;
}

class Collector {
 public:
  explicit Collector(std::vector<NamedFact>& out) : out_(out) {}

  template <typename T>
  void add(std::string name, const Fact<T>& fact) {
    const Kind kind = kind_of(static_cast<const T*>(nullptr));
    out_.push_back({std::move(name),
                    kind,
                    fact.is_known() ? Fact<std::string>::known(canonical(*fact.value), fact.origin)
                                    : Fact<std::string>::missing(fact.unknown)});
  }

 private:
  std::vector<NamedFact>& out_;
};

// Some people compare these with min and max.
void promote_versions(std::vector<NamedFact>& facts) {
  for (NamedFact& fact : facts) {
    if (fact.name == "os.version" || fact.name == "os.kernel")
      fact.kind = Kind::Version;
  }
}

// One text per main GPU, without repeats, in order; unknown if one of them is.
template <typename Read>
Fact<std::vector<std::string>> list_of(const MainGpus& main,
                                       const std::string& origin,
                                       Read&& read) {
  std::vector<std::string> values;
  for (const Gpu* gpu : main.gpus) {
    const Fact<std::string>& fact = read(*gpu);
    if (!fact.is_known())
      return Fact<std::vector<std::string>>::missing(fact.unknown);
    if (std::find(values.begin(), values.end(), *fact.value) == values.end())
      values.push_back(*fact.value);
  }
  return Fact<std::vector<std::string>>::known(std::move(values), origin);
}

Fact<Version> smallest_capability(const MainGpus& main) {
  if (main.vendor != GpuVendor::Nvidia)
    return Fact<Version>::missing(_("this machine has no NVIDIA GPU to compute on"));
  Fact<Version> smallest = main.gpus.front()->compute_capability;
  for (const Gpu* gpu : main.gpus) {
    if (!gpu->compute_capability.is_known())
      return gpu->compute_capability;
    if (*gpu->compute_capability.value < *smallest.value)
      smallest = gpu->compute_capability;
  }
  return smallest;
}

// The state of the driver that is worst off: one GPU that cannot be computed with is enough for an
// engine that takes all of them to fail.
Fact<std::string> driver_state(const MainGpus& main) {
  if (main.gpus.empty())
    return Fact<std::string>::missing(_("this machine has no GPU to compute on"));
  for (const Gpu* gpu : main.gpus) {
    if (gpu->driver_state.value != "working")
      return gpu->driver_state;
  }
  return main.gpus.front()->driver_state;
}

Fact<Version> smallest_driver_version(const MainGpus& main) {
  if (main.gpus.empty())
    return Fact<Version>::missing(_("this machine has no GPU to compute on"));
  Fact<Version> smallest = main.gpus.front()->driver_version;
  for (const Gpu* gpu : main.gpus) {
    if (!gpu->driver_version.is_known())
      return gpu->driver_version;
    if (*gpu->driver_version.value < *smallest.value)
      smallest = gpu->driver_version;
  }
  return smallest;
}

// The largest over the GPUs, as gpu.vram is.
template <typename Read>
Fact<ByteSize> largest(const MainGpus& main, Read&& read) {
  Fact<ByteSize> most = Fact<ByteSize>::missing(_("this machine has no GPU to compute on"));
  for (const Gpu* gpu : main.gpus) {
    const Fact<ByteSize>& fact = read(*gpu);
    if (!fact.is_known())
      return fact;
    if (!most.is_known() || *most.value < *fact.value)
      most = fact;
  }
  return most;
}

Fact<bool> any_mig(const MainGpus& main, const std::string& origin) {
  Fact<bool> result = Fact<bool>::known(false, origin);
  for (const Gpu* gpu : main.gpus) {
    if (gpu->mig.value == true)
      return gpu->mig;
    if (!gpu->mig.is_known())
      result = gpu->mig;
  }
  return result;
}

void add_accelerators(const Fact<std::vector<Accelerator>>& accelerators, Collector& collector) {
  using List = Fact<std::vector<std::string>>;
  if (!accelerators.is_known()) {
    collector.add("accelerator.count", Fact<int>::missing(accelerators.unknown));
    collector.add("accelerator.vendors", List::missing(accelerators.unknown));
    return;
  }
  std::set<std::string> vendors;
  for (const Accelerator& accelerator : *accelerators.value)
    vendors.insert(accelerator.vendor);
  collector.add(
      "accelerator.count",
      Fact<int>::known(static_cast<int>(accelerators.value->size()), accelerators.origin));
  collector.add("accelerator.vendors",
                List::known({vendors.begin(), vendors.end()}, accelerators.origin));
}

// Memory that an integrated GPU and the CPU share: what is left to the system plus what the
// firmware set aside for the GPU. Zero where GPUs have their own.
Fact<ByteSize> unified_memory(const MainGpus& main, const Memory& memory) {
  if (!main.integrated)
    return Fact<ByteSize>::known(ByteSize(), "/sys/bus/pci/devices");
  if (!memory.effective.is_known())
    return memory.effective;
  ByteSize sum = *memory.effective.value;
  for (const Gpu* gpu : main.gpus)
    sum += gpu->vram.value.value_or(ByteSize());
  return Fact<ByteSize>::known(sum, memory.effective.origin);
}

void add_gpus(const HardwareProfile& profile, Collector& collector) {
  const auto known = profile.gpus.value.value_or(std::vector<Gpu>{});
  const MainGpus main = main_gpus(known);
  const std::string& origin = profile.gpus.origin;
  const auto add = [&](const char* name, auto fact) {
    if (!profile.gpus.is_known())
      fact = decltype(fact)::missing(profile.gpus.unknown);
    collector.add(name, fact);
  };
  add("gpu.count", Fact<int>::known(static_cast<int>(main.gpus.size()), origin));
  add("gpu.vendor",
      Fact<std::string>::known(main.gpus.empty() ? "none" : std::string(to_string(main.vendor)),
                               origin));
  std::set<std::string> vendors;
  for (const Gpu& gpu : known)
    vendors.emplace(to_string(gpu.vendor));
  add("gpu.vendors",
      Fact<std::vector<std::string>>::known({vendors.begin(), vendors.end()}, origin));
  auto names = list_of(
      main, origin, [](const Gpu& gpu) -> const auto& { return gpu.name; });
  add("gpu.name",
      names.is_known() ? Fact<std::string>::known(text::join(*names.value, ", "), origin)
                       : Fact<std::string>::missing(names.unknown));
  add("gpu.pci_id",
      list_of(
          main, origin, [](const Gpu& gpu) -> const auto& { return gpu.pci_id; }));
  add("gpu.driver",
      list_of(
          main, origin, [](const Gpu& gpu) -> const auto& { return gpu.kernel_driver; }));
  add("gpu.driver_state", driver_state(main));
  add("gpu.driver_version", smallest_driver_version(main));
  add("gpu.vram", profile.largest_vram());
  add("gpu.vram_free",
      largest(
          main, [](const Gpu& gpu) -> const auto& { return gpu.vram_free; }));
  add("gpu.gtt",
      largest(
          main, [](const Gpu& gpu) -> const auto& { return gpu.gtt; }));
  add("gpu.mig", any_mig(main, origin));
  add("gpu.linked", count_linked(main.gpus, origin));
  add("gpu.vram_total", profile.total_vram());
  add("gpu.compute_capability", smallest_capability(main));
  add("gpu.gfx_target",
      list_of(
          main, origin, [](const Gpu& gpu) -> const auto& { return gpu.gfx_target; }));
  add("gpu.integrated", Fact<bool>::known(main.integrated, origin));
  collector.add("gpu.nvlink", profile.nvlink);
  add("memory.unified", unified_memory(main, profile.memory));
}

}  // namespace

std::vector<NamedFact> named_facts(const HardwareProfile& profile) {
  std::vector<NamedFact> facts;
  Collector collector(facts);
  for_each_section(profile, [&](const char* section, const auto& members) {
    for_each_fact(members, [&](const char* key, const auto& fact) {
      collector.add(std::string(section) + "." + key, fact);
    });
  });
  add_gpus(profile, collector);
  add_accelerators(profile.accelerators, collector);
  for (const Storage& storage : profile.storage) {
    for_each_fact(storage, [&](const char* key, const auto& fact) {
      collector.add("storage." + storage.purpose + "." + key, fact);
    });
  }
  promote_versions(facts);
  return facts;
}

}  // namespace las::hardware
