// SPDX-License-Identifier: Apache-2.0
#include "recorded_tree.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <deque>
#include <functional>

namespace las::hardware {

namespace fs = std::filesystem;
using platform::FileKind;
using platform::FileStatus;

namespace {

using Link = std::function<std::optional<fs::path>(const fs::path&)>;

// `path` without symlinks, as chroot(2) would resolve it. `link` gives the target of a symlink.
fs::path resolve(const fs::path& path, bool follow_last, const Link& link) {
  constexpr int kMaximumLinks = 40;  // as the kernel's
  std::deque<fs::path> todo(path.begin(), path.end());
  fs::path done = "/";
  int links = 0;
  while (!todo.empty()) {
    const fs::path name = todo.front();
    todo.pop_front();
    if (name.empty() || name == "." || name == "/")
      continue;
    if (name == "..") {
      done = done.parent_path();
      continue;
    }
    const auto target = todo.empty() && !follow_last ? std::nullopt : link(done / name);
    if (!target) {
      done /= name;
      continue;
    }
    if (++links > kMaximumLinks)
      throw Error(ErrorKind::Io, _("too many symbolic links"), path.string());
    if (target->is_absolute())
      done = "/";
    todo.insert(todo.begin(), target->begin(), target->end());
  }
  return done;
}

// A capture is unpacked somewhere else: no link may lead out of it.
std::string relative_target(const fs::path& link, const fs::path& target) {
  return target.is_absolute() ? target.lexically_relative(link.parent_path()).string()
                              : target.string();
}

}  // namespace

std::optional<FileStatus> RecordingReader::status_of(const fs::path& path) const {
  auto status = files_.status(path);
  if (status && path == "/proc/self")
    status->kind = FileKind::Directory;
  return status;
}

void RecordingReader::see(const fs::path& path, const FileStatus& status) const {
  CaptureEntry entry;
  entry.path = path.relative_path().string();
  if (status.kind == FileKind::Directory) {
    entry.kind = CaptureEntry::Kind::Directory;
  } else if (status.kind == FileKind::Symlink) {
    entry.kind = CaptureEntry::Kind::Symlink;
    entry.content = relative_target(path, files_.read_symlink(path));
  }
  tree_.emplace(path.string(), std::move(entry));
}

fs::path RecordingReader::walk(const fs::path& path, bool follow_last) const {
  return resolve(path, follow_last, [&](const fs::path& component) -> std::optional<fs::path> {
    const auto status = status_of(component);
    if (!status || status->kind != FileKind::Symlink)
      return std::nullopt;
    see(component, *status);
    return files_.read_symlink(component);
  });
}

std::optional<FileStatus> RecordingReader::status(const fs::path& path) const {
  const fs::path real = walk(path, false);
  const auto status = status_of(real);
  if (status)
    see(real, *status);
  return status;
}

std::string RecordingReader::read_file(const fs::path& path, ByteSize limit) const {
  std::string content = files_.read_file(path, limit);
  const fs::path real = walk(path, true);
  CaptureEntry& entry = tree_[real.string()];
  entry = {CaptureEntry::Kind::File, real.relative_path().string(), content};
  return content;
}

std::vector<std::string> RecordingReader::list_directory(const fs::path& path) const {
  std::vector<std::string> names = files_.list_directory(path);
  const fs::path real = walk(path, true);
  see(real, {FileKind::Directory});
  for (const std::string& name : names) {
    if (const auto found = status_of(real / name))
      see(real / name, *found);
  }
  return names;
}

fs::path RecordingReader::read_symlink(const fs::path& path) const {
  const fs::path target = files_.read_symlink(path);
  const fs::path real = walk(path, false);
  see(real, {FileKind::Symlink});
  return target;
}

TreeReader::TreeReader(const Tree& tree) : tree_(tree) {
  for (const auto& [path, entry] : tree) {
    for (fs::path folder = fs::path(path).parent_path(); folder != folder.parent_path();
         folder = folder.parent_path())
      tree_.emplace(
          folder.string(),
          CaptureEntry{CaptureEntry::Kind::Directory, folder.relative_path().string(), {}});
  }
}

const CaptureEntry* TreeReader::find(const fs::path& path) const {
  const auto found = tree_.find(path.string());
  return found == tree_.end() ? nullptr : &found->second;
}

const CaptureEntry& TreeReader::existing(const fs::path& path, bool follow_last) const {
  const fs::path real =
      resolve(path, follow_last, [&](const fs::path& component) -> std::optional<fs::path> {
        const CaptureEntry* entry = find(component);
        if (entry == nullptr || entry->kind != CaptureEntry::Kind::Symlink)
          return std::nullopt;
        return entry->content;
      });
  if (const CaptureEntry* entry = find(real))
    return *entry;
  throw Error(ErrorKind::NotFound, _("cannot open the file"), path.string());
}

std::optional<FileStatus> TreeReader::status(const fs::path& path) const {
  try {
    const CaptureEntry& entry = existing(path, false);
    FileStatus status;
    status.kind = entry.kind == CaptureEntry::Kind::Directory ? FileKind::Directory
                  : entry.kind == CaptureEntry::Kind::Symlink ? FileKind::Symlink
                                                              : FileKind::Regular;
    status.size = entry.content.size();
    return status;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string TreeReader::read_file(const fs::path& path, ByteSize) const {
  const CaptureEntry& entry = existing(path, true);
  if (entry.kind != CaptureEntry::Kind::File)
    throw Error(ErrorKind::Io, _("not a file"), path.string());
  return entry.content;
}

std::vector<std::string> TreeReader::list_directory(const fs::path& path) const {
  const CaptureEntry& folder = existing(path, true);
  if (folder.kind != CaptureEntry::Kind::Directory)
    throw Error(ErrorKind::Io, _("not a folder"), path.string());
  const std::string prefix = "/" + folder.path + (folder.path.empty() ? "" : "/");
  std::vector<std::string> names;
  for (auto it = tree_.lower_bound(prefix); it != tree_.end() && it->first.starts_with(prefix);
       ++it) {
    const std::string name = it->first.substr(prefix.size());
    if (!name.empty() && name.find('/') == std::string::npos)
      names.push_back(name);
  }
  return names;
}

fs::path TreeReader::read_symlink(const fs::path& path) const {
  const CaptureEntry& entry = existing(path, false);
  if (entry.kind != CaptureEntry::Kind::Symlink)
    throw Error(ErrorKind::Io, _("not a symbolic link"), path.string());
  return entry.content;
}

}  // namespace las::hardware
