// SPDX-License-Identifier: Apache-2.0
#include "posix_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <cstdio>
#include <random>

#include <fmt/format.h>
#include <sys/statvfs.h>

namespace las::platform {

void write_fully(int fd, std::span<const char> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written =
        retry_on_signal([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (written < 0)
      fail(errno, _("cannot write the file"), path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

namespace {

fs::path without_trailing_slash(const fs::path& path) {
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

fs::path folder_of(const fs::path& path) {
  const fs::path parent = without_trailing_slash(path).parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

// Beside the target, so that rename can replace it. A name of our own, not the target's with a
// suffix, which could be too long.
fs::path temporary_beside(const fs::path& path) {
  std::random_device random;
  return folder_of(path) / fmt::format(".las-{:08x}{:08x}.tmp", random(), random());
}

bool is_temporary(std::string_view name) {
  constexpr std::string_view kPrefix = ".las-", kSuffix = ".tmp";
  constexpr std::size_t kDigits = 16;
  return name.size() == kPrefix.size() + kDigits + kSuffix.size() && name.starts_with(kPrefix) &&
         name.ends_with(kSuffix) &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == kPrefix.size() + kDigits;
}

void sync_folder(const fs::path& folder) {
  const Descriptor descriptor(
      retry_on_signal([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!descriptor)
    fail(errno, _("cannot open the folder"), folder);
  // Some file systems (FUSE, 9p) cannot sync a folder and say so; there is nothing better there.
  if (retry_on_signal([&] { return ::fsync(descriptor.get()); }) != 0 && errno != EINVAL &&
      errno != ENOTSUP)
    fail(errno, _("cannot sync the folder"), folder);
}

/// Removes a temporary name unless it was renamed away.
class TemporaryName {
 public:
  explicit TemporaryName(fs::path path) : path_(std::move(path)) {}

  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;

  ~TemporaryName() {
    if (!path_.empty())
      static_cast<void>(::unlink(path_.c_str()));
  }

  const fs::path& path() const { return path_; }

  void become(const fs::path& target) {
    if (std::rename(path_.c_str(), target.c_str()) != 0)
      fail(errno, _("cannot replace the file"), target);
    path_.clear();
  }

 private:
  fs::path path_;
};

class PosixFileWriter : public FileWriter {
 public:
  PosixFileWriter(Descriptor file, const fs::path& path)
      : file_(std::move(file)), path_(path.native()) {}

  void write(std::span<const char> bytes) override { write_fully(file_.get(), bytes, path_); }

  void sync() override {
    if (retry_on_signal([&] { return ::fsync(file_.get()); }) != 0)
      fail(errno, _("cannot write the file"), path_);
  }

  void close() override {
    if (!file_)
      return;
    // Linux has closed it even where it says EINTR.
    if (::close(file_.release()) != 0 && errno != EINTR)
      fail(errno, _("cannot write the file"), path_);
  }

 private:
  Descriptor file_;
  std::string path_;  ///< to copy a path of many parts costs as much as to open the file
};

// Nothing, with errno, if it cannot be created.
Descriptor create_exclusively(const fs::path& path, std::uint32_t mode, int more_flags = 0) {
  Descriptor file(retry_on_signal([&] {
    return ::open(
        path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | more_flags, mode);
  }));
  if (!file)
    return file;

  struct stat info {};

  // Looking is cheaper than setting what most umasks leave as it is.
  const bool as_wanted = ::fstat(file.get(), &info) == 0 && (info.st_mode & 07777U) == mode;
  if (!as_wanted && ::fchmod(file.get(), mode) != 0) {
    file.reset();
    const int error = errno;
    static_cast<void>(::unlink(path.c_str()));
    errno = error;
  }
  return file;
}

// Renames a folder that must not replace anything. A read-only folder cannot change its parent
// (".." is an entry in it), so it is writable for that moment.
void rename_folder(const fs::path& from, const fs::path& to) {
  const auto move = [&] {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
      return 0;
    if (errno != EINVAL && errno != ENOSYS)
      return errno;
    if (posix_status(to))
      return EEXIST;
    return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  };
  int error = move();
  if (error == EACCES) {
    const Descriptor folder(::open(from.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));

    struct stat info {};

    if (folder && ::fstat(folder.get(), &info) == 0 && (info.st_mode & S_IWUSR) == 0 &&
        ::fchmod(folder.get(), (info.st_mode & 07777U) | S_IWUSR) == 0) {
      error = move();
      if (::fchmod(folder.get(), info.st_mode & 07777U) != 0)
        fail(errno, _("cannot set the mode of the file"), from);
    }
  }
  if (error != 0)
    fail(error, _("cannot rename the folder"), to);
}

class PosixFileSystem : public FileSystem, public HostPaths {
 public:
  std::optional<FileStatus> status(const fs::path& path) const override {
    return posix_status(path);
  }

  std::string read_file(const fs::path& path, ByteSize limit) const override {
    return posix_read(path, limit);
  }

  std::vector<std::string> list_directory(const fs::path& path) const override {
    return posix_list(path);
  }

  fs::path read_symlink(const fs::path& path) const override { return posix_read_symlink(path); }

  std::vector<std::optional<FileStamp>> stamps(
      const fs::path& directory, const std::vector<std::string>& names) const override {
    return posix_stamps(directory, names);
  }

  std::vector<StampedName> list_stamped(const fs::path& directory) const override {
    return posix_list_stamped(directory);
  }

  void scan_file(const fs::path& path,
                 const std::function<void(std::span<const char>)>& sink) const override {
    posix_scan(path, sink);
  }

  void make_directories(const fs::path& given, std::uint32_t mode) override {
    const fs::path path = without_trailing_slash(given);

    struct stat info {};

    // Followed on purpose: /var/lib/las may be a link to a larger disk.
    if (::stat(path.c_str(), &info) == 0) {
      if (!S_ISDIR(info.st_mode)) {
        throw Error(ErrorKind::Io, _("cannot create the folder"), path.native())
            .cause(system_error(ENOTDIR, {}).cause());
      }
      return;
    }
    if (errno != ENOENT)
      throw system_error(errno, _("cannot create the folder"), path.native());
    if (path.has_parent_path() && path.parent_path() != path)
      make_directories(path.parent_path(), 0755);
    if (::mkdir(path.c_str(), mode) != 0) {
      // Somebody else made it just now, or it is a dangling link.
      const int error = errno;
      if (error == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
        return;
      fail(error, _("cannot create the folder"), path);
    }
    set_mode(path, mode);
  }

  std::unique_ptr<FileWriter> create_file(const fs::path& path, std::uint32_t mode) override {
    Descriptor file = create_exclusively(path, mode);
    if (!file)
      fail(errno, _("cannot create the file"), path);
    return std::make_unique<PosixFileWriter>(std::move(file), path);
  }

  std::unique_ptr<FileWriter> append_file(const fs::path& path, std::uint32_t mode) override {
    Descriptor file = create_exclusively(path, mode, O_APPEND);
    if (!file && errno == EEXIST) {
      // O_NONBLOCK: a FIFO in its place is an error, not a wait for its reader.
      file = Descriptor(retry_on_signal([&] {
        return ::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
      }));
    }
    if (!file)
      fail(errno, _("cannot open the file"), path);

    struct stat info {};

    if (::fstat(file.get(), &info) != 0)
      fail(errno, _("cannot examine the file"), path);
    if (!S_ISREG(info.st_mode))
      throw Error(ErrorKind::InvalidData, _("not a regular file"), path.native());
    return std::make_unique<PosixFileWriter>(std::move(file), path);
  }

  void replace_file(const fs::path& path, std::string_view content, std::uint32_t mode) override {
    const fs::path name = temporary_beside(path);
    Descriptor file = create_exclusively(name, mode);
    if (!file)
      fail(errno, _("cannot create the file"), path);
    TemporaryName temporary(name);
    PosixFileWriter writer(std::move(file), path);
    writer.write(std::span<const char>(content.data(), content.size()));
    writer.sync();
    writer.close();
    temporary.become(path);
    sync_folder(folder_of(path));
  }

  void replace_symlink(const fs::path& path, const fs::path& target) override {
    const fs::path name = temporary_beside(path);
    if (::symlink(target.c_str(), name.c_str()) != 0)
      fail(errno, _("cannot create the symbolic link"), path);
    TemporaryName temporary(name);
    temporary.become(path);
    sync_folder(folder_of(path));
  }

  void create_symlink(const fs::path& path, const fs::path& target) override {
    if (::symlink(target.c_str(), path.c_str()) != 0)
      fail(errno, _("cannot create the symbolic link"), path);
  }

  void rename(const fs::path& from, const fs::path& to) override {
    const auto moved = posix_status(from);
    if (!moved)
      fail(ENOENT, _("cannot rename the file"), from);
    if (moved->kind == FileKind::Directory)
      rename_folder(without_trailing_slash(from), without_trailing_slash(to));
    else if (std::rename(from.c_str(), to.c_str()) != 0)
      fail(errno, _("cannot rename the file"), to);
    sync_folder(folder_of(to));
    if (folder_of(from) != folder_of(to))
      sync_folder(folder_of(from));
  }

  void remove_file(const fs::path& path) override {
    if (::unlink(path.c_str()) == 0)
      sync_folder(folder_of(path));
    else if (errno != ENOENT && errno != ENOTDIR)
      fail(errno, _("cannot remove the file"), path);
  }

  void remove_tree(const fs::path& path) override {
    const fs::path tree = without_trailing_slash(path);
    if (!posix_status(tree))
      return;
    posix_remove_tree(tree);
    sync_folder(folder_of(tree));
  }

  void clone_file(const fs::path& from, const fs::path& to, bool link_allowed) override {
    posix_clone_file(from, to, link_allowed);
  }

  void set_mode(const fs::path& path, std::uint32_t mode) override {
    // chmod(2) follows symlinks and fchmodat(2) cannot help it before Linux 6.6.
    const Descriptor handle(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!handle)
      fail(errno, _("cannot open the file"), path);

    struct stat info {};

    if (::fstat(handle.get(), &info) != 0)
      fail(errno, _("cannot examine the file"), path);
    if (S_ISLNK(info.st_mode))
      fail(ELOOP, _("cannot set the mode of the file"), path);
    if (::chmod(("/proc/self/fd/" + std::to_string(handle.get())).c_str(), mode) != 0)
      fail(errno, _("cannot set the mode of the file"), path);
  }

  void set_owner(const fs::path& path, std::uint32_t uid, std::uint32_t gid) override {
    if (::lchown(path.c_str(), uid, gid) != 0)
      fail(errno, _("cannot set the owner of the file"), path);
  }

  std::string not_writable(const fs::path& path) const override {
    const fs::path existing = nearest_existing(*this, path);
    if (::faccessat(AT_FDCWD, existing.c_str(), W_OK | X_OK, AT_EACCESS) == 0)
      return {};
    return fmt::format("{}: {}", existing.string(), system_error(errno, {}).cause());
  }

  void sync_directory(const fs::path& path) override { sync_folder(path); }

  void sync_tree(const fs::path& path) override {
    const Descriptor handle(
        retry_on_signal([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }));
    if (!handle)
      fail(errno, _("cannot open the file"), path);
    if (::syncfs(handle.get()) != 0)
      fail(errno, _("cannot sync the file system"), path);
  }

  ByteSize free_space(const fs::path& path) const override {
    fs::path existing = without_trailing_slash(path.empty() ? fs::path(".") : path);

    struct statvfs info {};

    while (retry_on_signal([&] { return ::statvfs(existing.c_str(), &info); }) != 0) {
      if ((errno != ENOENT && errno != ENOTDIR) || existing == folder_of(existing))
        fail(errno, _("cannot examine the file system"), path);
      existing = folder_of(existing);
    }
    // Not f_bfree: what is reserved for root keeps the system alive, it is not for payloads.
    return ByteSize(std::uint64_t{info.f_bavail} * info.f_frsize);
  }
};

}  // namespace

void sweep_temporaries(FileSystem& files, const fs::path& folder) {
  const auto status = files.status(folder);
  if (!status || status->kind != FileKind::Directory)
    return;
  for (const std::string& name : files.list_directory(folder)) {
    if (is_temporary(name))
      files.remove_file(folder / name);
  }
}

std::unique_ptr<FileSystem> make_posix_file_system() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace las::platform
