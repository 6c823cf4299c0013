// SPDX-License-Identifier: Apache-2.0
#include "posix_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <memory>

namespace las::platform {

namespace {

std::string descriptor_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// A folder that its owner may not even read is opened all the same. The mode is changed through a
// descriptor, so that a name swapped for a symlink meanwhile changes nothing elsewhere.
Descriptor open_folder(int parent, const char* name) {
  Descriptor folder(retry_on_signal([&] { return ::openat(parent, name, kOpenFolder); }));
  if (folder || errno != EACCES)
    return folder;
  const Descriptor handle(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!handle || ::chmod(descriptor_path(handle.get()).c_str(), 0700) != 0) {
    errno = EACCES;
    return {};
  }
  return Descriptor(::openat(handle.get(), ".", kOpenFolder));
}

std::vector<std::string> names_in(int folder, const fs::path& path) {
  Descriptor copy(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  std::unique_ptr<DIR, CloseDirectory> directory(copy ? ::fdopendir(copy.get()) : nullptr);
  if (!directory)
    fail(errno, _("cannot open the folder"), path);
  static_cast<void>(copy.release());
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr)
      break;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..")
      names.emplace_back(name);
  }
  if (errno != 0)
    fail(errno, _("cannot read the folder"), path);
  return names;
}

void unlink_entry(int parent, const char* name, int flags, const fs::path& path) {
  if (::unlinkat(parent, name, flags) == 0 || errno == ENOENT)
    return;
  // Write permission on the parent folder is what removal needs. Asked for only when refused: root
  // never needs it, and the fewer modes root changes in a service's folder the better.
  const int error = errno;
  if (error == EACCES && parent != AT_FDCWD && ::fchmod(parent, 0700) == 0 &&
      (::unlinkat(parent, name, flags) == 0 || errno == ENOENT))
    return;
  fail(error, _("cannot remove the file"), path);
}

void remove_folder(int parent, const char* name, const fs::path& path, dev_t device) {
  {
    const Descriptor folder = open_folder(parent, name);
    if (!folder) {
      if (errno == ENOENT)
        return;
      fail(errno, _("cannot open the folder"), path);
    }

    struct stat info {};

    if (::fstat(folder.get(), &info) != 0)
      fail(errno, _("cannot examine the file"), path);
    if (info.st_dev != device) {
      throw Error(ErrorKind::Busy, _("another file system is mounted there"), path.native())
          .hint(_("unmount it first"));
    }
    for (const std::string& entry : names_in(folder.get(), path)) {
      struct stat status {};

      if (::fstatat(folder.get(), entry.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
          continue;
        // Without search permission nothing below can be named.
        if (errno != EACCES || ::fchmod(folder.get(), 0700) != 0 ||
            ::fstatat(folder.get(), entry.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
          fail(errno, _("cannot examine the file"), path / entry);
      }
      if (S_ISDIR(status.st_mode))
        remove_folder(folder.get(), entry.c_str(), path / entry, device);
      else
        unlink_entry(folder.get(), entry.c_str(), 0, path / entry);
    }
  }
  unlink_entry(parent, name, AT_REMOVEDIR, path);
}

}  // namespace

void posix_remove_tree(const fs::path& path) {
  struct stat status {};

  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return;
    fail(errno, _("cannot examine the file"), path);
  }
  if (S_ISDIR(status.st_mode))
    remove_folder(AT_FDCWD, path.c_str(), path, status.st_dev);
  else
    unlink_entry(AT_FDCWD, path.c_str(), 0, path);
}

}  // namespace las::platform
