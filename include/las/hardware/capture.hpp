// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/probe.hpp"

#include <string>
#include <vector>

namespace las::hardware {

/// One file, folder or link of a captured tree.
struct CaptureEntry {
  enum class Kind { Directory, File, Symlink } kind = Kind::File;
  std::string path;     ///< relative to the root of the tree: "proc/cpuinfo"
  std::string content;  ///< of a file; where a link points (always relative)
};

/// What a probe read, as a tree that ProbeOptions::sysroot takes, for bug reports and fixtures.
struct Capture {
  HardwareProfile profile;            ///< what the probe found here
  std::vector<CaptureEntry> entries;  ///< sorted by path
};

/// Probes this machine and keeps the files that the parsers (hwloc too) read. Files that are not
/// known to be harmless are left out; serial numbers, UUIDs, the names of host and user, and mounts
/// that do not matter are removed or replaced. Facts that the tree alone does not tell then (what
/// NVML, programs and system calls said) are in las-capture/facts.json, and are taken from there
/// when the tree is probed; las-capture/README says so. UUIDs of GPUs are in neither.
Capture capture(const platform::Environment& environment,
                platform::ProcessRunner& processes,
                const ProbeOptions& options,
                const Activity& activity);

}  // namespace las::hardware
