// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

namespace las::hardware {

/// What /proc/cpuinfo tells of the topology; arm64 kernels list only the threads there.
struct CpuCounts {
  std::optional<int> sockets, cores, threads;
};

CpuCounts count_cpuinfo(std::string_view text);

/// Fills sockets, cores, threads and numa_nodes by hwloc: of the whole machine, also what a cpuset
/// keeps from this process. With a sysroot hwloc reads that tree. Where there is no sysfs topology
/// for hwloc (it would put this machine's CPUs in its place) /proc/cpuinfo is counted.
void read_topology(const platform::FileReader& files,
                   const std::optional<std::filesystem::path>& sysroot,
                   Cpu& cpu);

}  // namespace las::hardware
