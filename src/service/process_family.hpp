// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

#include <optional>
#include <string>
#include <vector>

/// A service is more than its first process: workers outlive a main process that was killed, and
/// hold its port and its memory.
namespace las::service {

/// The fields of /proc/<pid>/stat that tell whom a process belongs to.
struct ProcessStat {
  platform::ProcessIdentity identity;
  pid_t group = 0, session = 0;
  bool running = false;  ///< neither zombie nor dead
};

/// Nothing if `text` is no such file.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// What marks the processes of a service: they were started in the session of `leader`, or carry
/// the variable kServiceMark = `mark` in their environment.
struct Family {
  std::optional<platform::ProcessIdentity> leader;
  std::string mark;
};

inline constexpr const char* kServiceMark = "LAS_SERVICE_RECORD";

/// The running processes of the family, the leader too.
std::vector<ProcessStat> find_family(const platform::FileReader& files, const Family& family);

/// Sends SIGKILL to whoever is left of the family until none is. Io when one does not die.
void kill_family(const platform::FileReader& files,
                 platform::ProcessRunner& processes,
                 const Family& family);

}  // namespace las::service
