// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"

#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr std::uint32_t kNvidia = 0x10de, kAmd = 0x1002, kIntel = 0x8086;

Gpu other_gpu(const platform::FileReader& files, const PciDevice& device) {
  Gpu gpu = pci_gpu(files, device, GpuVendor::Other);
  const std::string why = _("las does not know this vendor's GPUs");
  gpu.uuid = gpu.gfx_target = Fact<std::string>::missing(why);
  gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(why);
  gpu.compute_capability = Fact<Version>::missing(why);
  gpu.integrated = Fact<bool>::missing(why);
  return gpu;
}

// Embedded boards have NVML GPUs that are no PCI devices.
void add_unlisted(const NvmlReport& report, std::vector<Gpu>& gpus) {
  for (const NvmlGpu& found : report.gpus) {
    const bool listed = std::any_of(gpus.begin(), gpus.end(), [&](const Gpu& gpu) {
      return !found.pci_address.empty() && gpu.pci_address.value == found.pci_address;
    });
    if (!listed)
      gpus.push_back(nvidia_gpu(found));
  }
}

Fact<bool> nvlink_fact(const std::vector<Gpu>& gpus,
                       const std::optional<NvmlReport>& report,
                       bool live) {
  const auto nvidia = std::count_if(
      gpus.begin(), gpus.end(), [](const Gpu& gpu) { return gpu.vendor == GpuVendor::Nvidia; });
  if (nvidia < 2)
    return Fact<bool>::known(false, "/sys/bus/pci/devices");
  if (report)
    return report->nvlink;
  return Fact<bool>::missing(live ? _("the NVIDIA driver is not loaded (no /proc/driver/nvidia)")
                                  : _("NVML is not asked about a captured machine"));
}

}  // namespace

Gpu pci_gpu(const platform::FileReader& files, const PciDevice& device, GpuVendor vendor) {
  Gpu gpu;
  gpu.vendor = vendor;
  gpu.pci_address = Fact<std::string>::known(device.address, "/sys/bus/pci/devices");
  gpu.pci_id = Fact<std::string>::known(device.id(), device.folder.string());
  gpu.kernel_driver =
      text_fact(device.driver, device.folder.string(), _("no kernel driver is bound to it"));
  gpu.name = text_fact(
      read_pci_name(files, device), "pci.ids", _("neither a driver nor pci.ids names it"));
  return gpu;
}

std::optional<std::string> silent_driver_reason(const std::optional<std::string>& driver) {
  if (!driver)
    return _("no kernel driver is bound to it");
  if (*driver == "nouveau")
    return _("the nouveau driver does not report it");
  if (*driver == "vfio-pci")
    return _("it is set aside for a virtual machine (vfio-pci)");
  return std::nullopt;
}

void read_gpus(const platform::FileReader& files, bool live, HardwareProfile& profile) {
  std::optional<NvmlReport> report;
  if (live && files.exists("/proc/driver/nvidia")) {
    try {
      report = ask_nvml(nvml::open());
    } catch (const Error& error) {
      report = NvmlReport{};
      report->failure = fmt::format("NVML: {}", printable(error.what()));
      report->cuda_driver = Fact<Version>::missing(report->failure);
      report->nvlink = Fact<bool>::missing(report->failure);
    }
  }
  read_gpus(files, live, report, profile);
}

void read_gpus(const platform::FileReader& files,
               bool live,
               const std::optional<NvmlReport>& report,
               HardwareProfile& profile) {
  profile.tools.nvidia_driver = read_nvidia_driver(files);
  profile.tools.cuda_driver =
      report ? report->cuda_driver
             : Fact<Version>::missing(live ? _("no NVIDIA driver is loaded")
                                           : _("NVML is not asked about a captured machine"));
  const auto devices = read_pci_gpus(files);
  const bool wsl = profile.os.virtualization.value == "wsl";
  if (wsl || (!devices && (!report || report->gpus.empty()))) {
    const std::string why = wsl ? _("WSL shows GPUs to its own libraries only")
                                : _("/sys/bus/pci/devices could not be read");
    profile.gpus = Fact<std::vector<Gpu>>::missing(why);
    profile.nvlink = Fact<bool>::missing(why);
    return;
  }
  std::vector<Gpu> gpus;
  for (const PciDevice& device : devices.value_or(std::vector<PciDevice>{})) {
    if (device.vendor == kNvidia)
      gpus.push_back(nvidia_gpu(files, device, report ? &*report : nullptr, live));
    else if (device.vendor == kAmd)
      gpus.push_back(amd_gpu(files, device));
    else if (device.vendor == kIntel)
      gpus.push_back(intel_gpu(files, device));
    else
      gpus.push_back(other_gpu(files, device));
  }
  if (report)
    add_unlisted(*report, gpus);
  profile.nvlink = nvlink_fact(gpus, report, live);
  profile.gpus =
      Fact<std::vector<Gpu>>::known(std::move(gpus), devices ? "/sys/bus/pci/devices" : "NVML");
}

}  // namespace las::hardware
