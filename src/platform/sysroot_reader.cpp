// SPDX-License-Identifier: Apache-2.0
#include "posix_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <deque>

namespace las::platform {

namespace {

/// Resolves every component itself, as the kernel would after chroot(2), because a captured tree is
/// full of links (/sys/class/…, /etc/os-release) that must not lead to this machine's files.
class SysrootReader : public FileReader {
 public:
  explicit SysrootReader(fs::path sysroot) : sysroot_(std::move(sysroot)) {}

  std::optional<FileStatus> status(const fs::path& path) const override {
    const auto host_path = resolve(path, LastLink::Keep);
    return host_path ? posix_status(*host_path) : std::nullopt;
  }

  std::string read_file(const fs::path& path, ByteSize limit) const override {
    return posix_read(existing(path, LastLink::Follow), limit);
  }

  void scan_file(const fs::path& path,
                 const std::function<void(std::span<const char>)>& sink) const override {
    posix_scan(existing(path, LastLink::Follow), sink);
  }

  std::vector<std::string> list_directory(const fs::path& path) const override {
    return posix_list(existing(path, LastLink::Follow));
  }

  fs::path read_symlink(const fs::path& path) const override {
    return posix_read_symlink(existing(path, LastLink::Keep));
  }

 private:
  enum class LastLink { Keep, Follow };
  static constexpr int kMaximumLinks = 40;  // as the kernel's

  fs::path existing(const fs::path& path, LastLink last) const {
    const auto host_path = resolve(path, last);
    if (!host_path)
      fail(ENOENT, _("cannot open the file"), sysroot_ / path.relative_path());
    return *host_path;
  }

  // The host path, or nothing if a component on the way does not exist.
  std::optional<fs::path> resolve(const fs::path& path, LastLink last) const {
    std::deque<std::string> todo;
    for (const fs::path& part : path.relative_path())
      todo.push_back(part.native());
    std::vector<std::string> done;
    int links = 0;
    while (!todo.empty()) {
      const std::string name = std::move(todo.front());
      todo.pop_front();
      if (name.empty() || name == ".")
        continue;
      if (name == "..") {
        if (!done.empty())
          done.pop_back();
        continue;
      }
      done.push_back(name);
      const fs::path host_path = below_sysroot(done);
      const auto found = posix_status(host_path);
      if (!found)
        return std::nullopt;
      if (found->kind != FileKind::Symlink || (todo.empty() && last == LastLink::Keep))
        continue;
      if (++links > kMaximumLinks)
        fail(ELOOP, _("cannot open the file"), sysroot_ / path.relative_path());
      const fs::path target = posix_read_symlink(host_path);
      if (target.is_absolute())
        done.clear();
      else
        done.pop_back();
      const fs::path relative = target.relative_path();
      todo.insert(todo.begin(), relative.begin(), relative.end());
    }
    return below_sysroot(done);
  }

  fs::path below_sysroot(const std::vector<std::string>& parts) const {
    fs::path path = sysroot_;
    for (const std::string& part : parts)
      path /= part;
    return path;
  }

  fs::path sysroot_;
};

}  // namespace

std::unique_ptr<FileReader> make_sysroot_reader(fs::path sysroot) {
  return std::make_unique<SysrootReader>(std::move(sysroot));
}

}  // namespace las::platform
