// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace las::platform {

namespace fs = std::filesystem;

enum class FileKind { Regular, Directory, Symlink, Other };

struct FileStatus {
  FileKind kind = FileKind::Other;
  std::uint32_t mode = 0;     ///< permission bits, 07777
  std::uint64_t size = 0;     ///< bytes
  std::int64_t modified = 0;  ///< seconds since the epoch
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t device = 0;  ///< equal devices can rename and hard-link between each other
  std::uint64_t inode = 0;
};

/// What tells that a file is still the one that was read: another content gets another stamp,
/// unless it is written within one tick of the file system's clock (some ms), which the reader has
/// to mind.
struct FileStamp {
  std::uint64_t size = 0, inode = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;  ///< since the epoch; 0 where unknown
  bool operator==(const FileStamp&) const = default;
};

/// A name in a directory, and the stamp of what it names if that is a regular file.
struct StampedName {
  std::string name;
  std::optional<FileStamp> stamp;
};

/// Reading only: a signature that takes this cannot change anything.
/// All failures are Error (NotFound, Permission, Io), with the path as subject.
class FileReader {
 public:
  FileReader() = default;
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  virtual ~FileReader() = default;

  /// Does not follow a final symlink. Nothing if there is no such file.
  virtual std::optional<FileStatus> status(const fs::path& path) const = 0;
  /// The whole content; more than `limit` bytes is InvalidData. Works on /proc and /sys files.
  virtual std::string read_file(const fs::path& path, ByteSize limit = ByteSize::mib(16)) const = 0;
  /// Names (not paths) in a directory, sorted, without "." and "..".
  virtual std::vector<std::string> list_directory(const fs::path& path) const = 0;
  virtual fs::path read_symlink(const fs::path& path) const = 0;
  /// One for each of `names`, which are paths relative to `directory`; nothing for what is not a
  /// regular file. Symlinks are followed. Made for thousands of files at once.
  virtual std::vector<std::optional<FileStamp>> stamps(const fs::path& directory,
                                                       const std::vector<std::string>& names) const;
  /// list_directory() and stamps() of what it found, in the time of the longer of both.
  virtual std::vector<StampedName> list_stamped(const fs::path& directory) const;
  /// Hands the content of a file of any size to `sink`, piece by piece. A reader that cannot stream
  /// reads it whole.
  virtual void scan_file(const fs::path& path,
                         const std::function<void(std::span<const char>)>& sink) const;

  bool exists(const fs::path& path) const { return status(path).has_value(); }

  /// The content without surrounding space, or nothing if it cannot be read; for probes.
  std::optional<std::string> try_read(const fs::path& path) const;
};

/// An open file being written. Dropped without close(): the bytes so far stay on disk.
class FileWriter {
 public:
  FileWriter() = default;
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  virtual ~FileWriter() = default;
  virtual void write(std::span<const char> bytes) = 0;
  /// fsync: the content survives a power cut (the name does not until its folder is synced).
  virtual void sync() = 0;
  /// Reports late write errors. Idempotent.
  virtual void close() = 0;
};

/// The only door to files that las changes. Every state-changing call of las goes through here
/// (LMDB excepted), so that tests can count, fail or stop after the k-th effect.
///
/// A full disk is NoSpace; the caller's partial files are the caller's to remove.
class FileSystem : public FileReader {
 public:
  /// Makes the directory and its parents (those with 0755); existing ones are left as they are.
  /// Modes are meant exactly: here and below, the umask does not take away from them.
  virtual void make_directories(const fs::path& path, std::uint32_t mode = 0755) = 0;
  /// O_CREAT|O_EXCL|O_NOFOLLOW: never writes through an existing name.
  virtual std::unique_ptr<FileWriter> create_file(const fs::path& path,
                                                  std::uint32_t mode = 0644) = 0;
  /// Opens for appending at the end (resumed downloads, logs); creates it if absent. O_NOFOLLOW.
  virtual std::unique_ptr<FileWriter> append_file(const fs::path& path,
                                                  std::uint32_t mode = 0644) = 0;
  /// Temp beside the target, write, fsync, rename, fsync folder: readers see old or new, a power
  /// cut leaves old or new. Guarantee ends where the disk lies about flushing.
  virtual void replace_file(const fs::path& path,
                            std::string_view content,
                            std::uint32_t mode = 0644) = 0;
  /// The same for a symlink: `path` points at `target` afterwards, atomically.
  virtual void replace_symlink(const fs::path& path, const fs::path& target) = 0;
  /// Creates a new symlink; the name must not exist.
  virtual void create_symlink(const fs::path& path, const fs::path& target) = 0;
  /// rename(2), then fsync of both folders. The target must not exist unless it is a file.
  virtual void rename(const fs::path& from, const fs::path& to) = 0;
  /// Absent is fine. Survives a power cut once it has returned, as remove_tree() does.
  virtual void remove_file(const fs::path& path) = 0;
  /// The whole tree, without following symlinks; absent is fine. Makes read-only folders writable
  /// first (store payloads are read-only).
  virtual void remove_tree(const fs::path& path) = 0;
  /// reflink, else hard link if `link_allowed`, else copy + fsync. The name must not exist, and
  /// `from` must be a regular file itself (a symlink is refused). Mode and modification time go
  /// along, the owner does not. A failure leaves nothing behind.
  virtual void clone_file(const fs::path& from, const fs::path& to, bool link_allowed) = 0;
  virtual void set_mode(const fs::path& path, std::uint32_t mode) = 0;
  /// Of the name itself, also where it is a symlink. Permission without root.
  virtual void set_owner(const fs::path& path, std::uint32_t uid, std::uint32_t gid) = 0;
  /// The names in the folder survive a power cut; what they name does not by this.
  virtual void sync_directory(const fs::path& path) = 0;
  /// Everything below `path` survives a power cut: syncfs of its file system.
  virtual void sync_tree(const fs::path& path) = 0;
  /// Bytes that this user may still write on the file system that holds `path` (its nearest
  /// existing parent is asked).
  virtual ByteSize free_space(const fs::path& path) const = 0;
  /// Whether this user may make and remove names in the folder `path`, or in its nearest existing
  /// parent if there is none: "" if so, else the reason (a full disk is none).
  virtual std::string not_writable(const fs::path& path) const = 0;
};

/// The real one. Paths are host paths; nothing is prefixed.
std::unique_ptr<FileSystem> make_posix_file_system();
/// Removes what an interrupted replace_file() or replace_symlink() left in `folder`. Hazard: only
/// while nobody else can be replacing something there.
void sweep_temporaries(FileSystem& files, const fs::path& folder);
/// Everything is read below `sysroot` (absolute symlinks inside it stay inside): hardware captures.
std::unique_ptr<FileReader> make_sysroot_reader(fs::path sysroot);

/// A copy of a tree with its modes, times and, as far as this user may give files away, owners;
/// reflinks where the file system can. Sockets and pipes are left out: they belong to a process.
/// `to` must not exist. Not synced: see sync_tree().
void clone_tree(FileSystem& files, const fs::path& from, const fs::path& to);

/// Makes all of a tree, its top last, belong to these; nothing to do where the top does already.
/// Symlinks are not followed. Nobody may change the tree meanwhile. Permission without root.
void give_tree(FileSystem& files, const fs::path& top, std::uint32_t uid, std::uint32_t gid);

/// The nearest folder at or above `path` that exists.
fs::path nearest_existing(const FileReader& files, const fs::path& path);

/// Bytes used by the regular files of a tree (apparent size), not following symlinks.
ByteSize tree_size(const FileReader& files, const fs::path& path);

/// Calls `visit(path relative to root, status)` for everything below `root`, parents first, sorted.
void walk(const FileReader& files,
          const fs::path& root,
          const std::function<void(const fs::path&, const FileStatus&)>& visit);

}  // namespace las::platform
