// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace las::source {

struct TarEntry {
  enum class Kind { Directory, File, Symlink } kind = Kind::File;
  std::string path;     ///< relative
  std::string content;  ///< of a file; where a symlink points
};

/// The bytes of a tar archive (POSIX ustar, with pax headers only where a name needs them): no
/// owners, no times, so that equal entries give equal bytes. By libarchive, opened on first use.
/// Throws Io when libarchive refuses an entry.
std::string make_tar(const std::vector<TarEntry>& entries);

}  // namespace las::source
