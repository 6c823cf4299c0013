// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"

#include "accelerators.hpp"
#include "kernel.hpp"
#include "library_version.hpp"
#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/hardware/main_gpus.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr const char* kPciDevices = "/sys/bus/pci/devices";
constexpr std::uint32_t kNvidia = 0x10de, kAmd = 0x1002, kIntel = 0x8086;

Gpu other_gpu(const GpuSources& sources, const PciDevice& device) {
  Gpu gpu = pci_gpu(sources, device, GpuVendor::Other);
  if (!gpu.name.is_known()) {
    if (const auto name = accelerator_name(device.id()))
      gpu.name = Fact<std::string>::known(*name, "PCI id");
  }
  const std::string why = _("las does not know this vendor's GPUs");
  gpu.uuid = Fact<std::string>::missing(why);
  gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(why);
  gpu.integrated = Fact<bool>::missing(why);
  gpu.power_limit = Fact<int>::missing(why);
  gpu.links = Fact<std::vector<GpuLink>>::missing(why);
  return gpu;
}

std::vector<Gpu> read_pci_gpus(const GpuSources& sources, const std::vector<PciDevice>& devices) {
  std::optional<std::vector<KfdNode>> topology;
  if (std::any_of(devices.begin(), devices.end(), [](const PciDevice& device) {
        return device.vendor == kAmd;
      }))
    topology = read_kfd_gpus(sources.files);
  std::vector<Gpu> gpus;
  for (const PciDevice& device : devices) {
    if (!is_gpu_class(device.device_class, device.vendor))
      continue;
    if (device.vendor == kNvidia) {
      gpus.push_back(nvidia_gpu(sources, device));
    } else if (device.vendor == kAmd) {
      for (Gpu& gpu : amd_gpus(sources, topology, device))
        gpus.push_back(std::move(gpu));
    } else {
      gpus.push_back(device.vendor == kIntel ? intel_gpu(sources, device)
                                             : other_gpu(sources, device));
    }
  }
  return gpus;
}

Fact<bool> nvlink_fact(const std::vector<Gpu>& gpus, const std::string& origin) {
  std::vector<const Gpu*> nvidia;
  for (const Gpu& gpu : gpus) {
    if (gpu.vendor == GpuVendor::Nvidia && gpu.driver_state.value != "reserved")
      nvidia.push_back(&gpu);
  }
  const Fact<int> linked = count_linked(nvidia, origin);
  return linked.is_known() ? Fact<bool>::known(*linked.value >= 2, linked.origin)
                           : Fact<bool>::missing(linked.unknown);
}

// Drivers of the kernel's own have no version but the kernel's.
Fact<Version> read_driver_version(const platform::FileReader& files, const PciDevice& device) {
  if (const auto reason = silent_driver_reason(device.driver); reason && device.driver != "nouveau")
    return Fact<Version>::missing(*reason);
  const std::string module = "/sys/module/" + *device.driver + "/version";
  if (const auto text = files.try_read(module)) {
    if (const auto version = first_version(*text))
      return Fact<Version>::known(*version, module);
  }
  const Fact<std::string> kernel = read_kernel(files);
  const auto version = first_version(kernel.value.value_or(""));
  return version ? Fact<Version>::known(*version, kernel.origin)
                 : Fact<Version>::missing(_("the kernel driver does not report it"));
}

Fact<std::string> state_by_name(const PciDevice& device) {
  const auto known = [&](const char* state) {
    return Fact<std::string>::known(state, device.folder.string());
  };
  if (!device.driver)
    return known("none");
  if (*device.driver == "nouveau")
    return known("nouveau");
  if (*device.driver == "vfio-pci")
    return known("reserved");
  return Fact<std::string>::missing(_("las does not know what this driver can do"));
}

// WSL shows no GPU as a PCI device, only to the libraries that Windows brings.
bool hides_gpus(const platform::FileReader& files, const HardwareProfile& profile) {
  return profile.os.virtualization.value == "wsl" || files.exists("/dev/dxg");
}

Fact<std::vector<Gpu>> list_gpus(const GpuSources& sources,
                                 const std::optional<std::vector<PciDevice>>& devices,
                                 bool hidden) {
  std::vector<Gpu> gpus;
  if (devices && !hidden)
    gpus = read_pci_gpus(sources, *devices);
  for (Gpu& gpu : unlisted_nvidia_gpus(sources, gpus))
    gpus.push_back(std::move(gpu));
  if (devices && !hidden)
    return Fact<std::vector<Gpu>>::known(std::move(gpus), kPciDevices);
  if (!gpus.empty())
    return Fact<std::vector<Gpu>>::known(std::move(gpus), "NVML");
  if (sources.nvml != nullptr && !sources.nvml->failure.empty())
    return Fact<std::vector<Gpu>>::missing(sources.nvml->failure);
  return Fact<std::vector<Gpu>>::missing(hidden ? _("WSL shows GPUs to its own libraries only")
                                                : _("/sys/bus/pci/devices could not be read"));
}

}  // namespace

void lack_what_others_have(Gpu& gpu, const std::string& origin) {
  if (gpu.vendor != GpuVendor::Amd) {
    gpu.gfx_target = Fact<std::string>::missing(_("only AMD GPUs have one"));
    gpu.gtt = Fact<ByteSize>::missing(_("only AMD GPUs report it"));
  }
  if (gpu.vendor != GpuVendor::Nvidia) {
    gpu.compute_capability = Fact<Version>::missing(_("only NVIDIA GPUs have one"));
    gpu.mig = Fact<bool>::known(false, origin);
    gpu.mig_instances = Fact<std::vector<MigInstance>>::known({}, origin);
  }
}

Gpu pci_gpu(const GpuSources& sources, const PciDevice& device, GpuVendor vendor) {
  const std::string folder = device.folder.string();
  Gpu gpu;
  gpu.vendor = vendor;
  gpu.pci_address = Fact<std::string>::known(device.address, kPciDevices);
  gpu.pci_id = Fact<std::string>::known(device.id(), folder);
  gpu.kernel_driver = text_fact(device.driver, folder, _("no kernel driver is bound to it"));
  gpu.driver_version = read_driver_version(sources.files, device);
  gpu.driver_state = state_by_name(device);
  gpu.name =
      text_fact(sources.names.find(device), "pci.ids", _("neither a driver nor pci.ids names it"));
  lack_what_others_have(gpu, folder);
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

Fact<int> read_power_limit(const platform::FileReader& files,
                           const PciDevice& device,
                           const char* attribute) {
  constexpr std::uint64_t kMicrowatts = 1000000;
  constexpr std::uint64_t kMostWatts = 100000;
  const std::filesystem::path folder = device.folder / "hwmon";
  for (const std::string& name : try_list(files, folder).value_or(std::vector<std::string>{})) {
    const auto path = folder / name / attribute;
    const auto text = files.try_read(path);
    const auto limit = text ? parse_unsigned(*text) : std::nullopt;
    if (limit && *limit >= kMicrowatts && *limit <= kMostWatts * kMicrowatts)
      return Fact<int>::known(static_cast<int>(*limit / kMicrowatts), path.string());
  }
  return Fact<int>::missing(
      silent_driver_reason(device.driver).value_or(_("the kernel driver does not report it")));
}

void read_gpus(const platform::FileReader& files,
               const PciNames& names,
               const std::optional<std::vector<PciDevice>>& devices,
               bool live,
               HardwareProfile& profile) {
  std::optional<NvmlReport> report;
  if (live && should_ask_nvml(files)) {
    try {
      // Without its daemon the driver wakes each GPU anew, which takes a second or more apiece.
      constexpr std::chrono::seconds kPatience{10};
      report = ask_within(kPatience, [] { return ask_nvml(nvml::open()); });
    } catch (const Error& error) {
      report = failed_nvml(fmt::format("NVML: {}", printable(error.what())));
    }
    if (report->mismatch) {
      report = failed_nvml(nvidia_mismatch_reason(files));
      report->mismatch = true;
    }
  }
  read_gpus(files, names, devices, live, report, profile);
}

void read_gpus(const platform::FileReader& files,
               const PciNames& names,
               const std::optional<std::vector<PciDevice>>& devices,
               bool live,
               const std::optional<NvmlReport>& report,
               HardwareProfile& profile) {
  const GpuSources sources{files,
                           names,
                           live,
                           report ? &*report : nullptr,
                           profile.os.virtualization.value.value_or("").starts_with("container:")};
  profile.tools.nvidia_driver = read_nvidia_driver(files);
  if (!profile.tools.nvidia_driver.is_known() && report && report->driver_version.is_known())
    profile.tools.nvidia_driver = report->driver_version;
  profile.tools.cuda_driver =
      report ? report->cuda_driver
             : Fact<Version>::missing(live ? _("no NVIDIA driver is loaded")
                                           : _("NVML is not asked about a captured machine"));
  profile.tools.level_zero = read_library_version(files, "libze_loader.so.1");
  profile.gpus = list_gpus(sources, devices, hides_gpus(files, profile));
  profile.nvlink = profile.gpus.is_known() ? nvlink_fact(*profile.gpus.value, profile.gpus.origin)
                                           : Fact<bool>::missing(profile.gpus.unknown);
}

}  // namespace las::hardware
