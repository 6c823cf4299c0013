// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// What /proc/cpuinfo tells of the topology; arm64 kernels list only the threads there.
struct CpuCounts {
  std::optional<int> sockets, cores, threads;
};

CpuCounts count_cpuinfo(std::string_view text);

/// Cores of one design, as the kernel tells them apart.
struct CoreKind {
  std::string type;             ///< "IntelCore", "IntelAtom"; empty when not told
  std::optional<int> capacity;  ///< /sys/devices/system/cpu/cpu*/cpu_capacity: 1024 is the fastest
  int cores = 0;
};

/// Fills performance_cores and efficiency_cores; cpu.cores must be filled. `origin`: who told the
/// types. On machines that tell
/// only capacities (arm64), an efficiency core is one with less than three quarters of the fastest
/// core's. Cores that differ in a way the kernel does not explain leave both unknown.
void sort_cores(const std::vector<CoreKind>& kinds, const char* origin, Cpu& cpu);

/// Fills the counts and the sums of the caches by hwloc: of the whole machine, also what a cpuset
/// keeps from this process; offline CPUs do not count. With a sysroot hwloc reads that tree, unless
/// the environment gives it another (HWLOC_FSROOT, HWLOC_XMLFILE). Where there is no sysfs topology
/// for hwloc (it would put this machine's CPUs in its place) /proc/cpuinfo is counted.
void read_topology(const platform::FileReader& files,
                   const platform::Environment& environment,
                   const std::optional<std::filesystem::path>& sysroot,
                   Cpu& cpu);

}  // namespace las::hardware
