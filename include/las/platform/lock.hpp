// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/platform/environment.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace las::platform {

/// Who holds a lock; written into the lock file as one JSON line for those who wait.
struct LockOwner {
  int pid = 0;
  std::string user;
  std::string command;  ///< "las install foo"
  std::string since;    ///< ISO 8601
  bool brief = false;   ///< it is done in a moment: everybody waits for it, asked to or not
};

/// An exclusive kernel lock (flock) on a permanent file; released when destroyed or when the
/// process dies, so it cannot go stale. The file is never deleted.
class FileLock {
 public:
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;

  /// Waits up to `wait`, telling the reporter who holds it. Then Busy, naming the owner, with the
  /// hint to use --wait. `wait` zero: try once, but wait for a brief owner all the same (30 s at
  /// most).
  static std::unique_ptr<FileLock> acquire(const std::filesystem::path& path,
                                           const LockOwner& owner,
                                           std::chrono::seconds wait,
                                           const Activity& activity);

  /// Who holds the lock at this moment; nothing when nobody does. An owner with pid 0 has not said
  /// who it is. Hazard: looking takes a shared lock for an instant, in which an acquire() that
  /// does not wait finds the lock busy.
  static std::optional<LockOwner> holder(const std::filesystem::path& path);

 protected:
  FileLock() = default;
};

}  // namespace las::platform
