// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"
#include "gpus.hpp"
#include "library_version.hpp"
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

std::string shared_memory() {
  return _("the GPU shares the machine's memory");
}

std::string information_of(const PciDevice& device) {
  return "/proc/driver/nvidia/gpus/" + device.address + "/information";
}

// How it stands with a driver that NVML did not speak for: its state, and why the facts of the GPU
// are unknown.
struct Silence {
  Fact<std::string> state;
  std::string why;
};

// Containers see all GPUs in /sys but the files of theirs only, and NVML counts those alone.
bool is_withheld(const GpuSources& sources, const PciDevice& device) {
  const auto text = sources.files.try_read(information_of(device));
  if (sources.container || !text)
    return true;
  const auto values = parse_colon_lines(*text);
  const auto number = values.find("Device Minor");
  const auto minor = number != values.end() ? parse_unsigned(number->second) : std::nullopt;
  return minor && !sources.files.exists(fmt::format("/dev/nvidia{}", *minor));
}

Silence silence_of(const GpuSources& sources, const PciDevice& device, const Gpu& gpu) {
  const auto state = [&](const char* name, std::string origin) {
    return Fact<std::string>::known(name, std::move(origin));
  };
  if (gpu.driver_state.is_known())
    return {gpu.driver_state, *silent_driver_reason(device.driver)};
  if (device.driver != "nvidia")
    return {gpu.driver_state, gpu.driver_state.unknown};
  if (!sources.live) {
    if (nvidia_versions_differ(sources.files) == true)
      return {state("mismatch", "/proc/driver/nvidia/version"),
              nvidia_mismatch_reason(sources.files)};
    const std::string why = _("NVML is not asked about a captured machine");
    return {Fact<std::string>::missing(why), why};
  }
  if (sources.nvml == nullptr)
    return {state("broken", device.folder.string()),
            _("the NVIDIA driver is not loaded (no /proc/driver/nvidia)")};
  if (sources.nvml->mismatch)
    return {state("mismatch", "NVML"), sources.nvml->failure};
  if (!sources.nvml->failure.empty())
    return {state("broken", "NVML"), sources.nvml->failure};
  if (!sources.nvml->silent_gpu.empty())
    return {state("broken", "NVML"), sources.nvml->silent_gpu};
  if (is_withheld(sources, device))
    return {state("reserved", "NVML"), _("it is not given to this container")};
  return {state("broken", "NVML"), _("NVML does not list this GPU")};
}

void take(const NvmlReport& report, const NvmlGpu& found, Gpu& gpu) {
  if (found.name.is_known() || !gpu.name.is_known())
    gpu.name = found.name;
  if (found.uuid.is_known() || !gpu.uuid.is_known())
    gpu.uuid = found.uuid;
  gpu.vram = found.vram;
  gpu.vram_free = found.vram_free;
  gpu.compute_capability = found.compute_capability;
  gpu.power_limit = found.power_limit;
  gpu.mig = found.mig;
  gpu.mig_instances = found.mig_instances;
  gpu.links = found.links;
  gpu.driver_version = report.driver_version;
  gpu.driver_state = Fact<std::string>::known("working", "NVML");
  if (found.shares_memory)
    gpu.integrated = Fact<bool>::known(true, "NVML");
  else if (found.compute_capability.is_known())
    gpu.integrated = Fact<bool>::known(is_integrated_nvidia(*found.compute_capability.value),
                                       "compute capability");
  else
    gpu.integrated = Fact<bool>::missing(found.compute_capability.unknown);
  // Some drivers give the machine's memory for VRAM there.
  if (gpu.integrated.value == true)
    gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(shared_memory());
}

void lack(const std::string& why, Gpu& gpu) {
  gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(why);
  gpu.compute_capability = Fact<Version>::missing(why);
  gpu.integrated = Fact<bool>::missing(why);
  gpu.power_limit = Fact<int>::missing(why);
  gpu.mig = Fact<bool>::missing(why);
  gpu.mig_instances = Fact<std::vector<MigInstance>>::missing(why);
  gpu.links = Fact<std::vector<GpuLink>>::missing(why);
  if (!gpu.uuid.is_known())
    gpu.uuid = Fact<std::string>::missing(why);
}

void share_memory(const std::string& origin, Gpu& gpu) {
  gpu.integrated = Fact<bool>::known(true, origin);
  gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(shared_memory());
}

// A GPU that is not in /sys/bus/pci/devices.
Gpu unlisted_gpu(const platform::FileReader& files) {
  Gpu gpu;
  gpu.vendor = GpuVendor::Nvidia;
  lack_what_others_have(gpu, {});
  gpu.pci_address = Fact<std::string>::missing(_("it is no PCI device"));
  gpu.pci_id = Fact<std::string>::missing(_("it is not in /sys/bus/pci/devices"));
  gpu.name = Fact<std::string>::missing(_("no driver names it"));
  for (const auto& [path, driver] : {std::pair{"/dev/dxg", "dxgkrnl"},
                                     std::pair{"/sys/module/nvgpu", "nvgpu"},
                                     std::pair{"/proc/driver/nvidia", "nvidia"}}) {
    if (!gpu.kernel_driver.is_known() && files.exists(path))
      gpu.kernel_driver = Fact<std::string>::known(driver, path);
  }
  if (!gpu.kernel_driver.is_known())
    gpu.kernel_driver = Fact<std::string>::missing(_("no kernel driver is bound to it"));
  return gpu;
}

Gpu tegra_gpu(const GpuSources& sources, const Tegra& tegra) {
  constexpr const char* kOrigin = "/proc/device-tree/compatible";
  Gpu gpu = unlisted_gpu(sources.files);
  const std::string why = sources.nvml != nullptr && !sources.nvml->failure.empty()
                              ? sources.nvml->failure
                              : std::string(_("NVML does not list this GPU"));
  lack(sources.live ? why : _("NVML is not asked about a captured machine"), gpu);
  share_memory(kOrigin, gpu);
  gpu.compute_capability =
      Fact<Version>::known(Version(std::string(tegra.compute_capability)), kOrigin);
  gpu.driver_version = Fact<Version>::missing(gpu.mig.unknown);
  gpu.driver_state = gpu.kernel_driver.is_known() ? Fact<std::string>::missing(gpu.mig.unknown)
                                                  : Fact<std::string>::known("none", "/sys/module");
  return gpu;
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

std::optional<bool> nvidia_versions_differ(const platform::FileReader& files) {
  const Fact<Version> module = read_nvidia_driver(files);
  const Fact<Version> library = read_library_version(files, "libnvidia-ml.so.1");
  if (!module.is_known() || !library.is_known())
    return std::nullopt;
  return *module.value != *library.value;
}

std::string nvidia_mismatch_reason(const platform::FileReader& files) {
  if (nvidia_versions_differ(files) == true)
    return fmt::format(
        fmt::runtime(_("the loaded NVIDIA kernel module is of version {}, the library of {}: "
                       "reboot")),
        read_nvidia_driver(files).value->text(),
        read_library_version(files, "libnvidia-ml.so.1").value->text());
  return _("the loaded NVIDIA kernel module and the library are of different versions: reboot");
}

bool should_ask_nvml(const platform::FileReader& files) {
  return files.exists("/proc/driver/nvidia") ||
         (files.exists("/dev/dxg") && files.exists("/usr/lib/wsl/lib/libnvidia-ml.so.1")) ||
         read_tegra(files).has_value();
}

bool is_integrated_nvidia(const Version& compute_capability) {
  // NVIDIA's list of CUDA GPUs: TX1, TX2, Xavier, Orin, Thor (also 10.1 before CUDA 13), GB10.
  static constexpr std::array<std::string_view, 7> kSystemsOnChip = {
      "5.3", "6.2", "7.2", "8.7", "10.1", "11.0", "12.1"};
  return std::find(kSystemsOnChip.begin(), kSystemsOnChip.end(), compute_capability.text()) !=
         kSystemsOnChip.end();
}

Gpu nvidia_gpu(const GpuSources& sources, const PciDevice& device) {
  Gpu gpu = pci_gpu(sources, device, GpuVendor::Nvidia);
  const std::string information = information_of(device);
  if (const auto text = sources.files.try_read(information)) {
    const auto values = parse_colon_lines(*text);
    if (const auto model = values.find("Model");
        model != values.end() && !printable(model->second).empty())
      gpu.name = Fact<std::string>::known(printable(model->second), information);
    if (const auto uuid = values.find("GPU UUID");
        uuid != values.end() &&
        uuid->second.find('?') == std::string::npos)  // '?' until first used
      gpu.uuid = text_fact(uuid->second, information, _("the driver gives no UUID"));
  }
  if (device.driver == "nvidia")
    gpu.driver_version = read_nvidia_driver(sources.files);
  if (const NvmlGpu* found = find_gpu(sources.nvml, device.address)) {
    take(*sources.nvml, *found, gpu);
    return gpu;
  }
  const Silence silence = silence_of(sources, device, gpu);
  gpu.driver_state = silence.state;
  lack(silence.why, gpu);
  if (unified_family_of_pci_id(device.id()))
    share_memory("PCI id", gpu);
  return gpu;
}

std::vector<Gpu> unlisted_nvidia_gpus(const GpuSources& sources, const std::vector<Gpu>& listed) {
  std::vector<Gpu> gpus;
  const auto tegra = read_tegra(sources.files);
  for (const NvmlGpu& found :
       sources.nvml != nullptr ? sources.nvml->gpus : std::vector<NvmlGpu>{}) {
    if (!found.pci_address.empty() &&
        std::any_of(listed.begin(), listed.end(), [&](const Gpu& gpu) {
          return gpu.pci_address.value == found.pci_address;
        }))
      continue;
    Gpu gpu = unlisted_gpu(sources.files);
    if (!found.pci_address.empty())
      gpu.pci_address = Fact<std::string>::known(found.pci_address, "NVML");
    take(*sources.nvml, found, gpu);
    if (tegra && !gpu.compute_capability.is_known())
      gpu.compute_capability = tegra_gpu(sources, *tegra).compute_capability;
    gpus.push_back(std::move(gpu));
  }
  const auto is_integrated = [](const Gpu& gpu) {
    return gpu.vendor == GpuVendor::Nvidia && gpu.integrated.value == true;
  };
  if (tegra && std::none_of(listed.begin(), listed.end(), is_integrated) &&
      std::none_of(gpus.begin(), gpus.end(), is_integrated))
    gpus.push_back(tegra_gpu(sources, *tegra));
  return gpus;
}

}  // namespace las::hardware
