// SPDX-License-Identifier: Apache-2.0
#include "las/service/unit.hpp"

#include "addresses.hpp"
#include "on_demand_units.hpp"
#include "sandbox.hpp"
#include "signals.hpp"
#include "unit_file.hpp"
#include "unit_parts.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"
#include "las/platform/container_engine.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace las::service {
namespace {

namespace fs = std::filesystem;
using platform::Scope;

/// Dynamic users can write only where systemd made the place for them, and that is below here.
constexpr std::string_view kStateDirectoryBase = "/var/lib";

std::string state_directory_word(const fs::path& data_directory) {
  const auto relative = data_directory.lexically_normal().lexically_relative(kStateDirectoryBase);
  if (relative.empty() || relative == "." || *relative.begin() == "..")
    throw Error(ErrorKind::InvalidData,
                fmt::format(fmt::runtime(_("the data of a systemd service must lie below {}")),
                            kStateDirectoryBase),
                data_directory.string());
  return escape_path_word(relative.string());
}

std::string command_line(const state::ServiceInstance& instance) {
  if (instance.argv.empty() || !instance.argv.front().starts_with('/'))
    throw Error(ErrorKind::InvalidData,
                _("the command of a service must begin with an absolute path"),
                instance.id);
  // systemd takes the program's path as it stands, but '$' in argv[0] as a variable: no spelling
  // means the same to both.
  if (instance.argv.front().find('$') != std::string::npos)
    throw Error(ErrorKind::InvalidData,
                _("the path of a service's program must not contain '$'"),
                instance.argv.front());
  std::vector<std::string> words;
  for (const std::string& word : instance.argv)
    words.push_back(escape_exec_word(word));
  return text::join(words, " ");
}

/// The engine whose daemon runs the service's container; nullptr where there is none between.
const platform::ContainerEngine* daemon_engine(const state::ServiceInstance& instance) {
  if (!instance.container)
    return nullptr;
  const auto& engine = platform::container_engine(instance.container->engine);
  return engine.daemon_unit().empty() ? nullptr : &engine;
}

/// What it uses is started before it, and outlives it at the machine's end.
void add_order(UnitSection& section, const state::ServiceInstance& instance) {
  std::vector<std::string> units;
  for (const std::string& id : instance.uses)
    units.push_back(unit_name(id, UnitKind::Service));
  if (units.empty())
    return;
  section.add("Wants", text::join(units, " ")).add("After", text::join(units, " "));
}

void add_unit_section(UnitFile& unit, const UnitInput& input) {
  UnitSection& section = unit.section("Unit");
  section.add("Description", described(input));
  section.add("Documentation", "man:las(1)");
  // User managers have no network targets; and only an outside address has to be there first.
  if (input.scope == Scope::System && is_loopback(input.instance.host))
    section.add("After", "network.target");
  else if (input.scope == Scope::System)
    section.add("Wants", "network-online.target").add("After", "network-online.target");
  std::vector<std::string> mounts{escape_path_word(input.data_directory.string())};
  for (const fs::path& path : input.readable)
    mounts.push_back(escape_path_word(path.string()));
  section.add("RequiresMountsFor", text::join(mounts, " "));
  add_order(section, input.instance);
  if (is_looked_at(input))
    section.add("Wants", unit_name(input.instance.id, UnitKind::HealthTimer));
  if (const auto* engine = daemon_engine(input.instance))
    section.add("Wants", engine->daemon_unit()).add("After", engine->daemon_unit());
  if (input.instance.on_demand)
    section.add("StopWhenUnneeded", "yes");
  // Starting again and again is what one on demand does.
  section.add("StartLimitIntervalSec", input.instance.on_demand ? "20" : "300")
      .add("StartLimitBurst", input.instance.on_demand ? "10" : "5");
}

/// Some programs that make data ask for the name of the user that they run as. A dynamic user has
/// one only where libnss-systemd is installed, so it gets a list of users with itself in it. Each
/// Exec line sees its mounts anew, so that it is there from the second on.
void add_own_name(UnitSection& section, std::string_view id) {
  const std::string folder = container_name(id);  // letters and digits, also for an id with '+'
  const std::string file = fmt::format("/run/{}/passwd", folder);
  section.add("RuntimeDirectory", folder);
  section.add("BindReadOnlyPaths", fmt::format("-{}:/etc/passwd", file));
  constexpr std::string_view kEntry = R"(echo "las-service:x:$(id -u):$(id -g)::/:/bin/sh" > "$0")";
  section.add("ExecStartPre",
              fmt::format("/bin/sh -c {} {}", escape_exec_word(kEntry), escape_exec_word(file)));
}

/// A secret is a credential, and systemd before 250 shows credentials to the main process alone.
/// What prepares the data sees the file itself, in an otherwise empty folder.
void add_secrets_of_preparations(UnitSection& section, const UnitInput& input) {
  bool folder = false;
  for (const auto& [name, text] : input.instance.secrets) {
    const fs::path file = input.secrets_directory / name;
    if (!is_read_by_preparation(input.instance, file))
      continue;
    if (!std::exchange(folder, true))
      section.add("TemporaryFileSystem",
                  escape_path_word(input.secrets_directory.parent_path().string()) + ":ro");
    section.add("BindReadOnlyPaths", escape_path_word(file.string()));
  }
}

/// Made under another name and renamed: a start that is cut short leaves nothing that passes for
/// the whole.
void add_preparations(UnitSection& section, const UnitInput& input) {
  const state::ServiceInstance& instance = input.instance;
  if (instance.prepare.empty())
    return;
  if (input.scope == Scope::System) {
    add_own_name(section, instance.id);
    add_secrets_of_preparations(section, input);
  }
  constexpr std::string_view kOnce =
      R"(test -e "$0" && exit 0; rm -rf "$0.new" && "$@" && mv -T "$0.new" "$0")";
  for (const state::PreparedPath& path : instance.prepare) {
    std::vector<std::string> words{
        "/bin/sh", "-c", escape_exec_word(kOnce), escape_exec_word(path.makes)};
    for (const std::string& word : path.command)
      words.push_back(escape_exec_word(word));
    section.add("ExecStartPre", text::join(words, " "));
  }
}

/// Fails where the engine's daemon makes its control groups in another way by now: the container
/// would run, but outside of all walls.
std::string same_driver(const platform::ContainerEngine& engine,
                        const state::ServiceInstance& instance) {
  std::vector<std::string> ask{R"("$0")"};
  for (const std::string& word : engine.ask_cgroup_driver())
    ask.push_back(text::shell_word(word));
  const std::string script =
      fmt::format(R"sh([ "$({})" = "$1" ] || {{ echo "the cgroup driver of $0 is no longer $1: )sh"
                  R"sh(las install --reinstall $2" >&2; exit 1; }})sh",
                  text::join(ask, " "));
  return fmt::format("/bin/sh -c {} {} {} {}",
                     escape_exec_word(script),
                     escape_exec_word(instance.argv.front()),
                     escape_exec_word(instance.container->cgroup_driver),
                     escape_exec_word(instance.module));
}

/// The engine starts the container, tells systemd which process watches it, and ends. Source:
/// podman-run(1), --sdnotify and --cgroups; what its generator of units writes, but for the control
/// group: that is to be the unit's, so that the unit's limits and walls hold.
///
/// Where a daemon runs the container, the engine's client stays and ends with it. Killed, it leaves
/// the container behind, which the next start or the end of this one removes.
void add_container_command(UnitSection& section, const UnitInput& input) {
  const state::ServiceInstance& instance = input.instance;
  const auto& engine = platform::container_engine(instance.container->engine);
  const bool by_daemon = !engine.daemon_unit().empty();
  const auto command = [&](const std::vector<std::string>& words) {
    return fmt::format("{} {}", escape_exec_word(instance.argv.front()), text::join(words, " "));
  };
  const std::string name = container_name(instance.id);
  const std::string remove = "-" + command(engine.remove(name));
  constexpr int kEndedByTerm = 143;
  if (by_daemon)
    section.add("Type", "exec")
        .add("Slice", unit_name(instance.id, UnitKind::Slice))
        .add("ExecStartPre", same_driver(engine, instance))
        .add("ExecStartPre", remove);
  else
    section.add("Type", "notify").add("NotifyAccess", "all");
  // The engine may make groups below the unit's.
  section.add("Delegate", "yes");
  section.add("Environment", engine.unit_environment()).add("ExecStart", command_line(instance));
  if (instance.on_demand)
    add_readiness(section, input);
  // It is run as well when the container ended by itself, and a client of a daemon then fails: that
  // would pass for a failure of the service.
  section
      .add("ExecStop", (by_daemon ? "-" : "") + command(engine.stop(name, instance.stop_timeout_s)))
      .add("ExecStopPost", remove)
      .add("SuccessExitStatus", std::to_string(kEndedByTerm));
}

void add_command(UnitSection& section, const UnitInput& input) {
  const state::ServiceInstance& instance = input.instance;
  section.add("Type", instance.notifies ? "notify" : "exec");
  add_preparations(section, input);
  section.add("ExecStart", command_line(instance));
  if (instance.on_demand)
    add_readiness(section, input);
  section.add("WorkingDirectory", escape_line(input.data_directory.string()));
  // Engines keep caches and settings in HOME; a dynamic user's is "/".
  if (!instance.environment.contains("HOME"))
    section.add("Environment", escape_environment("HOME", input.data_directory.string()));
  for (const auto& [name, value] : instance.environment)
    section.add("Environment", escape_environment(name, value));
}

void add_life(UnitSection& section, const state::ServiceInstance& instance) {
  signal_number(instance.stop_signal);
  // The signal is for the program, which knows how to end its workers; what then stays is killed.
  section.add("KillMode", "mixed").add("KillSignal", instance.stop_signal);
  // The engine's own stop takes as long, and is to end first.
  constexpr std::int64_t kSpareSeconds = 10;
  section.add("TimeoutStopSec",
              std::to_string(instance.stop_timeout_s + (instance.container ? kSpareSeconds : 0)));
  section.add("TimeoutStartSec", std::to_string(instance.start_period_s));
  // What starts on demand is started again by the next request. A daemon that is restarted ends its
  // containers the way that it ends one by order: the client says "success".
  const char* always = daemon_engine(instance) != nullptr ? "always" : "on-failure";
  section.add("Restart", instance.on_demand ? "no" : always).add("RestartSec", "2");
  section.add("OOMPolicy", "stop");
}

void add_limits(UnitSection& section, const state::ServiceLimits& limits) {
  if (limits.memory)
    section.add("MemoryMax", std::to_string(limits.memory->bytes()));
  if (limits.cpu_percent != 0)
    section.add("CPUQuota", fmt::format("{}%", limits.cpu_percent));
  for (const std::string& list : {limits.cpus, limits.numa_nodes})
    if (list.find_first_not_of("0123456789-,") != std::string::npos)
      throw Error(ErrorKind::InvalidData, _("not a list of numbers"), list);
  if (!limits.cpus.empty())
    section.add("AllowedCPUs", limits.cpus);
  if (!limits.numa_nodes.empty())
    section.add("AllowedMemoryNodes", limits.numa_nodes);
  if (limits.tasks != 0)
    section.add("TasksMax", std::to_string(limits.tasks));
  if (limits.io_weight != 0)
    section.add("IOWeight", std::to_string(limits.io_weight));
}

void add_secrets(UnitSection& section, const UnitInput& input) {
  // A user's services are the user's processes: they read the files themselves.
  if (input.scope == Scope::User)
    return;
  for (const auto& [name, text] : input.instance.secrets)
    section.add("LoadCredential",
                fmt::format("{}:{}", name, escape_line((input.secrets_directory / name).string())));
}

std::string finish_unit(UnitFile& unit, const UnitInput& input) {
  // What starts on demand starts at boot by its socket.
  if (!input.instance.on_demand)
    unit.section("Install").add(
        "WantedBy", input.scope == Scope::System ? "multi-user.target" : "default.target");
  return unit.render();
}

/// It begins with the service (which wants it) and ends with it. PartOf= and not BindsTo=, which
/// would count as a need for the service: one on demand would never be idle. One that never began,
/// as what it needs failed, is not stopped either: then nobody needs the timer. One that is always
/// to run has it when it failed as well: what sees that it is given up is the timer.
std::string render_health_timer(const UnitInput& input) {
  const std::string service = unit_name(input.instance.id);
  UnitFile unit = begin_unit(input, UnitKind::HealthTimer);
  UnitSection& head = unit.section("Unit");
  head.add("Description", described(input, "health timer"))
      // Timers are before timers.target, which a user's basic.target waits for, and that the
      // service.
      .add("DefaultDependencies", "no")
      // It starts as often as the service does.
      .add("StartLimitIntervalSec", "0")
      .add("PartOf", service);
  if (input.instance.on_demand)
    head.add("StopWhenUnneeded", "yes");
  head.add("After", service);
  const std::string interval = fmt::format("{}s", input.instance.health.interval_s);
  unit.section("Timer")
      .add("OnActiveSec", interval)
      .add("OnUnitInactiveSec", interval)
      .add("AccuracySec", "1s");
  return unit.render();
}

/// To run a command in a container the engine writes its state and joins the container's
/// namespaces. Found by trying with podman 4.3, one after the other.
void open_for_engine(Scope scope,
                     const state::ContainerRun& container,
                     std::map<std::string, std::string>& doors) {
  doors["ReadWritePaths"] +=
      "\n-/var/lib/containers  # the engine's state\n/run  # likewise\n"
      "-/etc/containers/networks  # its locks\n-/etc/cni  # likewise\n/var/tmp  # likewise";
  doors["CapabilityBoundingSet"] +=
      "\nCAP_SETGID CAP_SETPCAP CAP_SYS_CHROOT CAP_SYS_ADMIN  # to join a container\n"
      "CAP_SYS_RESOURCE  # its limit of open files is above this unit's";
  if (!container.user.empty())
    doors["CapabilityBoundingSet"] += "\nCAP_SETUID CAP_KILL  # its user is not root";
  if (const std::string own = capabilities_of(container); !own.empty())
    doors["CapabilityBoundingSet"] += "\n" + own + "  # what its manifest gives it";
  doors["ProtectControlGroups"] = "no  # a command in a container is in its control group";
  doors["RestrictNamespaces"] = "mnt pid ipc uts cgroup net user  # the container's";
  doors["RestrictAddressFamilies"] = "AF_NETLINK  # the container's network";
  doors["SystemCallFilter"] =
      "@mount seccomp keyctl add_key pivot_root unshare setns bpf capset sethostname chroot  # to "
      "join a container";
  if (scope == Scope::User) {
    doors["NoNewPrivileges"] = "no  # newuidmap";
    doors["RestrictSUIDSGID"] = "no  # likewise";
  }
}

/// Whether ProtectHome= would hide it. Source: systemd.exec(5).
bool is_at_home(const fs::path& path) {
  const std::string name = path.lexically_normal().string();
  return name.starts_with("/home/") || name.starts_with("/root/") || name.starts_with("/run/user/");
}

/// las as root, for one look: it writes to its state, asks systemd, and sees whose the port is.
std::string render_health_check(const UnitInput& input) {
  UnitFile unit = begin_unit(input, UnitKind::HealthCheck);
  // How often is for the timer to say.
  unit.section("Unit")
      .add("Description", described(input, "health check"))
      .add("StartLimitIntervalSec", "0");
  // las itself gives up long before: the probe has its own time limit.
  constexpr int kSpareSeconds = 60;
  UnitSection& section = unit.section("Service");
  section.add("Type", "oneshot")
      .add("ExecStart", las_command(input, {"health", "--record", "--quiet", input.instance.id}))
      .add("TimeoutStartSec",
           std::to_string(input.instance.health.timeout_ms / 1000 + kSpareSeconds))
      .add("SyslogIdentifier", "las-health");
  UnitInput walls = input;
  walls.state_directory.clear();
  walls.readable.clear();
  walls.instance.host = "127.0.0.1";
  walls.instance.network = "local";
  // With CAP_SYS_PTRACE it sees all processes behind ProtectProc=, too: proc(5), hidepid=.
  walls.needs_open = {
      {"CapabilityBoundingSet",
       "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_SYS_PTRACE  # the state, and whose a port is"},
      {"ReadWritePaths",
       fmt::format("{}  # the state\n-/var/log/las  # its log\n-/var/cache/las  # its cache",
                   input.state_directory.string())}};
  if (is_at_home(input.las_program) || is_at_home(input.state_directory))
    walls.needs_open["ProtectHome"] = "read-only  # las lies there";
  const bool asks_by_program = input.instance.health_kind == "exec";
  const bool joins_container =
      asks_by_program && input.instance.container && daemon_engine(input.instance) == nullptr;
  if (joins_container)
    open_for_engine(input.scope, *input.instance.container, walls.needs_open);
  add_sandbox(section, walls);
  // las itself needs less than what it looks at. A program that it asks may compile at run time.
  if (!asks_by_program)
    section.add("MemoryDenyWriteExecute", "yes");
  if (!joins_container)
    section.add("SystemCallFilter", "~@privileged @resources");
  if (input.scope == Scope::System)
    section.add("PrivateMounts", "yes");
  return unit.render();
}

/// The daemon puts the container into it. It ends with the service.
std::string render_slice(const UnitInput& input) {
  UnitFile unit = begin_unit(input, UnitKind::Slice);
  unit.section("Unit")
      .add("Description", described(input, "its container"))
      .add("StopWhenUnneeded", "yes");
  UnitSection& section = unit.section("Slice");
  add_limits(section, input.instance.limits);
  add_network_walls(section, input);
  return unit.render();
}

}  // namespace

std::string unit_name(std::string_view service_id, UnitKind kind) {
  if (!text::is_name(service_id))
    throw Error(ErrorKind::InvalidData, _("not a name for a service"), std::string(service_id));
  // Of the characters of a name, '+' is the one that unit names lack: systemd.unit(5), "STRING
  // ESCAPING FOR INCLUSION IN UNIT NAMES".
  std::string escaped;
  for (const char c : service_id)
    escaped += c == '+' ? std::string("\\x2b") : std::string(1, c);
  switch (kind) {
    case UnitKind::Service:
      break;
    case UnitKind::HealthTimer:
      return fmt::format("las-health@{}.timer", escaped);
    case UnitKind::HealthCheck:
      return fmt::format("las-health@{}.service", escaped);
    case UnitKind::Socket:
      return fmt::format("las-{}.socket", escaped);
    case UnitKind::Proxy:
      return fmt::format("las-proxy@{}.service", escaped);
    case UnitKind::Gate:
      return fmt::format("las-gate@{}.service", escaped);
    case UnitKind::Slice:
      // Dashes would put it into another slice: systemd.slice(5).
      for (auto at = escaped.find('-'); at != std::string::npos; at = escaped.find('-', at))
        escaped.replace(at, 1, "\\x2d");
      return fmt::format("las-{}.slice", escaped);
  }
  return fmt::format("las-{}.service", escaped);
}

std::string container_name(std::string_view service_id) {
  // Engines take no '+' in a name, and ids have no capitals.
  std::string name = fmt::format("las-{}", service_id);
  std::replace(name.begin(), name.end(), '+', 'P');
  return name;
}

std::filesystem::path credential_path(std::string_view service_id, std::string_view secret) {
  return std::filesystem::path("/run/credentials") / unit_name(service_id) / secret;
}

std::string without_comments(std::string_view unit_text) {
  std::string out;
  for (const std::string& line : text::lines(unit_text)) {
    if (!line.starts_with('#'))
      out += line + "\n";
  }
  return out;
}

std::string render_unit(const UnitInput& input) {
  UnitFile unit = begin_unit(input, UnitKind::Service);
  add_unit_section(unit, input);

  UnitSection& section = unit.section("Service");
  const bool is_contained = input.instance.container.has_value();
  if (is_contained)
    add_container_command(section, input);
  else
    add_command(section, input);
  add_life(section, input.instance);
  if (daemon_engine(input.instance) != nullptr) {
    add_client_walls(section, input);
    return finish_unit(unit, input);
  }
  add_limits(section, input.instance.limits);
  if (is_contained) {
    add_container_walls(section, input);
    return finish_unit(unit, input);
  }
  add_secrets(section, input);
  if (input.scope == Scope::System)
    section.add("DynamicUser", "yes")
        .add("StateDirectory", state_directory_word(input.data_directory))
        .add("StateDirectoryMode", "0700");
  add_sandbox(section, input);
  add_gpu_doors(section, input);

  return finish_unit(unit, input);
}

std::map<std::string, std::string> render_more_units(const UnitInput& input) {
  std::map<std::string, std::string> units;
  const auto add = [&](UnitKind kind, std::string text) {
    units[unit_name(input.instance.id, kind)] = std::move(text);
  };
  if (is_looked_at(input)) {
    add(UnitKind::HealthTimer, render_health_timer(input));
    add(UnitKind::HealthCheck, render_health_check(input));
  }
  if (input.instance.on_demand) {
    add(UnitKind::Socket, render_socket(input));
    add(UnitKind::Proxy, render_proxy(input));
    add(UnitKind::Gate, render_gate(input));
  }
  if (daemon_engine(input.instance) != nullptr)
    add(UnitKind::Slice, render_slice(input));
  return units;
}

}  // namespace las::service
