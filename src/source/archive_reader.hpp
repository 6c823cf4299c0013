// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive_library.hpp"

#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace las::source {

/// Reads a tar (gz, bz2, xz, zst) or zip from its beginning to its end, by libarchive. It believes
/// nothing of what it reads: names may be hostile and sizes wrong.
/// Everything here throws InvalidData for what is no archive, or a damaged one.
class ArchiveReader {
 public:
  /// NotFound when there is no such file; Io when this libarchive lacks a compression.
  ArchiveReader(const platform::FileReader& files, std::filesystem::path path);

  /// The next entry, good until the next call; nullptr after the last one.
  archive_entry* next();
  /// The next bytes of the entry, at most as many as `block` takes; 0 at its end.
  std::size_t read(std::span<char> block);

  /// As the archive has it.
  std::string name_of(archive_entry* entry) const;

  std::uint64_t packed() const { return packed_; }  ///< bytes of the whole archive

  std::uint64_t consumed() const;  ///< of these, how many were read

 private:
  [[noreturn]] void fail() const;

  const ArchiveLibrary& library_;
  std::unique_ptr<archive, int (*)(archive*)> reader_;
  std::filesystem::path path_;
  std::uint64_t packed_ = 0;
};

/// UTF-8 first: under the C locale the plain accessor loses names that pax headers and zip give in
/// UTF-8; where bytes are no valid text it is the other way round.
std::string entry_text(const char* utf8, const char* raw);

}  // namespace las::source
