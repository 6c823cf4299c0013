// SPDX-License-Identifier: Apache-2.0
#include "running_process.hpp"

#include "las/base/error.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {

namespace {

// "Pss:   1024 kB"
std::optional<ByteSize> size_in(const platform::FileReader& files,
                                const std::string& path,
                                std::string_view key) {
  for (const std::string& line : text::lines(files.try_read(path).value_or(""))) {
    if (line.starts_with(key))
      return ByteSize::parse(text::trim(std::string_view(line).substr(key.size())));
  }
  return std::nullopt;
}

}  // namespace

std::optional<ByteSize> resident_memory(const platform::FileReader& files,
                                        const std::set<std::uint32_t>& pids) {
  std::optional<ByteSize> sum;
  for (const std::uint32_t pid : pids) {
    auto size = size_in(files, fmt::format("/proc/{}/smaps_rollup", pid), "Pss:");
    if (!size)
      size = size_in(files, fmt::format("/proc/{}/status", pid), "VmRSS:");
    if (size)
      sum = sum.value_or(ByteSize()) + *size;
  }
  return sum;
}

std::optional<std::filesystem::path> unified_control_group(const platform::FileReader& files,
                                                           std::uint32_t pid) {
  constexpr std::string_view kUnified = "0::/";
  for (const std::string& line :
       text::lines(files.try_read(fmt::format("/proc/{}/cgroup", pid)).value_or(""))) {
    if (!line.starts_with(kUnified))
      continue;
    // Beside the groups of version 1 they have a folder of their own.
    for (const std::filesystem::path root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      if (files.exists(root / "cgroup.procs"))
        return root / line.substr(kUnified.size());
    }
  }
  return std::nullopt;
}

std::vector<pid_t> all_processes(const platform::FileReader& files) {
  std::vector<pid_t> pids;
  for (const std::string& name : files.list_directory("/proc")) {
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      pids.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return pids;
}

std::vector<std::uint32_t> in_control_group_of(const platform::FileReader& files,
                                               std::uint32_t pid) {
  std::vector<std::uint32_t> members;
  const auto own = files.try_read(fmt::format("/proc/{}/cgroup", pid));
  if (pid == 0 || !own)
    return members;
  for (const pid_t other : all_processes(files)) {
    if (files.try_read(fmt::format("/proc/{}/cgroup", other)) == own)
      members.push_back(static_cast<std::uint32_t>(other));
  }
  return members;
}

std::vector<std::string> arguments_of(const platform::FileReader& files, pid_t pid) {
  std::vector<std::string> arguments;
  const std::string text = files.try_read(fmt::format("/proc/{}/cmdline", pid)).value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    arguments.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

std::string executable_of(const platform::FileReader& files, pid_t pid) {
  try {
    return files.read_symlink(fmt::format("/proc/{}/exe", pid)).string();
  } catch (const Error&) {
    return {};  // gone meanwhile, or another user's
  }
}

}  // namespace las::service
