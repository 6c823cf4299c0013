// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "descriptor.hpp"

#include "las/platform/process.hpp"

#include <cstdint>

namespace las::platform {

/// Absolute path of `program` in `path_variable`, or nothing.
std::optional<std::filesystem::path> search_program(std::string_view program,
                                                    std::string_view path_variable);

/// What /proc/<pid>/stat says.
struct ProcStat {
  std::uint64_t start_time = 0;
  bool running = false;  ///< false for a zombie
};

std::optional<ProcStat> read_proc_stat(pid_t pid);

/// A pidfd, or an empty descriptor where the kernel or a sandbox has none.
Descriptor open_pidfd(pid_t pid);

/// A close-on-exec descriptor whose number is above the three standard ones, so that the child's
/// dup2() calls cannot overwrite it (las itself may have been started with stdout closed).
Descriptor above_standard(Descriptor descriptor);

struct StandardStreams {
  Descriptor input, output, error;
};

/// Forks and executes in a session and process group of its own. Returns once exec has happened;
/// throws when it could not, leaving no zombie. The caller must reap the child.
pid_t launch(const Command& command, const StandardStreams& streams);

/// The same, but the process is nobody's child here: it never becomes a zombie of las.
ProcessIdentity launch_detached(const DetachedCommand& command, const StandardStreams& streams);

}  // namespace las::platform
