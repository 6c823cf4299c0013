// SPDX-License-Identifier: Apache-2.0
// What running processes use, from /proc.
#include "running_process.hpp"

#include "las/base/error.hpp"
#include "las/base/text.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {
namespace {

namespace fs = std::filesystem;

bool lies_in(const std::string& path, const fs::path& place) {
  const std::string& prefix = place.native();
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/' || prefix.ends_with('/'));
}

std::vector<pid_t> processes(const platform::FileReader& files) {
  std::vector<pid_t> pids;
  for (const std::string& name : files.list_directory("/proc")) {
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      pids.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return pids;
}

std::string link_of(const platform::FileReader& files, const std::string& path) {
  try {
    return files.read_symlink(path).string();
  } catch (const Error&) {
    return {};  // gone meanwhile, or another user's
  }
}

std::vector<std::string> open_files(const platform::FileReader& files, pid_t pid) {
  std::vector<std::string> paths;
  const std::string folder = fmt::format("/proc/{}/fd", pid);
  try {
    for (const std::string& name : files.list_directory(folder))
      paths.push_back(link_of(files, folder + "/" + name));
  } catch (const Error&) {
    paths.clear();  // likewise
  }
  return paths;
}

std::vector<std::string> mapped_files(const platform::FileReader& files, pid_t pid) {
  std::vector<std::string> paths;
  std::string text;
  try {
    text = files.read_file(fmt::format("/proc/{}/maps", pid), ByteSize::mib(64));
  } catch (const Error&) {
    return paths;  // likewise
  }
  for (const std::string& line : text::lines(text)) {
    if (const auto slash = line.find('/'); slash != std::string::npos)
      paths.push_back(line.substr(slash));
  }
  return paths;
}

}  // namespace

std::string foreign_program(const platform::FileReader& files,
                            std::uint32_t pid,
                            const std::vector<fs::path>& places) {
  if (pid == 0)
    return {};
  const auto id = static_cast<pid_t>(pid);
  const std::string program = executable_of(files, id);
  if (program.empty())
    return {};
  const std::vector<std::string> arguments = arguments_of(files, id);
  for (const fs::path& place : places) {
    std::error_code ignored;
    const fs::path real = fs::weakly_canonical(place, ignored);
    if (lies_in(program, place) || lies_in(program, real))
      return {};
    for (const std::string& argument : arguments) {
      if (lies_in(argument, place) || lies_in(argument, real))
        return {};
    }
  }
  return program;
}

std::map<std::string, std::string> entries_in_use(const platform::FileReader& files,
                                                  const fs::path& directory) {
  std::map<std::string, std::string> used;
  for (const pid_t pid : processes(files)) {
    std::vector<std::string> paths = arguments_of(files, pid);
    const std::string program = executable_of(files, pid);
    paths.push_back(program);
    paths.push_back(link_of(files, fmt::format("/proc/{}/cwd", pid)));
    for (std::string& path : open_files(files, pid))
      paths.push_back(std::move(path));
    for (std::string& path : mapped_files(files, pid))
      paths.push_back(std::move(path));
    for (const std::string& path : paths) {
      if (!lies_in(path, directory))
        continue;
      const fs::path relative = fs::path(path).lexically_relative(directory);
      if (!relative.empty() && relative != ".")
        used.emplace(relative.begin()->string(),
                     fmt::format("pid {} ({})", pid, fs::path(program).filename().string()));
    }
  }
  return used;
}

}  // namespace las::service
