// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nvml.hpp"
#include "pci.hpp"

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace las::hardware {

// --- NVIDIA (nvidia.cpp) ---

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct ..." gives 535.129.03.
std::optional<Version> parse_nvrm_version(std::string_view text);
Fact<Version> read_nvidia_driver(const platform::FileReader& files);
/// Whether GPUs of this compute capability exist only inside SoCs that share their memory.
bool is_integrated_nvidia(const Version& compute_capability);
/// `report` is nothing when NVML was not asked.
Gpu nvidia_gpu(const platform::FileReader& files,
               const PciDevice& device,
               const NvmlReport* report,
               bool live);
/// An NVML GPU that is no PCI device (embedded boards).
Gpu nvidia_gpu(const NvmlGpu& found);

// --- AMD (amd.cpp) ---

/// "key value" lines of a KFD topology node.
std::map<std::string, std::uint64_t> parse_kfd_properties(std::string_view text);
/// KFD's gfx_target_version as LLVM spells it: 110000 gives "gfx1100", 90010 gives "gfx90a".
std::optional<std::string> gfx_target(std::uint64_t version);
/// Whether GPUs of this target are APUs; nothing for targets that are both or not known to be
/// either.
std::optional<bool> is_integrated_amd(std::string_view gfx_target);
Gpu amd_gpu(const platform::FileReader& files, const PciDevice& device);

// --- Intel (intel.cpp) ---

Gpu intel_gpu(const platform::FileReader& files, const PciDevice& device);

// --- all of them (gpus.cpp) ---

/// What every vendor's device shares: address, ids, driver, name from pci.ids.
Gpu pci_gpu(const platform::FileReader& files, const PciDevice& device, GpuVendor vendor);
/// Why a GPU with this driver (or none) does not tell its facts, if that is the driver's doing.
std::optional<std::string> silent_driver_reason(const std::optional<std::string>& driver);

/// Fills gpus, nvlink and the NVIDIA versions of tools.
void read_gpus(const platform::FileReader& files, bool live, HardwareProfile& profile);
/// The same with NVML's answer given; nothing: it was not asked.
void read_gpus(const platform::FileReader& files,
               bool live,
               const std::optional<NvmlReport>& report,
               HardwareProfile& profile);

}  // namespace las::hardware
