// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/capture.hpp"
#include "las/platform/file_system.hpp"

#include <map>
#include <string>

namespace las::hardware {

/// Entries by absolute path without any symlink in it ("/sys/devices/pci0000:00/...").
using Tree = std::map<std::string, CaptureEntry>;

/// Reads through another reader and remembers what was read, with the symlinks on the way to it.
/// /proc/self counts as a folder. Files that were only seen (listed, asked for) stay empty.
class RecordingReader : public platform::FileReader {
 public:
  explicit RecordingReader(const platform::FileReader& files) : files_(files) {}

  std::optional<platform::FileStatus> status(const std::filesystem::path& path) const override;
  std::string read_file(const std::filesystem::path& path, ByteSize limit) const override;
  std::vector<std::string> list_directory(const std::filesystem::path& path) const override;
  std::filesystem::path read_symlink(const std::filesystem::path& path) const override;

  const Tree& tree() const { return tree_; }

 private:
  std::optional<platform::FileStatus> status_of(const std::filesystem::path& path) const;
  std::filesystem::path walk(const std::filesystem::path& path, bool follow_last) const;
  void see(const std::filesystem::path& path, const platform::FileStatus& status) const;

  const platform::FileReader& files_;
  mutable Tree tree_;
};

/// Reads a tree in memory, as one unpacked on disk would be read below its root.
class TreeReader : public platform::FileReader {
 public:
  explicit TreeReader(const Tree& tree);

  std::optional<platform::FileStatus> status(const std::filesystem::path& path) const override;
  std::string read_file(const std::filesystem::path& path, ByteSize limit) const override;
  std::vector<std::string> list_directory(const std::filesystem::path& path) const override;
  std::filesystem::path read_symlink(const std::filesystem::path& path) const override;

 private:
  const CaptureEntry* find(const std::filesystem::path& path) const;
  const CaptureEntry& existing(const std::filesystem::path& path, bool follow_last) const;

  Tree tree_;  ///< with the folders above each entry
};

}  // namespace las::hardware
