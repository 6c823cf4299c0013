// SPDX-License-Identifier: Apache-2.0
#include "storage.hpp"

#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <cerrno>

#include <sys/statvfs.h>

namespace las::hardware {

namespace fs = std::filesystem;

namespace {

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescaped(std::string_view text) {
  std::string out;
  const auto octal = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '7';
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool holds(const std::string& mount, const std::string& path) {
  return mount == "/" || path == mount ||
         (path.size() > mount.size() && path.starts_with(mount) && path[mount.size()] == '/');
}

Fact<std::string> file_system_fact(const platform::FileReader& files, const fs::path& path) {
  const auto mounts = files.try_read("/proc/self/mountinfo");
  return text_fact(mounts ? file_system_of(*mounts, path) : std::string(),
                   "/proc/self/mountinfo",
                   _("/proc/self/mountinfo does not tell"));
}

Storage named_storage(const platform::FileReader& files,
                      const std::string& purpose,
                      const fs::path& path) {
  Storage storage;
  storage.purpose = purpose;
  storage.path = Fact<std::string>::known(path.string(), "las");
  storage.file_system = file_system_fact(files, path);
  return storage;
}

}  // namespace

std::string file_system_of(std::string_view mountinfo, const fs::path& path) {
  const std::string wanted = path.lexically_normal().string();
  std::string best_mount, best_type;
  for (const std::string& line : text::lines(mountinfo)) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos)
      continue;
    const std::vector<std::string> fields = text::split(line.substr(0, separator), ' ');
    if (fields.size() < 6)
      continue;
    const std::string mount = unescaped(fields[4]);
    // Of two mounts on one point the later one is on top.
    if (!holds(mount, wanted) || mount.size() < best_mount.size())
      continue;
    best_mount = mount;
    best_type = text::split(line.substr(separator + 3), ' ').front();
  }
  return best_type;
}

Storage read_storage(const platform::FileReader& files,
                     const std::string& purpose,
                     const fs::path& path) {
  Storage storage = named_storage(files, purpose, path);
  fs::path existing = path;

  struct statvfs info {};

  int failure = statvfs(existing.c_str(), &info) == 0 ? 0 : errno;
  while (failure == ENOENT && existing.has_relative_path()) {
    existing = existing.parent_path();
    failure = statvfs(existing.c_str(), &info) == 0 ? 0 : errno;
  }
  if (failure != 0) {
    const std::string why = system_error(failure, _("statvfs failed")).what();
    storage.free = storage.total = Fact<ByteSize>::missing(why);
    return storage;
  }
  const auto bytes = [&](fsblkcnt_t blocks) {
    const std::uint64_t size = info.f_frsize != 0 ? info.f_frsize : info.f_bsize;
    return ByteSize(static_cast<std::uint64_t>(blocks) * size);
  };
  storage.free = Fact<ByteSize>::known(bytes(info.f_bavail), "statvfs");
  storage.total = Fact<ByteSize>::known(bytes(info.f_blocks), "statvfs");
  return storage;
}

Storage captured_storage(const platform::FileReader& files,
                         const std::string& purpose,
                         const fs::path& path) {
  Storage storage = named_storage(files, purpose, path);
  storage.free = storage.total =
      Fact<ByteSize>::missing(_("a captured tree does not hold the sizes of its file systems"));
  return storage;
}

}  // namespace las::hardware
