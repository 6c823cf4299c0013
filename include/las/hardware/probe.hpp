// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/hardware/profile.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace las::hardware {

/// What programs said about their version when they were asked before, so that they need not be
/// started again. Whoever keeps it drops it with the boot.
struct ProgramVersions {
  /// By what tells the file of a program: its path, place on disk, size and time of change.
  std::map<std::string, std::string> versions;
  bool changed = false;  ///< the probe added some
};

struct ProbeOptions {
  /// Read a captured tree instead of this machine: no NVML, no programs are run, hwloc reads the
  /// tree too, unless HWLOC_FSROOT or HWLOC_XMLFILE in the environment names another.
  std::optional<std::filesystem::path> sysroot;
  /// (purpose, path) pairs to report storage for.
  std::vector<std::pair<std::string, std::filesystem::path>> storage;
  ProgramVersions* programs = nullptr;  ///< outlives the probe; may be absent
};

/// Reads the machine. Never throws for a fact that cannot be read: the fact is unknown then.
/// NotFound when there is no folder at the sysroot, InvalidData when the recorded facts of a
/// capture (las-capture/facts.json in it) are damaged. Never wakes a GPU: no nvidia-smi; NVML is
/// opened only when /proc/driver/nvidia exists.
HardwareProfile probe(const platform::Environment& environment,
                      platform::ProcessRunner& processes,
                      const ProbeOptions& options,
                      const Activity& activity);

}  // namespace las::hardware
