// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "descriptor.hpp"

#include "las/platform/file_system.hpp"

#include <string>

#include <dirent.h>
#include <sys/stat.h>

namespace las::platform {

/// Reading on host paths, shared by the real file system and the sysroot reader. The paths in
/// errors are the ones given.
std::optional<FileStatus> posix_status(const fs::path& path);
void posix_scan(const fs::path& path, const std::function<void(std::span<const char>)>& sink);
std::string posix_read(const fs::path& path, ByteSize limit);
std::vector<std::string> posix_list(const fs::path& path);
std::vector<std::optional<FileStamp>> posix_stamps(const fs::path& directory,
                                                   const std::vector<std::string>& names);
std::vector<StampedName> posix_list_stamped(const fs::path& directory);
fs::path posix_read_symlink(const fs::path& path);

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// A FileReader that is this too gives nothing but what the host's files hold, so that what is
/// read in masses may be read past it.
class HostPaths {
 public:
  virtual ~HostPaths() = default;
};

/// Throws the Error for an errno of a call on `path`.
[[noreturn]] void fail(int error_number, std::string message, const fs::path& path);

/// Writes everything or throws.
void write_fully(int fd, std::span<const char> bytes, const std::string& path);

/// Removes a tree without following symlinks or leaving its file system; absent is fine.
void posix_remove_tree(const fs::path& path);

/// FileSystem::clone_file.
void posix_clone_file(const fs::path& from, const fs::path& to, bool link_allowed);

}  // namespace las::platform
