// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace las::test {

/// Stands for the death of the process. Not a std::exception, so that no cleanup on the way can
/// take it for a failure to be undone.
struct Crash {
  std::size_t effect;
};

/// Passes everything on to another FileSystem, notes every state-changing call, and lets one of
/// them go wrong. Effects are counted from 1; every write() and sync() of an open file is one.
///
/// * fail_at(k): the k-th effect does not happen and throws NoSpace; later ones work again.
/// * crash_at(k): the k-th effect does not happen and throws Crash (a write() leaves half its
/// bytes).
///   From then on nothing changes the disk any more: destructors on the way run into the void.
/// * drop_unsynced(), after a crash: what a power cut may take. Files that were written and not
///   synced since are empty, as after the replay of ext4's journal.
class FaultyFileSystem : public platform::FileSystem {
 public:
  explicit FaultyFileSystem(platform::FileSystem& inner) : inner_(inner) {}

  void fail_at(std::size_t effect) { fail_at_ = effect; }

  void crash_at(std::size_t effect) { crash_at_ = effect; }

  bool crashed() const;
  /// How many files it emptied.
  std::size_t drop_unsynced();
  /// "replace_file /path", "write /path 12" ..., the one that went wrong included.
  std::vector<std::string> effects() const;
  std::size_t effect_count() const;

  std::optional<platform::FileStatus> status(const platform::fs::path& path) const override;
  std::string read_file(const platform::fs::path& path,
                        ByteSize limit = ByteSize::mib(16)) const override;
  std::vector<std::string> list_directory(const platform::fs::path& path) const override;
  platform::fs::path read_symlink(const platform::fs::path& path) const override;
  void scan_file(const platform::fs::path& path,
                 const std::function<void(std::span<const char>)>& sink) const override;

  void make_directories(const platform::fs::path& path, std::uint32_t mode = 0755) override;
  std::unique_ptr<platform::FileWriter> create_file(const platform::fs::path& path,
                                                    std::uint32_t mode = 0644) override;
  std::unique_ptr<platform::FileWriter> append_file(const platform::fs::path& path,
                                                    std::uint32_t mode = 0644) override;
  void replace_file(const platform::fs::path& path,
                    std::string_view content,
                    std::uint32_t mode = 0644) override;
  void replace_symlink(const platform::fs::path& path, const platform::fs::path& target) override;
  void create_symlink(const platform::fs::path& path, const platform::fs::path& target) override;
  void rename(const platform::fs::path& from, const platform::fs::path& to) override;
  void remove_file(const platform::fs::path& path) override;
  void remove_tree(const platform::fs::path& path) override;
  void clone_file(const platform::fs::path& from,
                  const platform::fs::path& to,
                  bool link_allowed) override;
  void set_mode(const platform::fs::path& path, std::uint32_t mode) override;
  void set_owner(const platform::fs::path& path, std::uint32_t uid, std::uint32_t gid) override;
  void sync_directory(const platform::fs::path& path) override;
  void sync_tree(const platform::fs::path& path) override;
  std::string not_writable(const platform::fs::path& path) const override;
  ByteSize free_space(const platform::fs::path& path) const override;

  /// Counts one effect on `path`: true if it is to happen, false once crashed. Throws where the
  /// fault is planned, a Crash after `torn()`.
  bool effect(const std::string& what,
              const platform::fs::path& path,
              const std::function<void()>& torn = {});

 private:
  platform::FileSystem& inner_;
  mutable std::mutex mutex_;
  void forget(const platform::fs::path& name, const platform::fs::path& moved_to = {});
  friend class FaultyWriter;

  std::vector<std::string> effects_;
  std::set<platform::fs::path> unsynced_;
  std::size_t fail_at_ = 0, crash_at_ = 0;
  bool crashed_ = false;
};

}  // namespace las::test
