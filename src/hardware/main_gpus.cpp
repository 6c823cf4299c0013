// SPDX-License-Identifier: Apache-2.0
#include "main_gpus.hpp"

#include <array>

namespace las::hardware {

namespace {

bool can_compute(const Gpu& gpu) {
  return gpu.vendor != GpuVendor::Other && gpu.kernel_driver.value != "vfio-pci";
}

ByteSize known_vram(const MainGpus& group) {
  ByteSize sum;
  for (const Gpu* gpu : group.gpus)
    sum += gpu->vram.value.value_or(ByteSize());
  return sum;
}

}  // namespace

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
