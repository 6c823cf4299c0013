// SPDX-License-Identifier: Apache-2.0
#include "las/platform/file_system.hpp"

#include "las/base/error.hpp"
#include "las/base/text.hpp"

#include <set>
#include <utility>

namespace las::platform {

std::optional<std::string> FileReader::try_read(const fs::path& path) const {
  try {
    return std::string(text::trim(read_file(path)));
  } catch (const Error&) {
    return std::nullopt;
  }
}

void FileReader::scan_file(const fs::path& path,
                           const std::function<void(std::span<const char>)>& sink) const {
  const std::string content = read_file(path, ByteSize(UINT64_MAX));
  sink(std::span<const char>(content.data(), content.size()));
}

std::vector<std::optional<FileStamp>> FileReader::stamps(
    const fs::path& directory, const std::vector<std::string>& names) const {
  std::vector<std::optional<FileStamp>> stamps;
  stamps.reserve(names.size());
  for (const std::string& name : names) {
    const auto found = status(directory / name);
    stamps.push_back(found && found->kind == FileKind::Regular
                         ? std::optional(FileStamp{found->size, found->inode, 0, 0})
                         : std::nullopt);
  }
  return stamps;
}

std::vector<StampedName> FileReader::list_stamped(const fs::path& directory) const {
  std::vector<std::string> names = list_directory(directory);
  const auto found = stamps(directory, names);
  std::vector<StampedName> out;
  out.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    out.push_back({std::move(names[i]), found[i]});
  return out;
}

ByteSize tree_size(const FileReader& files, const fs::path& path) {
  const auto top = files.status(path);
  if (!top)
    return ByteSize();
  if (top->kind != FileKind::Directory)
    return top->kind == FileKind::Regular ? ByteSize(top->size) : ByteSize();
  ByteSize total;
  // Two names of one file use its bytes once. A reader without inodes gives 0.
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  walk(files, path, [&](const fs::path&, const FileStatus& status) {
    if (status.kind != FileKind::Regular)
      return;
    if (status.inode == 0 || seen.emplace(status.device, status.inode).second)
      total += ByteSize(status.size);
  });
  return total;
}

namespace {

void walk_below(const FileReader& files,
                const fs::path& root,
                const fs::path& relative,
                const std::function<void(const fs::path&, const FileStatus&)>& visit) {
  for (const std::string& name : files.list_directory(relative.empty() ? root : root / relative)) {
    const fs::path entry = relative / name;
    const auto status = files.status(root / entry);
    if (!status)
      continue;  // gone since it was listed
    visit(entry, *status);
    if (status->kind == FileKind::Directory)
      walk_below(files, root, entry, visit);
  }
}

}  // namespace

void walk(const FileReader& files,
          const fs::path& root,
          const std::function<void(const fs::path&, const FileStatus&)>& visit) {
  walk_below(files, root, {}, visit);
}

}  // namespace las::platform
