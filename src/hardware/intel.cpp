// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"

namespace las::hardware {

namespace {

// Intel's graphics inside the processor have always been this device; cards sit behind a bridge.
constexpr std::string_view kIntegratedAddress = "0000:00:02.0";

// i915 with local memory publishes its size beside the DRM card; xe and older ones do not.
Fact<ByteSize> read_local_memory(const platform::FileReader& files, const PciDevice& device) {
  for (const std::string& card :
       try_list(files, device.folder / "drm").value_or(std::vector<std::string>{})) {
    const auto path = device.folder / "drm" / card / "lmem_total_bytes";
    const auto text = files.try_read(path);
    if (const auto bytes = text ? parse_unsigned(*text) : std::nullopt)
      return Fact<ByteSize>::known(ByteSize(*bytes), path.string());
  }
  return Fact<ByteSize>::missing(
      silent_driver_reason(device.driver).value_or(_("the kernel driver does not report it")));
}

}  // namespace

Gpu intel_gpu(const platform::FileReader& files, const PciDevice& device) {
  Gpu gpu = pci_gpu(files, device, GpuVendor::Intel);
  const bool integrated = device.address == kIntegratedAddress;
  gpu.integrated = Fact<bool>::known(integrated, "PCI address");
  gpu.uuid = Fact<std::string>::missing(_("the kernel driver gives none"));
  gpu.compute_capability = Fact<Version>::missing(_("only NVIDIA GPUs have one"));
  gpu.gfx_target = Fact<std::string>::missing(_("only AMD GPUs have one"));
  gpu.vram = integrated ? Fact<ByteSize>::missing(_("the GPU shares the machine's memory"))
                        : read_local_memory(files, device);
  gpu.vram_free = Fact<ByteSize>::missing(
      gpu.vram.is_known() ? _("the kernel driver does not report it") : gpu.vram.unknown);
  return gpu;
}

}  // namespace las::hardware
