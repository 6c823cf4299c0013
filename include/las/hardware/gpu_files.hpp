// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace las::hardware {

/// The device files by which a program computes on one GPU.
struct GpuFiles {
  /// Its own and those that all GPUs of its vendor share; some of these may not be there yet: they
  /// are made at the first use of the driver.
  std::vector<std::string> nodes;
  /// Numbers of the groups whose members may open those that not everybody may.
  std::vector<std::int64_t> groups;
};

/// Sources: NVIDIA's driver README ("device nodes"; /proc/driver/nvidia/gpus/*/information); the
/// render nodes of Linux' DRM (/sys/bus/pci/devices/*/drm); the kernel's amdkfd (/dev/kfd). Of a
/// GPU that is divided by MIG the files of all parts, since no fact says which belong to which.
GpuFiles gpu_files(const platform::FileReader& files, const Gpu& gpu);

/// Whether programs can compute on it: its driver works, or it is not known that it does not.
bool is_usable(const Gpu& gpu);

}  // namespace las::hardware
