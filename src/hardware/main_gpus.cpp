// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/main_gpus.hpp"

#include <algorithm>
#include <array>

namespace las::hardware {

namespace {

bool can_compute(const Gpu& gpu) {
  return gpu.vendor != GpuVendor::Other && gpu.driver_state.value != "reserved" &&
         gpu.kernel_driver.value != "vfio-pci";  // in profiles that do not record the state
}

// A direct link, or one of each to the switch.
bool joins(const Gpu& from, const Gpu& to) {
  const auto leads_to = [](const Gpu& gpu, const std::optional<std::string>& peer) {
    return peer && std::any_of(gpu.links.value->begin(),
                               gpu.links.value->end(),
                               [&](const GpuLink& link) { return link.peer == *peer; });
  };
  return leads_to(from, to.pci_address.value) || (leads_to(from, "") && leads_to(to, ""));
}

ByteSize known_vram(const MainGpus& group) {
  ByteSize sum;
  for (const Gpu* gpu : group.gpus)
    sum += gpu->vram.value.value_or(ByteSize());
  return sum;
}

}  // namespace

Fact<int> count_linked(const std::vector<const Gpu*>& gpus, const std::string& origin) {
  if (gpus.size() < 2)
    return Fact<int>::known(0, origin);
  for (const Gpu* gpu : gpus) {
    if (!gpu->links.is_known())
      return Fact<int>::missing(gpu->links.unknown);
  }
  const auto is_linked = [&](const Gpu* gpu) {
    return std::any_of(gpus.begin(), gpus.end(), [&](const Gpu* other) {
      return other != gpu && joins(*gpu, *other);
    });
  };
  const auto linked = std::count_if(gpus.begin(), gpus.end(), is_linked);
  return Fact<int>::known(static_cast<int>(linked), gpus.front()->links.origin);
}

MainGpus main_gpus(const std::vector<Gpu>& gpus) {
  constexpr std::array kVendors = {GpuVendor::Nvidia, GpuVendor::Amd, GpuVendor::Intel};
  for (const bool integrated : {false, true}) {
    MainGpus best;
    for (const GpuVendor vendor : kVendors) {
      MainGpus group{vendor, integrated, {}};
      for (const Gpu& gpu : gpus) {
        if (gpu.vendor == vendor && can_compute(gpu) &&
            gpu.integrated.value.value_or(false) == integrated)
          group.gpus.push_back(&gpu);
      }
      if (!group.gpus.empty() && (best.gpus.empty() || known_vram(group) > known_vram(best)))
        best = group;
    }
    if (!best.gpus.empty())
      return best;
  }
  return {};
}

}  // namespace las::hardware
