// SPDX-License-Identifier: Apache-2.0
#include "storage.hpp"

#include "block_device.hpp"
#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

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

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The value of a mount option.
std::optional<std::string> option_of(const MountPoint& mount, std::string_view key) {
  for (const std::string& option : text::split(mount.options, ',')) {
    if (option.size() > key.size() && option.starts_with(key) && option[key.size()] == '=')
      return option.substr(key.size() + 1);
  }
  return std::nullopt;
}

// What the upper layer of an overlay lies on; nothing when it is hidden, as in most containers.
std::optional<MountPoint> upper_mount(const platform::FileReader& files,
                                      std::string_view mountinfo,
                                      const MountPoint& overlay) {
  const auto upper = option_of(overlay, "upperdir");
  if (!upper || !upper->starts_with('/') || !files.exists(*upper))
    return std::nullopt;
  auto mount = mount_of(mountinfo, *upper);
  return mount && mount->file_system != "overlay" ? mount : std::nullopt;
}

// The name of the block device of a mount: by its number, or by its source for file systems that
// may lie on several devices and so have no number of their own.
std::optional<std::string> block_name(const platform::FileReader& files, const MountPoint& mount) {
  if (!mount.number.starts_with("0:"))
    return try_link_name(files, "/sys/dev/block/" + mount.number);
  if (!mount.source.starts_with("/dev/"))
    return std::nullopt;
  if (auto target = try_link_name(files, mount.source))  // /dev/mapper/NAME -> ../dm-0
    return target;
  return fs::path(mount.source).filename().string();
}

void no_device(Storage& storage, const std::string& why) {
  storage.device = storage.device_kind = storage.read_class = Fact<std::string>::missing(why);
}

// struct xfs_fsop_geom_v1 and its flag, from Linux' fs/xfs/libxfs/xfs_fs.h: an interface to user
// space, so it does not change.
struct XfsGeometry {
  std::uint32_t sizes[8];
  std::uint64_t blocks[4];
  unsigned char uuid[16];
  std::uint32_t stripe[2];
  std::int32_t version;
  std::uint32_t flags;
  std::uint32_t more_sizes[3];
};

static_assert(sizeof(XfsGeometry) == 112);

Fact<bool> ask_xfs(const fs::path& folder) {
  constexpr std::uint32_t kReflink = 1U << 20;
  XfsGeometry geometry{};
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return Fact<bool>::missing(system_error(errno, _("the folder cannot be opened")).what());
  const int result = ::ioctl(descriptor, _IOR('X', 100, XfsGeometry), &geometry);
  const int failure = errno;
  ::close(descriptor);
  if (result != 0)
    return Fact<bool>::missing(system_error(failure, _("XFS does not answer")).what());
  return Fact<bool>::known((geometry.flags & kReflink) != 0, "XFS_IOC_FSGEOMETRY");
}

// `existing` is nothing for a captured tree.
Storage named_storage(const platform::FileReader& files,
                      const std::string& purpose,
                      const fs::path& path,
                      const std::optional<fs::path>& existing) {
  Storage storage;
  storage.purpose = purpose;
  storage.path = Fact<std::string>::known(path.string(), "las");
  const std::string mounts = files.try_read("/proc/self/mountinfo").value_or("");
  const auto mount = mount_of(mounts, existing.value_or(path));
  const std::string origin = "/proc/self/mountinfo";
  storage.file_system =
      text_fact(mount ? mount->file_system : "", origin, _("/proc/self/mountinfo does not tell"));
  if (!mount) {
    no_device(storage, storage.file_system.unknown);
    storage.reflink = Fact<bool>::missing(storage.file_system.unknown);
    return storage;
  }
  read_device(files, mounts, *mount, storage);
  const auto upper = mount->file_system == "overlay" ? upper_mount(files, mounts, *mount) : mount;
  storage.reflink = reflink_of(upper ? upper->file_system : mount->file_system);
  // Only the file system itself knows, and an overlay does not pass the question on.
  if (existing && mount->file_system == "xfs")
    storage.reflink = ask_xfs(*existing);
  return storage;
}

}  // namespace

std::optional<MountPoint> mount_of(std::string_view mountinfo, const fs::path& path) {
  const std::string wanted = path.lexically_normal().string();
  std::optional<MountPoint> best;
  for (const std::string& line : text::lines(mountinfo)) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos)
      continue;
    const std::vector<std::string> fields = text::split(line.substr(0, separator), ' ');
    if (fields.size() < 6)
      continue;
    std::string point = unescaped(fields[4]);
    // Of two mounts on one point the later one is on top.
    if (!holds(point, wanted) || (best && point.size() < best->point.size()))
      continue;
    std::vector<std::string> rest = text::split(line.substr(separator + 3), ' ');
    rest.resize(3);
    best = {fields[2], std::move(point), rest[0], unescaped(rest[1]), unescaped(rest[2])};
  }
  return best;
}

void read_device(const platform::FileReader& files,
                 std::string_view mountinfo,
                 const MountPoint& mount,
                 Storage& storage) {
  const auto kind = [&](const char* name, const std::string& why) {
    no_device(storage, why);
    storage.device_kind = Fact<std::string>::known(name, "/proc/self/mountinfo");
  };
  const std::string& type = mount.file_system;
  if (type == "overlay") {
    if (const auto upper = upper_mount(files, mountinfo, mount))
      read_device(files, mountinfo, *upper, storage);
    else
      no_device(storage, _("the upper layer of this overlay cannot be seen from here"));
  } else if (is_one_of(type, {"tmpfs", "ramfs", "devtmpfs"})) {
    kind("memory", _("it lies in memory"));
  } else if (is_one_of(type,
                       {"nfs",
                        "nfs4",
                        "cifs",
                        "smb3",
                        "ceph",
                        "afs",
                        "lustre",
                        "beegfs",
                        "gpfs",
                        "fuse.sshfs",
                        "fuse.glusterfs",
                        "fuse.ceph"})) {
    kind("network", _("it is on another machine"));
  } else if (is_one_of(type, {"9p", "virtiofs", "vboxsf", "fuse.vmhgfs-fuse", "prl_fs"})) {
    kind("virtual", _("it is a folder of the machine that hosts this one"));
  } else if (const auto name = block_name(files, mount)) {
    const BlockDevice device = read_block_device(files, *name);
    storage.device = device.device;
    storage.device_kind = device.kind;
    storage.read_class = device.read_class;
  } else {
    no_device(storage, _("the kernel does not tell which disk it lies on"));
  }
}

Fact<bool> reflink_of(std::string_view file_system) {
  const std::string origin = "/proc/self/mountinfo";
  if (is_one_of(file_system, {"btrfs", "bcachefs"}))
    return Fact<bool>::known(true, origin);
  if (is_one_of(
          file_system,
          {"ext2", "ext3", "ext4", "f2fs", "tmpfs", "ramfs", "vfat", "exfat", "ntfs3", "fuseblk"}))
    return Fact<bool>::known(false, origin);
  return Fact<bool>::missing(fmt::format(
      fmt::runtime(_("whether {} can depends on how it was made")), printable(file_system)));
}

Storage read_storage(const platform::FileReader& files,
                     const std::string& purpose,
                     const fs::path& path) {
  fs::path existing = path;

  struct statvfs info {};

  int failure = statvfs(existing.c_str(), &info) == 0 ? 0 : errno;
  while (failure == ENOENT && existing.has_relative_path()) {
    existing = existing.parent_path();
    failure = statvfs(existing.c_str(), &info) == 0 ? 0 : errno;
  }
  std::error_code unresolved;
  const fs::path real = fs::canonical(existing, unresolved);
  Storage storage = named_storage(files, purpose, path, unresolved ? existing : real);
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
  Storage storage = named_storage(files, purpose, path, std::nullopt);
  storage.free = storage.total =
      Fact<ByteSize>::missing(_("a captured tree does not hold the sizes of its file systems"));
  return storage;
}

}  // namespace las::hardware
