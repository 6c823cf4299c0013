// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/profile.hpp"

#include "main_gpus.hpp"

#include <algorithm>

namespace las::hardware {

namespace {

// Folds the VRAM of the main GPUs; a machine without discrete GPUs has none.
template <typename Fold>
Fact<ByteSize> fold_vram(const Fact<std::vector<Gpu>>& gpus, Fold&& fold) {
  if (!gpus.is_known())
    return Fact<ByteSize>::missing(gpus.unknown);
  const MainGpus main = main_gpus(*gpus.value);
  Fact<ByteSize> result = Fact<ByteSize>::known(ByteSize(), gpus.origin);
  if (main.integrated)
    return result;
  for (const Gpu* gpu : main.gpus) {
    if (!gpu->vram.is_known())
      return Fact<ByteSize>::missing(gpu->vram.unknown);
    result = Fact<ByteSize>::known(fold(*result.value, *gpu->vram.value), gpu->vram.origin);
  }
  return result;
}

}  // namespace

std::string_view to_string(GpuVendor vendor) {
  switch (vendor) {
    case GpuVendor::Nvidia:
      return "nvidia";
    case GpuVendor::Amd:
      return "amd";
    case GpuVendor::Intel:
      return "intel";
    case GpuVendor::Other:
      break;
  }
  return "other";
}

Fact<ByteSize> HardwareProfile::total_vram() const {
  return fold_vram(gpus, [](ByteSize sum, ByteSize vram) { return sum + vram; });
}

Fact<ByteSize> HardwareProfile::largest_vram() const {
  return fold_vram(gpus, [](ByteSize most, ByteSize vram) { return std::max(most, vram); });
}

}  // namespace las::hardware
