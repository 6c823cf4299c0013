// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/profile.hpp"

#include "las/base/i18n.hpp"
#include "las/hardware/main_gpus.hpp"

#include <algorithm>

namespace las::hardware {

namespace {

// The memory that one program may have of a GPU: with MIG, of one instance (NVIDIA MIG User Guide,
// "Device Enumeration": CUDA enumerates a single one).
Fact<ByteSize> vram_of_one(const Gpu& gpu) {
  if (gpu.mig.value != true)
    return gpu.vram;
  if (!gpu.mig_instances.is_known())
    return Fact<ByteSize>::missing(gpu.mig_instances.unknown);
  ByteSize largest;
  for (const MigInstance& instance : *gpu.mig_instances.value)
    largest = std::max(largest, instance.memory);
  return Fact<ByteSize>::known(largest, gpu.mig_instances.origin);
}

// Folds the VRAM of the main GPUs; a machine without discrete GPUs has none.
template <typename Fold>
Fact<ByteSize> fold_vram(const Fact<std::vector<Gpu>>& gpus, Fold&& fold) {
  if (!gpus.is_known())
    return Fact<ByteSize>::missing(gpus.unknown);
  const MainGpus main = main_gpus(*gpus.value);
  Fact<ByteSize> result = Fact<ByteSize>::known(ByteSize(), gpus.origin);
  if (main.integrated)
    return result;
  ByteSize largest_part;
  for (const Gpu* gpu : main.gpus) {
    const Fact<ByteSize> vram = vram_of_one(*gpu);
    if (!vram.is_known())
      return Fact<ByteSize>::missing(vram.unknown);
    if (gpu->mig.value == true)
      largest_part = std::max(largest_part, *vram.value);
    else
      result.value = fold(*result.value, *vram.value);
    result.origin = vram.origin;
  }
  result.value = std::max(*result.value, largest_part);
  return result;
}

// The distributions whose suites las is tested for.
bool is_tested(std::string_view id, const Version& version) {
  if (id == "debian")
    return !(version < Version("12"));
  return id == "ubuntu" && (version == Version("22.04") || version == Version("24.04"));
}

}  // namespace

OsSupport os_support(const OperatingSystem& os) {
  if (!os.id.is_known())
    return {false, _("the distribution is not known")};
  if (*os.id.value == "debian" && !os.version.is_known()) {
    // Testing and unstable carry a codename and no number.
    return {true, _("a Debian newer than its last release")};
  }
  if (os.version.is_known() && is_tested(*os.id.value, Version(*os.version.value)))
    return {true, _("a tested distribution")};
  return {false,
          _("not one of the tested distributions (Debian 12 or newer, Ubuntu 22.04 and 24.04)")};
}

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
