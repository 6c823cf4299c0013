// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/base/byte_size.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <string>

namespace las::source {

struct ExtractLimits {
  ByteSize total = ByteSize::gib(40);  ///< unpacked bytes; beyond: Integrity
  std::uint64_t entries = 1'000'000;
  double ratio = 200;  ///< unpacked / packed, once 64 MiB are unpacked
  std::size_t path_length = 4000;
};

/// Unpacks a tar (gz, bz2, xz, zst) or zip that was verified by digest into the empty folder
/// `destination`, by libarchive (opened on first use; the only libarchive code).
///
/// Refused with Integrity, naming the entry: absolute paths, "..", symlinks or hard links that
/// leave the tree, writing through a symlink, device nodes, FIFOs, sockets, duplicate names, more
/// than `limits`. Setuid, setgid and sticky bits refuse the archive too; group/other write bits are
/// dropped; owners are never restored. A truncated or unknown archive is InvalidData.
/// `strip` drops leading path components; entries with fewer are left out.
void extract_archive(platform::FileSystem& files,
                     const std::filesystem::path& archive,
                     const std::filesystem::path& destination,
                     int strip,
                     const ExtractLimits& limits,
                     const Activity& activity);

}  // namespace las::source
