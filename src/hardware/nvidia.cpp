// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace las::hardware {

namespace {

const NvmlGpu* find_gpu(const NvmlReport* report, const std::string& address) {
  if (report == nullptr)
    return nullptr;
  const auto found = std::find_if(report->gpus.begin(),
                                  report->gpus.end(),
                                  [&](const NvmlGpu& gpu) { return gpu.pci_address == address; });
  return found == report->gpus.end() ? nullptr : &*found;
}

// Why NVML has nothing to say about this device.
std::string silence_reason(const PciDevice& device, const NvmlReport* report, bool live) {
  if (const auto reason = silent_driver_reason(device.driver))
    return *reason;
  if (!live)
    return _("NVML is not asked about a captured machine");
  if (report == nullptr)
    return _("the NVIDIA driver is not loaded (no /proc/driver/nvidia)");
  if (!report->failure.empty())
    return report->failure;
  return _("NVML does not list this GPU");
}

void take(const NvmlGpu& found, Gpu& gpu) {
  if (found.name.is_known())
    gpu.name = found.name;
  if (found.uuid.is_known() || !gpu.uuid.is_known())
    gpu.uuid = found.uuid;
  gpu.vram = found.vram;
  gpu.vram_free = found.vram_free;
  gpu.compute_capability = found.compute_capability;
  if (found.shares_memory)
    gpu.integrated = Fact<bool>::known(true, "NVML");
  else if (found.compute_capability.is_known())
    gpu.integrated = Fact<bool>::known(is_integrated_nvidia(*found.compute_capability.value),
                                       "compute capability");
  else
    gpu.integrated = Fact<bool>::missing(found.compute_capability.unknown);
}

}  // namespace

std::optional<Version> parse_nvrm_version(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (!line.starts_with("NVRM version:"))
    return std::nullopt;
  return first_version(line);
}

Fact<Version> read_nvidia_driver(const platform::FileReader& files) {
  if (const auto text = files.try_read("/sys/module/nvidia/version")) {
    if (const auto version = first_version(*text))
      return Fact<Version>::known(*version, "/sys/module/nvidia/version");
  }
  if (const auto text = files.try_read("/proc/driver/nvidia/version")) {
    if (const auto version = parse_nvrm_version(*text))
      return Fact<Version>::known(*version, "/proc/driver/nvidia/version");
  }
  return Fact<Version>::missing(_("no NVIDIA driver is loaded"));
}

bool is_integrated_nvidia(const Version& compute_capability) {
  // NVIDIA's list of CUDA GPUs: TX1, TX2, Xavier, Orin, Thor (also 10.1 before CUDA 13), GB10.
  static constexpr std::array<std::string_view, 7> kSystemsOnChip = {
      "5.3", "6.2", "7.2", "8.7", "10.1", "11.0", "12.1"};
  return std::find(kSystemsOnChip.begin(), kSystemsOnChip.end(), compute_capability.text()) !=
         kSystemsOnChip.end();
}

Gpu nvidia_gpu(const platform::FileReader& files,
               const PciDevice& device,
               const NvmlReport* report,
               bool live) {
  Gpu gpu = pci_gpu(files, device, GpuVendor::Nvidia);
  gpu.gfx_target = Fact<std::string>::missing(_("only AMD GPUs have one"));
  const std::string information = "/proc/driver/nvidia/gpus/" + device.address + "/information";
  if (const auto text = files.try_read(information)) {
    const auto values = parse_colon_lines(*text);
    if (const auto model = values.find("Model");
        model != values.end() && !printable(model->second).empty())
      gpu.name = Fact<std::string>::known(printable(model->second), information);
    if (const auto uuid = values.find("GPU UUID");
        uuid != values.end() &&
        uuid->second.find('?') == std::string::npos)  // '?' until first used
      gpu.uuid = text_fact(uuid->second, information, _("the driver gives no UUID"));
  }
  if (const NvmlGpu* found = find_gpu(report, device.address)) {
    take(*found, gpu);
    return gpu;
  }
  const std::string why = silence_reason(device, report, live);
  gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(why);
  gpu.compute_capability = Fact<Version>::missing(why);
  gpu.integrated = Fact<bool>::missing(why);
  if (!gpu.uuid.is_known())
    gpu.uuid = Fact<std::string>::missing(why);
  return gpu;
}

Gpu nvidia_gpu(const NvmlGpu& found) {
  Gpu gpu;
  gpu.vendor = GpuVendor::Nvidia;
  gpu.name = found.name;
  gpu.pci_address = found.pci_address.empty() ? Fact<std::string>::missing(_("it is no PCI device"))
                                              : Fact<std::string>::known(found.pci_address, "NVML");
  gpu.pci_id = Fact<std::string>::missing(_("it is not in /sys/bus/pci/devices"));
  gpu.gfx_target = Fact<std::string>::missing(_("only AMD GPUs have one"));
  gpu.kernel_driver = Fact<std::string>::known("nvidia", "NVML");
  take(found, gpu);
  return gpu;
}

}  // namespace las::hardware
