// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kfd.hpp"
#include "nvml.hpp"
#include "pci.hpp"

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// Where the facts of a GPU come from.
struct GpuSources {
  const platform::FileReader& files;
  const PciNames& names;
  bool live = false;                 ///< this machine, not a captured tree
  const NvmlReport* nvml = nullptr;  ///< nothing: it was not asked
  bool container = false;            ///< las runs in one
};

// --- NVIDIA (nvidia.cpp) ---

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct ..." gives 535.129.03.
std::optional<Version> parse_nvrm_version(std::string_view text);
/// The version of the kernel module.
Fact<Version> read_nvidia_driver(const platform::FileReader& files);
/// Whether the loaded kernel module and the installed library differ; nothing if one is unknown.
std::optional<bool> nvidia_versions_differ(const platform::FileReader& files);
/// Why nothing works then, and what to do: reboot.
std::string nvidia_mismatch_reason(const platform::FileReader& files);
/// Whether GPUs of this compute capability exist only inside SoCs that share their memory.
bool is_integrated_nvidia(const Version& compute_capability);
/// Whether NVML has something to say here: the driver is loaded (without it, opening NVML would
/// load the kernel module), or the GPU is behind another driver, as under WSL and on Jetson boards.
bool should_ask_nvml(const platform::FileReader& files);
Gpu nvidia_gpu(const GpuSources& sources, const PciDevice& device);
/// GPUs that are no PCI devices here: those that NVML alone knows, or that of a Tegra.
std::vector<Gpu> unlisted_nvidia_gpus(const GpuSources& sources, const std::vector<Gpu>& listed);

// --- AMD (amd.cpp) ---

/// Whether GPUs of this target are APUs; nothing for targets that are both or not known to be
/// either.
std::optional<bool> is_integrated_amd(std::string_view gfx_target);
/// One, or the partitions that it is divided into.
std::vector<Gpu> amd_gpus(const GpuSources& sources,
                          const std::optional<std::vector<KfdNode>>& topology,
                          const PciDevice& device);

// --- Intel (intel.cpp) ---

Gpu intel_gpu(const GpuSources& sources, const PciDevice& device);

// --- all of them (gpus.cpp) ---

/// What every vendor's device shares: address, ids, driver, name from pci.ids; what GPUs of other
/// vendors have is unknown. driver_state is known if the driver's name tells it.
Gpu pci_gpu(const GpuSources& sources, const PciDevice& device, GpuVendor vendor);
/// The part of pci_gpu that depends on the vendor alone.
void lack_what_others_have(Gpu& gpu, const std::string& origin);
/// Why a GPU with this driver (or none) does not tell its facts, if that is the driver's doing.
std::optional<std::string> silent_driver_reason(const std::optional<std::string>& driver);
/// A hwmon attribute of the device in microwatts (Documentation/hwmon/sysfs-interface.rst), as
/// watts.
Fact<int> read_power_limit(const platform::FileReader& files,
                           const PciDevice& device,
                           const char* attribute);

/// Fills gpus, nvlink, and the driver versions of tools. `devices` are the machine's PCI devices,
/// if they could be listed.
void read_gpus(const platform::FileReader& files,
               const PciNames& names,
               const std::optional<std::vector<PciDevice>>& devices,
               bool live,
               HardwareProfile& profile);
/// The same with NVML's answer given; nothing: it was not asked.
void read_gpus(const platform::FileReader& files,
               const PciNames& names,
               const std::optional<std::vector<PciDevice>>& devices,
               bool live,
               const std::optional<NvmlReport>& report,
               HardwareProfile& profile);

}  // namespace las::hardware
