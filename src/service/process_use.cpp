// SPDX-License-Identifier: Apache-2.0
// What running processes use, from /proc.
#include "running_process.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/service/supervisor.hpp"
#include "las/service/unit.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::service {
namespace {

namespace fs = std::filesystem;

bool lies_in(const std::string& path, const fs::path& place) {
  const std::string& prefix = place.native();
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/' || prefix.ends_with('/'));
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

struct Listener {
  std::string socket;  ///< as the links in /proc/<pid>/fd name it
  std::string uid;
};

// Who listens on the port. Format: proc(5), "address:port" in hexadecimal, state 0A = LISTEN, the
// user in the eighth field and the inode in the tenth.
std::vector<Listener> listeners_on(const platform::FileReader& files, std::uint16_t port) {
  constexpr std::size_t kLocal = 1, kState = 3, kUser = 7, kInode = 9;
  const std::string suffix = fmt::format(":{:04X}", port);
  std::vector<Listener> listeners;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::string text;
    try {
      text = files.read_file(table, ByteSize::mib(64));
    } catch (const Error&) {
      continue;  // a kernel without that family
    }
    for (const std::string& line : text::lines(text)) {
      std::vector<std::string> fields = text::split(line, ' ');
      std::erase(fields, "");
      if (fields.size() > kInode && fields[kLocal].ends_with(suffix) && fields[kState] == "0A")
        listeners.push_back({"socket:[" + fields[kInode] + "]", fields[kUser]});
    }
  }
  return listeners;
}

std::set<std::string> listening_sockets(const platform::FileReader& files, std::uint16_t port) {
  std::set<std::string> sockets;
  for (const Listener& listener : listeners_on(files, port))
    sockets.insert(listener.socket);
  return sockets;
}

bool has_any(const platform::FileReader& files, pid_t pid, const std::set<std::string>& sockets) {
  const std::vector<std::string> open = open_files(files, pid);
  return std::any_of(
      open.begin(), open.end(), [&](const std::string& file) { return sockets.contains(file); });
}

// What it calls itself; its file may have another name (one program under many links).
std::string name_of(const platform::FileReader& files, pid_t pid) {
  const auto name = files.try_read(fmt::format("/proc/{}/comm", pid));
  const std::string own(name ? text::trim(*name) : std::string_view());
  return own.empty() ? fs::path(executable_of(files, pid)).filename().string() : own;
}

// "pid 7 (server)"; "" when nobody has them, or somebody whose files are not ours to see.
std::string holder_of(const platform::FileReader& files, const std::set<std::string>& sockets) {
  for (const pid_t pid : all_processes(files)) {
    if (has_any(files, pid, sockets))
      return fmt::format("pid {} ({})", pid, name_of(files, pid));
  }
  return {};
}

}  // namespace

std::set<std::uint32_t> processes_of(const platform::FileReader& files,
                                     const std::string& service_id,
                                     std::uint32_t main) {
  std::set<std::uint32_t> processes{main};
  const std::string unit = "/" + unit_name(service_id);
  const std::string slice = fmt::format("/{}/", unit_name(service_id, UnitKind::Slice));
  for (const pid_t pid : all_processes(files)) {
    // "0::/system.slice/las-tiny.service", and further groups below it, or in a slice of its own,
    // in a container.
    for (const std::string& line :
         text::lines(files.try_read(fmt::format("/proc/{}/cgroup", pid)).value_or(""))) {
      if (line.ends_with(unit) || line.find(unit + "/") != std::string::npos ||
          line.find(slice) != std::string::npos)
        processes.insert(static_cast<std::uint32_t>(pid));
    }
  }
  return processes;
}

std::string foreign_listener(const platform::FileReader& files,
                             std::uint16_t port,
                             const std::vector<std::uint32_t>& processes) {
  const std::set<std::string> sockets = listening_sockets(files, port);
  if (sockets.empty() || processes.empty())
    return {};
  bool seen = false;
  for (const std::uint32_t pid : processes) {
    seen = seen || !open_files(files, static_cast<pid_t>(pid)).empty();
    if (has_any(files, static_cast<pid_t>(pid), sockets))
      return {};
  }
  if (!seen)
    return {};
  const std::string holder = holder_of(files, sockets);
  return holder.empty() ? std::string(_("another process")) : holder;
}

std::string port_owner(const platform::FileReader& files, std::uint16_t port) {
  const std::vector<Listener> listeners = listeners_on(files, port);
  std::set<std::string> sockets;
  for (const Listener& listener : listeners)
    sockets.insert(listener.socket);
  if (const std::string holder = holder_of(files, sockets); !holder.empty())
    return holder;
  // Whose it is stands in the table also where the process hides its files.
  if (!listeners.empty())
    return fmt::format(fmt::runtime(_("a program of the user with number {}")),
                       listeners.front().uid);
  return _("another program");
}

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
  for (const pid_t pid : all_processes(files)) {
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
