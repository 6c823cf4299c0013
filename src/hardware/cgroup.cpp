// SPDX-License-Identifier: Apache-2.0
#include "cgroup.hpp"

#include "parse.hpp"

#include "las/base/text.hpp"

namespace las::hardware {

namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  bool unified = false;
};

// The group's folder and all above it, below `mount`. In a container without its own cgroup
// namespace the deeper ones do not exist under the mount; the root then carries the limits.
void add_ancestors(std::vector<Folder>& folders,
                   const fs::path& mount,
                   const std::string& group,
                   bool unified) {
  constexpr int kDeepest = 64;
  fs::path path = mount / fs::path(group).lexically_normal().relative_path();
  path = path.lexically_normal();
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (path.filename().empty())
      path = path.parent_path();
    if (path.string().size() <= mount.string().size())
      break;
    folders.push_back({path, unified});
    path = path.parent_path();
  }
  folders.push_back({mount, unified});
}

std::vector<Folder> folders_of(const CgroupPaths& paths, const std::string& controller) {
  std::vector<Folder> folders;
  if (paths.unified) {
    add_ancestors(folders, "/sys/fs/cgroup", *paths.unified, true);
    add_ancestors(folders, "/sys/fs/cgroup/unified", *paths.unified, true);
  }
  if (const auto found = paths.legacy.find(controller); found != paths.legacy.end()) {
    add_ancestors(
        folders, fs::path("/sys/fs/cgroup") / found->second.hierarchy, found->second.path, false);
    if (found->second.hierarchy != controller)
      add_ancestors(folders, fs::path("/sys/fs/cgroup") / controller, found->second.path, false);
  }
  return folders;
}

std::vector<Folder> own_folders(const platform::FileReader& files, const std::string& controller) {
  const auto text = files.try_read("/proc/self/cgroup");
  return text ? folders_of(parse_self_cgroup(*text), controller) : std::vector<Folder>{};
}

std::optional<double> read_legacy_quota(const platform::FileReader& files, const fs::path& folder) {
  const auto quota = files.try_read(folder / "cpu.cfs_quota_us");  // "-1": none
  const auto period = files.try_read(folder / "cpu.cfs_period_us");
  if (!quota || !period)
    return std::nullopt;
  return parse_cpu_max(*quota + " " + *period);
}

std::optional<MemoryLimit> limit_of(const platform::FileReader& files, const Folder& folder) {
  const fs::path file = folder.path / (folder.unified ? "memory.max" : "memory.limit_in_bytes");
  const auto text = files.try_read(file);
  const auto limit = text ? parse_memory_limit(*text) : std::nullopt;
  return limit ? std::optional(MemoryLimit{*limit, file.string()}) : std::nullopt;
}

/// What a group uses and cannot give back at once; 0 where it does not tell (the root of v2).
ByteSize memory_in_use(const platform::FileReader& files, const Folder& folder) {
  const auto text =
      files.try_read(folder.path / (folder.unified ? "memory.current" : "memory.usage_in_bytes"));
  const std::uint64_t used = text ? parse_unsigned(*text).value_or(0) : 0;
  std::uint64_t cache = 0;
  const std::string key = folder.unified ? "inactive_file " : "total_inactive_file ";
  if (const auto stat = files.try_read(folder.path / "memory.stat")) {
    for (const std::string& line : text::lines(*stat)) {
      if (line.starts_with(key))
        cache = parse_unsigned(std::string_view(line).substr(key.size())).value_or(0);
    }
  }
  return ByteSize(used > cache ? used - cache : 0);
}

}  // namespace

CgroupPaths parse_self_cgroup(std::string_view text) {
  CgroupPaths paths;
  for (const std::string& line : text::lines(text)) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (!path.starts_with('/') || path.size() > 4096)
      continue;
    if (controllers.empty()) {
      paths.unified = path;
      continue;
    }
    if (controllers.find('/') != std::string::npos)
      continue;
    for (const std::string& controller : text::split(controllers, ','))
      paths.legacy[controller] = {controllers, path};
  }
  return paths;
}

std::optional<ByteSize> parse_memory_limit(std::string_view text) {
  const auto bytes = parse_unsigned(text);
  if (!bytes)
    return std::nullopt;
  return ByteSize(*bytes);
}

std::optional<double> parse_cpu_max(std::string_view text) {
  text = text::trim(text);
  const auto space = text.find(' ');
  if (space == std::string_view::npos)
    return std::nullopt;
  const auto quota = parse_unsigned(text.substr(0, space));
  const auto period = parse_unsigned(text.substr(space + 1));
  constexpr std::uint64_t kLargest = 1'000'000'000'000;
  if (!quota || !period || *quota == 0 || *period == 0 || *quota > kLargest || *period > kLargest)
    return std::nullopt;
  const double cpus = static_cast<double>(*quota) / static_cast<double>(*period);
  return cpus < 1e6 ? std::optional<double>(cpus) : std::nullopt;
}

std::optional<MemoryLimit> read_memory_limit(const platform::FileReader& files) {
  std::optional<MemoryLimit> smallest;
  for (const Folder& folder : own_folders(files, "memory")) {
    const auto limit = limit_of(files, folder);
    if (limit && (!smallest || limit->bytes < smallest->bytes))
      smallest = limit;
  }
  return smallest;
}

std::optional<MemoryLimit> read_memory_headroom(const platform::FileReader& files) {
  std::optional<MemoryLimit> smallest;
  for (const Folder& folder : own_folders(files, "memory")) {
    auto room = limit_of(files, folder);
    if (!room)
      continue;
    const ByteSize used = memory_in_use(files, folder);
    room->bytes = ByteSize(used < room->bytes ? room->bytes.bytes() - used.bytes() : 0);
    if (!smallest || room->bytes < smallest->bytes)
      smallest = room;
  }
  return smallest;
}

std::optional<CpuQuota> read_cpu_quota(const platform::FileReader& files) {
  std::optional<CpuQuota> smallest;
  for (const Folder& folder : own_folders(files, "cpu")) {
    const fs::path file = folder.path / (folder.unified ? "cpu.max" : "cpu.cfs_quota_us");
    std::optional<double> quota;
    if (!folder.unified) {
      quota = read_legacy_quota(files, folder.path);
    } else if (const auto text = files.try_read(file)) {
      quota = parse_cpu_max(*text);
    }
    if (quota && (!smallest || *quota < smallest->cpus))
      smallest = CpuQuota{*quota, file.string()};
  }
  return smallest;
}

}  // namespace las::hardware
