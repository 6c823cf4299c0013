// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace las::platform {

/// A program to run: argv as it is, never a shell line.
struct Command {
  /// argv[0] is looked up in the child's PATH (or the usual system folders) unless it holds a '/'.
  std::vector<std::string> argv;
  /// The whole environment of the child; nothing is inherited unless put in here
  /// (Environment::variables() gives ours).
  std::map<std::string, std::string> environment;
  std::filesystem::path working_directory;  ///< empty: ours
  std::string input;                        ///< standard input; empty: /dev/null
};

struct ProcessResult {
  /// Exit status, or 128 + signal number.
  int status = 0;
  std::string out, err;  ///< each cut at 1 MiB, keeping the end

  bool ok() const { return status == 0; }
};

/// A running process, identified so that a recycled PID is not taken for it.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< field 22 of /proc/<pid>/stat, in clock ticks since boot
  bool operator==(const ProcessIdentity&) const = default;
};

struct DetachedCommand : Command {
  std::filesystem::path log_file;  ///< stdout and stderr are appended here
  std::optional<int> oom_score_adjust;
};

class ProcessRunner {
 public:
  ProcessRunner() = default;
  ProcessRunner(const ProcessRunner&) = delete;
  ProcessRunner& operator=(const ProcessRunner&) = delete;
  virtual ~ProcessRunner() = default;

  /// Runs to the end. `on_line` sees every line of stdout and stderr as it comes. A cancelled
  /// activity terminates the child's process group (TERM, then KILL) and throws Interrupted; a
  /// `timeout` does the same and throws Io. NotFound when the program does not exist.
  virtual ProcessResult run(const Command& command,
                            const Activity& activity,
                            std::optional<std::chrono::milliseconds> timeout = std::nullopt,
                            const std::function<void(std::string_view)>& on_line = {}) = 0;

  /// Runs a program that talks to the person at the terminal: it has las's own standard streams.
  /// Its exit status, or 128 + signal number. NotFound when the program does not exist.
  virtual int run_attached(const Command& command);

  /// Starts a process that outlives las: own session (setsid) and process group, stdin /dev/null,
  /// inherits no descriptors. Throws if exec itself fails.
  virtual ProcessIdentity spawn_detached(const DetachedCommand& command) = 0;

  /// Whether that very process still runs (zombies do not).
  virtual bool alive(const ProcessIdentity& process) const = 0;
  /// The identity of a running PID; nothing if there is none.
  virtual std::optional<ProcessIdentity> identify(pid_t pid) const = 0;
  /// Sends `signal_number` to the process group of `process`. Gone already is fine.
  virtual void signal_group(const ProcessIdentity& process, int signal_number) = 0;
  /// Waits (pidfd, no polling of PIDs that may be reused) until it is gone; false on time-out.
  virtual bool wait_gone(const ProcessIdentity& process, std::chrono::milliseconds timeout) = 0;

  /// Absolute path of `program` in `path_variable` ("/usr/bin:/bin"), or nothing.
  virtual std::optional<std::filesystem::path> find_program(
      std::string_view program, std::string_view path_variable) const = 0;
};

/// `grace`: how long a terminated process group may take to end before it is killed.
std::unique_ptr<ProcessRunner> make_posix_process_runner(
    std::chrono::milliseconds grace = std::chrono::seconds(10));

}  // namespace las::platform
