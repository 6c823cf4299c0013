// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/hardware/profile.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace las::hardware {

struct ProbeOptions {
  /// Read a captured tree instead of this machine: no NVML, no programs are run, hwloc reads the
  /// tree too (HWLOC_FSROOT).
  std::optional<std::filesystem::path> sysroot;
  /// (purpose, path) pairs to report storage for.
  std::vector<std::pair<std::string, std::filesystem::path>> storage;
};

/// Reads the machine. Never throws for a fact that cannot be read: the fact is unknown then.
/// Never wakes a GPU: no nvidia-smi; NVML is opened only when /proc/driver/nvidia exists.
HardwareProfile probe(const platform::Environment& environment,
                      platform::ProcessRunner& processes,
                      const ProbeOptions& options,
                      const Activity& activity);

}  // namespace las::hardware
