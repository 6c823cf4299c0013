// SPDX-License-Identifier: Apache-2.0
#include "process_family.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>

#include <fmt/format.h>

namespace las::service {
namespace {

constexpr std::chrono::milliseconds kKillPatience{10000};

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::optional<ProcessStat> read_stat(const platform::FileReader& files, pid_t pid) {
  const auto text = files.try_read(fmt::format("/proc/{}/stat", pid));
  return text ? parse_process_stat(*text) : std::nullopt;
}

bool is_marked(const platform::FileReader& files, pid_t pid, const std::string& mark) {
  // Unreadable is another user's, and so none of ours.
  const auto environment = files.try_read(fmt::format("/proc/{}/environ", pid));
  if (!environment)
    return false;
  const auto variables = text::split(*environment, '\0');
  return std::find(variables.begin(), variables.end(), std::string(kServiceMark) + "=" + mark) !=
         variables.end();
}

/// The session that was made for the leader, if it can still be there: the kernel gives no number
/// away that is still a session's, so another process under the leader's means that it is gone.
std::optional<pid_t> session_of(const platform::FileReader& files, const Family& family) {
  if (!family.leader)
    return std::nullopt;
  const auto stat = read_stat(files, family.leader->pid);
  if (stat && stat->identity != *family.leader)
    return std::nullopt;
  return family.leader->pid;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // "pid (name) state ppid pgrp session …"; the name may hold spaces and parentheses.
  const auto name_end = text.rfind(')');
  const auto pid_end = text.find(' ');
  if (name_end == std::string_view::npos || pid_end == std::string_view::npos)
    return std::nullopt;
  const auto fields = text::split(text::trim(text.substr(name_end + 1)), ' ');
  constexpr std::size_t kState = 0, kGroup = 2, kSession = 3, kStartTime = 19;
  if (fields.size() <= kStartTime)
    return std::nullopt;
  const auto pid = parse_number<pid_t>(text.substr(0, pid_end));
  const auto group = parse_number<pid_t>(fields[kGroup]);
  const auto session = parse_number<pid_t>(fields[kSession]);
  const auto start_time = parse_number<std::uint64_t>(fields[kStartTime]);
  if (!pid || !group || !session || !start_time)
    return std::nullopt;
  const bool running = fields[kState] != "Z" && fields[kState] != "X";
  return ProcessStat{{*pid, *start_time}, *group, *session, running};
}

std::vector<ProcessStat> find_family(const platform::FileReader& files, const Family& family) {
  const auto session = session_of(files, family);
  std::vector<ProcessStat> members;
  for (const std::string& name : files.list_directory("/proc")) {
    const auto pid = parse_number<pid_t>(name);
    if (!pid)
      continue;
    const auto stat = read_stat(files, *pid);
    if (stat && stat->running && (stat->session == session || is_marked(files, *pid, family.mark)))
      members.push_back(*stat);
  }
  return members;
}

void kill_family(const platform::FileReader& files,
                 platform::ProcessRunner& processes,
                 const Family& family) {
  // More than one round: somebody may have forked between the look and the signal.
  for (int round = 0; round < 10; ++round) {
    const auto members = find_family(files, family);
    if (members.empty())
      return;
    for (const ProcessStat& member : members) {
      const auto leader = read_stat(files, member.group);
      processes.signal_group(leader ? leader->identity : platform::ProcessIdentity{member.group, 0},
                             SIGKILL);
    }
    for (const ProcessStat& member : members)
      if (!processes.wait_gone(member.identity, kKillPatience))
        throw Error(ErrorKind::Io,
                    _("a process does not end even when killed"),
                    std::to_string(member.identity.pid));
  }
  throw Error(ErrorKind::Io, _("a service's processes multiply faster than they can be killed"));
}

}  // namespace las::service
