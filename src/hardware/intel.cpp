// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"

namespace las::hardware {

namespace {

// Intel's graphics inside the processor have always been this device; cards sit behind a bridge,
// but a virtual machine may put one here.
constexpr std::string_view kIntegratedAddress = "0000:00:02.0";

// i915 of Intel's own kernels tells the size of local memory beside the DRM card; the one of Linux
// tells it only to programs that open the device.
Fact<ByteSize> read_i915_memory(const platform::FileReader& files, const PciDevice& device) {
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

// xe tells the memory of each tile (xe_tile_sysfs.c); integrated GPUs have a tile without.
Fact<ByteSize> read_local_memory(const platform::FileReader& files, const PciDevice& device) {
  std::optional<ByteSize> sum;
  for (const std::string& name :
       try_list(files, device.folder).value_or(std::vector<std::string>{})) {
    if (!name.starts_with("tile"))
      continue;
    const auto text = files.try_read(device.folder / name / "physical_vram_size_bytes");
    const auto bytes = text ? parse_unsigned(*text) : std::nullopt;
    if (bytes && *bytes > 0)
      sum = sum.value_or(ByteSize()) + ByteSize(*bytes);
  }
  if (sum)
    return Fact<ByteSize>::known(*sum,
                                 (device.folder / "tile*" / "physical_vram_size_bytes").string());
  return read_i915_memory(files, device);
}

}  // namespace

Gpu intel_gpu(const GpuSources& sources, const PciDevice& device) {
  Gpu gpu = pci_gpu(sources, device, GpuVendor::Intel);
  const std::string silent = _("the kernel driver does not report it");
  gpu.vram = read_local_memory(sources.files, device);
  const bool integrated = device.address == kIntegratedAddress && !gpu.vram.is_known();
  gpu.integrated = Fact<bool>::known(integrated, gpu.vram.is_known() ? "VRAM" : "PCI address");
  if (integrated)
    gpu.vram = Fact<ByteSize>::missing(_("the GPU shares the machine's memory"));
  gpu.vram_free = Fact<ByteSize>::missing(gpu.vram.is_known() ? silent : gpu.vram.unknown);
  gpu.uuid = Fact<std::string>::missing(_("the kernel driver gives none"));
  gpu.power_limit = read_power_limit(sources.files, device, "power1_max");
  gpu.links = integrated ? Fact<std::vector<GpuLink>>::known({}, "PCI address")
                         : Fact<std::vector<GpuLink>>::missing(silent);
  if (!gpu.driver_state.is_known() && (device.driver == "i915" || device.driver == "xe"))
    gpu.driver_state = Fact<std::string>::known("working", device.folder.string());
  return gpu;
}

}  // namespace las::hardware
