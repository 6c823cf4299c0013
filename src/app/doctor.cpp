// SPDX-License-Identifier: Apache-2.0
#include "las/app/doctor.hpp"

#include "las/app/registries.hpp"
#include "las/app/verify.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

using Outcome = Check::Outcome;

// A clock that is behind makes certificates invalid and expiries meaningless; las's own records say
// what time it has been already.
Check check_clock(Session& session) {
  Check check{Outcome::Well, "clock", "", "", ""};
  const auto now = session.clock().now();
  std::optional<state::OperationRecord> last;
  session.store().read([&](const state::ReadTransaction& state) { last = state.last_operation(); });
  check.evidence = platform::to_iso8601(now);
  const auto done = last ? platform::from_iso8601(last->started_at) : std::nullopt;
  if (done && *done > now + std::chrono::minutes(5)) {
    check.outcome = Outcome::Bad;
    check.evidence = fmt::format(
        fmt::runtime(_("{}, and las did something at {}")), check.evidence, last->started_at);
    check.mend = "timedatectl set-ntp true";
  } else if (session.files().exists("/run/systemd/timesync/synchronized")) {
    check.evidence += std::string(", ") + _("synchronized");
  } else {
    check.outcome = Outcome::Unknown;
    check.evidence += std::string(", ") + _("whether it is synchronized cannot be seen");
  }
  return check;
}

std::vector<Check> check_disks(Session& session) {
  std::vector<Check> checks;
  std::set<std::uint64_t> seen;
  for (const fs::path& place :
       {session.layout().state, session.layout().models(), session.layout().cache}) {
    const fs::path existing = platform::nearest_existing(session.files(), place);
    const auto status = session.files().status(existing);
    if (!status || !seen.insert(status->device).second)
      continue;
    const ByteSize free = session.files().free_space(existing);
    Check check{Outcome::Well,
                "disk",
                place.string(),
                fmt::format(fmt::runtime(_("{} free")), free.to_string()),
                ""};
    // An engine and one small model; LMDB needs only some pages.
    if (free < ByteSize::mib(64))
      check.outcome = Outcome::Bad;
    else if (free < ByteSize::gib(5))
      check.outcome = Outcome::Warning;
    if (check.outcome != Outcome::Well)
      check.mend = _("las gc --keep 2 and las clean free what is not needed");
    checks.push_back(std::move(check));
  }
  return checks;
}

// Names that las itself would ask for: the hosts of the registries of this state.
std::set<std::string> hosts(Session& session) {
  std::set<std::string> hosts;
  for (const state::RegistryRecord& registry : remote_registries(session)) {
    const auto begin = registry.url.find("://");
    if (begin == std::string::npos)
      continue;
    const auto end = registry.url.find_first_of("/:", begin + 3);
    hosts.insert(registry.url.substr(begin + 3, end == std::string::npos ? end : end - begin - 3));
  }
  hosts.erase("");
  return hosts;
}

std::vector<Check> check_names(Session& session, const Activity& activity) {
  constexpr std::chrono::milliseconds kPatience{5000};
  std::vector<Check> checks;
  const std::string servers = session.files().try_read("/etc/resolv.conf").value_or("");
  if (servers.find("nameserver") == std::string::npos)
    checks.push_back({Outcome::Warning,
                      "names",
                      "/etc/resolv.conf",
                      _("no name server is configured"),
                      _("without one only what is in the cache can be installed")});
  for (const std::string& host : hosts(session)) {
    Check check{Outcome::Well, "names", host, "", ""};
    try {
      platform::Command command;
      command.argv = {"getent", "ahosts", host};
      command.environment = session.environment().variables;
      const auto result = session.processes().run(command, activity, kPatience);
      check.evidence =
          result.ok()
              ? text::lines(result.out).empty() ? std::string() : text::lines(result.out).front()
              : std::string(_("the name is not known"));
      if (!result.ok())
        check.outcome = Outcome::Bad;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Interrupted)
        throw;
      check.outcome = error.kind() == ErrorKind::NotFound ? Outcome::Unknown : Outcome::Bad;
      check.evidence = error.what();
    }
    if (check.outcome == Outcome::Bad)
      check.mend = _("see /etc/resolv.conf and the network");
    checks.push_back(std::move(check));
  }
  return checks;
}

std::vector<Check> check_drivers(Session& session, const Activity& activity) {
  std::vector<Check> checks;
  const hardware::HardwareProfile& profile = session.profile(activity);
  if (!profile.gpus.value) {
    checks.push_back({Outcome::Unknown, "driver", "", profile.gpus.unknown, ""});
    return checks;
  }
  for (const hardware::Gpu& gpu : *profile.gpus.value) {
    Check check;
    check.id = "driver";
    check.subject = gpu.name.value.value_or(_("a GPU"));
    if (!gpu.driver_state.value) {
      check.evidence = gpu.driver_state.unknown;
    } else {
      const std::string& state = *gpu.driver_state.value;
      check.outcome = state == "working" ? Outcome::Well : Outcome::Bad;
      check.evidence = state;
      if (gpu.driver_version.value)
        check.evidence += " " + gpu.driver_version.value->text();
      if (state == "mismatch")
        check.mend = _("the kernel's module and the library differ: reboot");
      else if (state != "working")
        check.mend = _("see the driver's part of: las detect");
    }
    checks.push_back(std::move(check));
  }
  return checks;
}

// Limits of services (memory, CPU) need the unified hierarchy.
Check check_cgroups(Session& session) {
  Check check{Outcome::Well, "cgroups", "", "", ""};
  const auto controllers = session.files().try_read("/sys/fs/cgroup/cgroup.controllers");
  if (!controllers) {
    check.outcome = Outcome::Warning;
    check.evidence = _("version 2 is not mounted at /sys/fs/cgroup");
    check.mend = _("limits of memory and CPU will not hold for services");
    return check;
  }
  check.evidence = *controllers;
  for (const char* needed : {"memory", "cpu", "pids"}) {
    const std::vector<std::string> words = text::split(*controllers, ' ');
    if (std::find(words.begin(), words.end(), needed) == words.end()) {
      check.outcome = Outcome::Warning;
      check.mend = fmt::format(fmt::runtime(_("the controller {} is missing")), needed);
    }
  }
  return check;
}

Check check_supervisor(Session& session) {
  const std::string limits = session.supervisor().limits();
  return {limits.empty() ? Outcome::Well : Outcome::Warning,
          "supervisor",
          session.supervisor().name(),
          limits.empty() ? std::string(_("runs services")) : limits,
          ""};
}

Check check_linger(Session& session) {
  const std::string user = session.environment().user;
  const bool lingers = platform::lingers(session.files(), session.environment());
  return {lingers ? Outcome::Well : Outcome::Warning,
          "linger",
          user,
          lingers ? _("services go on after logout") : _("services end at logout"),
          lingers ? std::string() : "loginctl enable-linger " + user};
}

}  // namespace

std::string_view to_string(Check::Outcome outcome) {
  switch (outcome) {
    case Outcome::Well:
      return "ok";
    case Outcome::Warning:
      return "warning";
    case Outcome::Bad:
      return "bad";
    case Outcome::Unknown:
      return "unknown";
  }
  return "unknown";
}

std::vector<Check> doctor(Session& session, const Activity& activity) {
  std::vector<Check> checks;
  const auto add = [&](std::vector<Check> more) {
    for (Check& check : more)
      checks.push_back(std::move(check));
  };
  // A damaged state is told by verify, below.
  try {
    checks.push_back(check_clock(session));
    add(check_names(session, activity));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::CorruptState)
      throw;
  }
  add(check_disks(session));
  add(check_drivers(session, activity));
  checks.push_back(check_cgroups(session));
  checks.push_back(check_supervisor(session));
  if (session.layout().scope == platform::Scope::User)
    checks.push_back(check_linger(session));
  const std::vector<Finding> findings = verify(session, {}, Depth::Quick, activity);
  for (const Finding& finding : findings)
    checks.push_back({Outcome::Bad,
                      "state",
                      finding.subject,
                      fmt::format("{}: {}", finding.id, finding.evidence),
                      finding.mend});
  if (findings.empty())
    checks.push_back({Outcome::Well,
                      "state",
                      session.layout().state.string(),
                      _("as recorded, as far as can be seen without reading contents"),
                      ""});
  return checks;
}

}  // namespace las::app
