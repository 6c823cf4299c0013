// SPDX-License-Identifier: Apache-2.0
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/file_system.hpp"

namespace las::platform {

namespace {

// Who may not give files away keeps them: the copy is of use all the same.
void keep_owner(FileSystem& files, const FileStatus& original, const fs::path& copy) {
  const auto status = files.status(copy);
  if (status && status->uid == original.uid && status->gid == original.gid)
    return;
  try {
    files.set_owner(copy, original.uid, original.gid);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Permission)
      throw;
  }
}

void clone_entry(FileSystem& files,
                 const FileStatus& status,
                 const fs::path& from,
                 const fs::path& to) {
  switch (status.kind) {
    case FileKind::Directory:
      files.make_directories(to, status.mode);
      break;
    case FileKind::Regular:
      files.clone_file(from, to, false);
      break;
    case FileKind::Symlink:
      files.create_symlink(to, files.read_symlink(from));
      break;
    case FileKind::Other:
      return;
  }
  keep_owner(files, status, to);
  // A change of owner takes setuid bits away, and clone_file() knows only permissions.
  if (status.kind == FileKind::Regular && (status.mode & ~0777U) != 0)
    files.set_mode(to, status.mode);
}

}  // namespace

void clone_tree(FileSystem& files, const fs::path& from, const fs::path& to) {
  const auto top = files.status(from);
  if (!top)
    throw Error(ErrorKind::NotFound, _("there is no such file"), from.string());
  clone_entry(files, *top, from, to);
  if (top->kind != FileKind::Directory)
    return;
  walk(files, from, [&](const fs::path& relative, const FileStatus& status) {
    clone_entry(files, status, from / relative, to / relative);
  });
}

void give_tree(FileSystem& files, const fs::path& top, std::uint32_t uid, std::uint32_t gid) {
  const auto is_theirs = [&](const std::optional<FileStatus>& status) {
    return status && status->uid == uid && status->gid == gid;
  };
  if (is_theirs(files.status(top)))
    return;
  walk(files, top, [&](const fs::path& relative, const FileStatus& status) {
    if (!is_theirs(status))
      files.set_owner(top / relative, uid, gid);
  });
  files.set_owner(top, uid, gid);
}

fs::path nearest_existing(const FileReader& files, const fs::path& path) {
  fs::path existing = path.lexically_normal();
  if (!existing.has_filename())
    existing = existing.parent_path();
  while (!files.exists(existing) && existing.has_relative_path())
    existing = existing.parent_path();
  return existing.empty() ? fs::path(".") : existing;
}

}  // namespace las::platform
