// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// What /proc/cpuinfo says about the first CPU, and about the designs of all Arm cores. x86 and
/// aarch64 use different keys.
struct CpuInfo {
  std::optional<std::string> vendor, model;
  std::vector<std::string> features;  ///< sorted, unique; empty if it lists none
};

CpuInfo parse_cpuinfo(std::string_view text);

/// Number of CPUs in a kernel list ("0-3,8"); nothing for malformed text.
std::optional<int> count_cpu_list(std::string_view list);

/// Fills vendor, model and features.
void read_cpu_info(const platform::FileReader& files, Cpu& cpu);
/// CPUs of the affinity mask, cut by the cgroup quota. `threads` of the machine is the fallback.
Fact<int> read_usable_threads(const platform::FileReader& files, const Fact<int>& threads);

}  // namespace las::hardware
