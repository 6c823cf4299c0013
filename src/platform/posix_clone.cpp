// SPDX-License-Identifier: Apache-2.0
#include "posix_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <array>

#include <linux/fs.h>
#include <sys/ioctl.h>

namespace las::platform {

namespace {

// Copies what is left of `source` (from its file offset) to `target`.
void copy_by_hand(int source, int target, const fs::path& from, const fs::path& to) {
  std::vector<char> buffer(std::size_t{1} << 20U);
  while (true) {
    const ssize_t size =
        retry_on_signal([&] { return ::read(source, buffer.data(), buffer.size()); });
    if (size < 0)
      fail(errno, _("cannot read the file"), from);
    if (size == 0)
      return;
    write_fully(target, std::span<const char>(buffer.data(), static_cast<std::size_t>(size)), to);
  }
}

void copy_content(int source, int target, const fs::path& from, const fs::path& to) {
  constexpr std::size_t kPiece = std::size_t{64} << 20U;
  while (true) {
    const ssize_t size = retry_on_signal(
        [&] { return ::copy_file_range(source, nullptr, target, nullptr, kPiece, 0); });
    if (size == 0)
      break;
    if (size < 0) {
      if (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG)
        fail(errno, _("cannot copy the file"), to);
      break;  // not between these two file systems, or not on this kernel
    }
  }
  // Both offsets moved along; this finishes whatever the kernel would not copy, and finds the end
  // of files for which it claims zero bytes (some kernels do on overlays).
  copy_by_hand(source, target, from, to);
}

bool link_instead(int source, const fs::path& to) {
  // Through the descriptor: the very file that was opened, whatever its name means by now.
  const std::string opened = "/proc/self/fd/" + std::to_string(source);
  return ::linkat(AT_FDCWD, opened.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

void finish(int target, const struct stat& info, const fs::path& to) {
  const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
  if (::fchmod(target, info.st_mode & 0777U) != 0 || ::futimens(target, times.data()) != 0)
    fail(errno, _("cannot set the mode of the file"), to);
  if (retry_on_signal([&] { return ::fsync(target); }) != 0)
    fail(errno, _("cannot write the file"), to);
}

}  // namespace

void posix_clone_file(const fs::path& from, const fs::path& to, bool link_allowed) {
  const Descriptor source(retry_on_signal(
      [&] { return ::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }));
  if (!source)
    fail(errno, _("cannot open the file"), from);

  struct stat info {};

  if (::fstat(source.get(), &info) != 0)
    fail(errno, _("cannot examine the file"), from);
  if (!S_ISREG(info.st_mode))
    throw Error(ErrorKind::InvalidData, _("not a regular file"), from.native());

  const auto create = [&] {
    Descriptor file(retry_on_signal([&] {
      return ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }));
    if (!file)
      fail(errno, _("cannot create the file"), to);
    return file;
  };
  Descriptor target = create();
  try {
    if (::ioctl(target.get(), FICLONE, source.get()) != 0) {
      if (link_allowed) {
        target.reset();
        if (::unlink(to.c_str()) != 0)
          fail(errno, _("cannot remove the file"), to);
        if (link_instead(source.get(), to))
          return;
        target = create();
      }
      copy_content(source.get(), target.get(), from, to);
    }
    finish(target.get(), info, to);
  } catch (...) {
    if (target)
      static_cast<void>(::unlink(to.c_str()));
    throw;
  }
}

}  // namespace las::platform
