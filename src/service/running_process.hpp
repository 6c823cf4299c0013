// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

/// What /proc tells of one running process. It may end at any moment: nothing is an answer.
namespace las::service {

/// The resident memory of these processes together. What several of them share counts once where
/// the kernel tells (/proc/PID/smaps_rollup), else once for each. Nothing when none can be seen.
std::optional<ByteSize> resident_memory(const platform::FileReader& files,
                                        const std::set<std::uint32_t>& pids);
/// The folder of its control group of version 2; nothing where there are none.
std::optional<std::filesystem::path> unified_control_group(const platform::FileReader& files,
                                                           std::uint32_t pid);

/// Who listens on the TCP port if that is none of `processes`: "pid 7 (server)", or "another
/// process" where it cannot be told which. "" when one of them does, when nobody does, or when it
/// cannot be known (no processes given, or another user's).
std::string foreign_listener(const platform::FileReader& files,
                             std::uint16_t port,
                             const std::vector<std::uint32_t>& processes);
/// All processes in its control group, which under systemd is its unit; empty when unknown.
std::vector<std::uint32_t> in_control_group_of(const platform::FileReader& files,
                                               std::uint32_t pid);
/// The numbers in /proc.
std::vector<pid_t> all_processes(const platform::FileReader& files);
/// Its arguments, the program's name first.
std::vector<std::string> arguments_of(const platform::FileReader& files, pid_t pid);
/// The file it runs; "" when unknown.
std::string executable_of(const platform::FileReader& files, pid_t pid);

}  // namespace las::service
