// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// /proc/self/cgroup: where this process is, in the unified (v2) and in each legacy (v1) hierarchy.
struct CgroupPaths {
  std::optional<std::string> unified;

  struct Legacy {
    std::string hierarchy;  ///< "cpu,cpuacct": the usual name of the mount point
    std::string path;
  };

  std::map<std::string, Legacy> legacy;  ///< by controller
};

CgroupPaths parse_self_cgroup(std::string_view text);

/// "max" or a number of bytes; nothing for no limit or malformed text.
std::optional<ByteSize> parse_memory_limit(std::string_view text);
/// cpu.max: "200000 100000" is 2 CPUs; "max 100000" is no quota.
std::optional<double> parse_cpu_max(std::string_view text);

struct MemoryLimit {
  ByteSize bytes;
  std::string origin;  ///< the file that binds
};

struct CpuQuota {
  double cpus = 0;
  std::string origin;
};

/// The smallest limit from this process' group up to the root: every ancestor binds. v1's "no
/// limit" is a huge number and loses against the machine's memory by itself.
std::optional<MemoryLimit> read_memory_limit(const platform::FileReader& files);
/// What the groups of this process may still take before the first of them meets its limit. The
/// page cache that a group can give back (inactive_file) counts as free, as it does in
/// MemAvailable. Nothing when no group has a limit.
std::optional<MemoryLimit> read_memory_headroom(const platform::FileReader& files);
std::optional<CpuQuota> read_cpu_quota(const platform::FileReader& files);

}  // namespace las::hardware
