// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace las::source {

/// One thing that unpacking does to the disk.
struct Effect {
  enum class Kind {
    Folder,
    File,   ///< `content` is its beginning
    More,   ///< of the file before
    Close,  ///< the file before is complete
    Symlink,
    HardLink,
    Progress,  ///< nothing on the disk: `done` bytes of the archive are read
  } kind;

  std::filesystem::path path;
  std::string content = {};  ///< of a file; the target of a symlink
  std::filesystem::path from = {};
  std::uint32_t mode = 0;
  std::uint64_t done = 0;
};

/// Runs `produce`, which reads and checks an archive, on a thread of its own, and does what it asks
/// for on this one, in that order: reading and writing overlap, and whoever watches the FileSystem
/// still sees one thread and always the same order. What either throws ends both and is thrown;
/// what was asked for before `produce` threw is done.
void do_while_produced(platform::FileSystem& files,
                       const std::function<void(std::uint64_t done)>& progress,
                       const std::function<void(const std::function<void(Effect)>& ask)>& produce);

}  // namespace las::source
