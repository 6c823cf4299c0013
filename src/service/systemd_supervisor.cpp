// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"
#include "installed_units.hpp"
#include "log_file.hpp"
#include "ports.hpp"
#include "run_check.hpp"
#include "running_process.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/address_filter.hpp"
#include "las/service/supervisor.hpp"
#include "las/service/unit.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {
namespace {

using platform::Scope;
using platform::UnitProperties;
using state::ServiceInstance;

bool is_between_restarts(const UnitProperties& unit) {
  return unit.sub_state.starts_with("auto-restart");
}

RunState run_state(const UnitProperties& unit) {
  // Between a crash and the restart systemd calls the unit "activating"; nothing runs then.
  if (is_between_restarts(unit))
    return RunState::Failed;
  if (unit.active_state == "active" || unit.active_state == "reloading")
    return RunState::Running;
  if (unit.active_state == "activating")
    return RunState::Starting;
  if (unit.active_state == "deactivating")
    return RunState::Stopping;
  if (unit.active_state == "failed")
    return RunState::Failed;
  return unit.load_state == "not-found" ? RunState::Absent : RunState::Stopped;
}

std::optional<bool> is_enabled(const UnitProperties& unit) {
  if (unit.unit_file_state == "enabled")
    return true;
  if (unit.unit_file_state == "disabled")
    return false;
  return std::nullopt;
}

bool by_signal(const UnitProperties& unit) {
  return unit.result == "signal" || unit.result == "core-dump" || unit.result == "oom-kill" ||
         unit.result == "watchdog";
}

class SystemdSupervisor final : public Supervisor {
 public:
  SystemdSupervisor(SupervisorSurroundings surroundings, std::unique_ptr<platform::SystemdBus> bus)
      : around_(surroundings), bus_(std::move(bus)) {}

  std::string name() const override { return "systemd"; }

  std::string limits() const override {
    if (around_.layout.scope == Scope::System ||
        platform::lingers(around_.files, around_.environment))
      return {};
    return _(
        "services of a user run from login to logout, unless lingering is enabled "
        "(loginctl enable-linger)");
  }

  bool looks_after_health() const override { return true; }

  void install(const std::vector<ServiceInstance>& wanted,
               const std::set<std::string>& leave,
               const Activity& activity) override;
  void start(const ServiceInstance& service, const Activity& activity) override;
  void stop(const ServiceInstance& service, const Activity& activity) override;
  void set_at_boot(const ServiceInstance& service, bool at_boot) override;

  void restart(const ServiceInstance& service, const Activity& activity) override {
    const std::string unit = unit_name(service.id);
    tolerate_unknown_unit([&] { bus_->reset_failed(unit); });
    bus_->restart(unit, activity);
  }

  ServiceStatus status(const ServiceInstance& service) override;
  std::vector<std::string> logs(const ServiceInstance& service, std::size_t count) override;

  std::string outside_log(const ServiceInstance& service) const override {
    return (around_.layout.scope == Scope::User ? "journalctl --user -u " : "journalctl -u ") +
           unit_name(service.id);
  }

  void read_log(const ServiceInstance& service,
                const LogQuery& query,
                const std::function<void(const std::string&)>& on_line,
                const Activity& activity) override {
    run_journalctl(service, query, on_line, activity, std::nullopt);
  }

  platform::ProcessResult run_check(const ServiceInstance& service,
                                    std::chrono::milliseconds timeout,
                                    const Activity& activity) override {
    return run_health_command(around_, service, timeout, activity);
  }

  std::string foreign_image(const ServiceInstance& service) override {
    return ask_foreign_image(around_, service);
  }

  std::string impostor(const ServiceInstance& service) override {
    if (runs_by_daemon(around_, service))
      return {};
    return foreign_listener(
        around_.files, service.own_port(), in_control_group_of(around_.files, status(service).pid));
  }

  bool lets_everybody_in(const ServiceInstance& service) override;

  // systemd makes and removes the links of enabled units without syncing them.
  void sync() override {
    const platform::fs::path& units = around_.layout.units;
    const auto status = around_.files.status(units);
    if (!status || status->kind != platform::FileKind::Directory)
      return;
    around_.files.sync_directory(units);
    for (const std::string& name : around_.files.list_directory(units)) {
      const auto wants = around_.files.status(units / name);
      if (name.ends_with(".wants") && wants && wants->kind == platform::FileKind::Directory)
        around_.files.sync_directory(units / name);
    }
  }

  std::vector<std::string> installed() override {
    std::vector<std::string> ids;
    for (UnitOf& unit : find_generated_units(around_.files, around_.layout.units)) {
      if (unit.kind == UnitKind::Service)
        ids.push_back(std::move(unit.service));
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }

 private:
  void remove_unit(const std::string& unit, const Activity& activity);
  bool write_units(const ServiceInstance& service,
                   bool leave,
                   std::vector<const ServiceInstance*>& mended,
                   const Activity& activity);
  void start_timer_if_running(const ServiceInstance& service, const Activity& activity);
  void start_unit(const ServiceInstance& service,
                  const std::string& unit,
                  const Activity& activity);
  void add_socket_status(const ServiceInstance& service, ServiceStatus& status);
  void run_journalctl(const ServiceInstance& service,
                      const LogQuery& query,
                      const std::function<void(const std::string&)>& on_line,
                      const Activity& activity,
                      std::optional<std::chrono::milliseconds> timeout);

  /// What is enabled, so that the service is there after a boot.
  static std::string boot_unit(const ServiceInstance& service) {
    return unit_name(service.id, service.on_demand ? UnitKind::Socket : UnitKind::Service);
  }

  void restart_if_running(const ServiceInstance& service, const Activity& activity);

  /// NotFound, which says that the unit is as gone as it was to become, passes.
  template <typename Call>
  static void tolerate_unknown_unit(Call&& call) {
    try {
      call();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::NotFound)
        throw;
    }
  }

  SupervisorSurroundings around_;
  std::unique_ptr<platform::SystemdBus> bus_;
};

void SystemdSupervisor::remove_unit(const std::string& unit, const Activity& activity) {
  activity.debug("service", "removing " + unit);
  tolerate_unknown_unit([&] { bus_->stop(unit, activity); });
  tolerate_unknown_unit([&] { bus_->disable({unit}); });
  around_.files.remove_file(around_.layout.units / unit);
  // Else a unit that failed would stay listed after its file is gone.
  tolerate_unknown_unit([&] { bus_->reset_failed(unit); });
}

void SystemdSupervisor::install(const std::vector<ServiceInstance>& wanted,
                                const std::set<std::string>& leave,
                                const Activity& activity) {
  bool changed = false;
  std::set<std::string> names;
  for (const ServiceInstance& service : wanted) {
    for (const auto& [name, text] : units_of(service))
      names.insert(name);
  }
  for (const UnitOf& unit : find_generated_units(around_.files, around_.layout.units)) {
    if (names.contains(unit.name))
      continue;
    remove_unit(unit.name, activity);
    changed = true;
  }
  if (!wanted.empty())
    around_.files.make_directories(around_.layout.units);
  std::vector<const ServiceInstance*> mended, unwatched;
  for (const ServiceInstance& service : wanted) {
    // A system unit's is made by systemd, which knows the dynamic user to give it to.
    const bool makes_it_itself = around_.layout.scope == Scope::User || service.container;
    if (makes_it_itself && !service.data_directory.empty())
      around_.files.make_directories(service.data_directory, 0700);
    // Beneath one that runs they are its own affair: some give them to others as they start.
    if (const auto owner = owner_of_data(service); owner && !is_up(status(service).state))
      platform::give_tree(around_.files, service.data_directory, owner->uid, owner->gid);
    make_secrets(around_.files, service, around_.layout.secrets(service.id));
    const bool written = write_units(service, leave.contains(service.id), mended, activity);
    changed = changed || written;
    if (written)
      unwatched.push_back(&service);
  }
  if (changed)
    bus_->reload();
  for (const ServiceInstance* service : mended)
    restart_if_running(*service, activity);
  // One that came back under a running service would wait for its next start.
  for (const ServiceInstance* service : unwatched)
    start_timer_if_running(*service, activity);
}

void SystemdSupervisor::start_timer_if_running(const ServiceInstance& service,
                                               const Activity& activity) {
  const std::string timer = unit_name(service.id, UnitKind::HealthTimer);
  if (service.more_units.contains(timer) && status(service).state == RunState::Running)
    bus_->start(timer, activity);
}

/// Whether any file changed. `leave`: units that are there stay as they are. A service whose own
/// unit had been edited is added to `mended`.
bool SystemdSupervisor::write_units(const ServiceInstance& service,
                                    bool leave,
                                    std::vector<const ServiceInstance*>& mended,
                                    const Activity& activity) {
  bool changed = false;
  for (const auto& [name, text] : units_of(service)) {
    const auto before = around_.files.try_read(around_.layout.units / name);
    if (before && leave)
      continue;
    if (!write_unit(around_.files, around_.layout.units, name, text))
      continue;
    activity.debug("service", "wrote " + name);
    changed = true;
    if (name == unit_name(service.id) && before &&
        without_comments(*before) != without_comments(text))
      mended.push_back(&service);
  }
  return changed;
}

/// Whoever changes a service's unit stops the service first; one that runs all the same runs from a
/// unit that las did not write.
void SystemdSupervisor::restart_if_running(const ServiceInstance& service,
                                           const Activity& activity) {
  const RunState now = status(service).state;
  if (now != RunState::Running && now != RunState::Starting)
    return;
  activity.warn("service",
                fmt::format(fmt::runtime(_("the unit of {} had been edited; restarting it as las "
                                           "wrote it")),
                            service.id));
  const std::string unit = unit_name(service.id);
  // Its earlier restarts count against the start limit.
  tolerate_unknown_unit([&] { bus_->reset_failed(unit); });
  bus_->restart(unit, activity);
}

void SystemdSupervisor::start(const ServiceInstance& service, const Activity& activity) {
  const ServiceStatus before = status(service);
  if (before.state == RunState::Stopped || before.state == RunState::Failed)
    require_port_free(service);
  // systemd reads all its units anew for it.
  if (before.enabled != true && !is_guarded_at_boot(service))
    bus_->enable({boot_unit(service)});
  if (service.on_demand) {
    // What ended with an error would keep its socket from starting it again.
    for (const UnitKind kind : {UnitKind::Service, UnitKind::Proxy})
      tolerate_unknown_unit([&] { bus_->reset_failed(unit_name(service.id, kind)); });
  }
  start_unit(service, boot_unit(service), activity);
}

void SystemdSupervisor::start_unit(const ServiceInstance& service,
                                   const std::string& unit,
                                   const Activity& activity) {
  // A unit that has used up its start limit would be refused without a try.
  tolerate_unknown_unit([&] { bus_->reset_failed(unit); });
  try {
    bus_->start(unit, activity);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Io)
      throw;
    const UnitProperties properties = bus_->properties(unit);
    const std::string reason =
        fmt::format("{} ({})", properties.result, describe_end(status(service)));
    throw Error(ErrorKind::Io, _("the service could not be started"), service.id)
        .cause(with_last_lines(reason, *this, service))
        .hint(fmt::format(
            "journalctl {}-u {}", around_.layout.scope == Scope::User ? "--user " : "", unit));
  }
}

void SystemdSupervisor::stop(const ServiceInstance& service, const Activity& activity) {
  // Its port first: a request that comes now must not start it again.
  for (const UnitKind kind : {UnitKind::Socket, UnitKind::Proxy, UnitKind::Service}) {
    if (kind == UnitKind::Service || service.on_demand)
      tolerate_unknown_unit([&] { bus_->stop(unit_name(service.id, kind), activity); });
  }
  // What ended badly before it was stopped is stopped all the same.
  for (const auto& [name, text] : units_of(service))
    tolerate_unknown_unit([&] { bus_->reset_failed(name); });
  // Stopped means stopped after the next boot as well; start() enables it again.
  tolerate_unknown_unit([&] { bus_->disable({boot_unit(service)}); });
}

void SystemdSupervisor::set_at_boot(const ServiceInstance& service, bool at_boot) {
  if (at_boot)
    bus_->enable({boot_unit(service)});
  else
    tolerate_unknown_unit([&] { bus_->disable({boot_unit(service)}); });
}

/// What the socket of a service that starts on demand has to say about it.
void SystemdSupervisor::add_socket_status(const ServiceInstance& service, ServiceStatus& status) {
  UnitProperties socket;
  try {
    socket = bus_->properties(unit_name(service.id, UnitKind::Socket));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound)
      throw;
    return;
  }
  status.enabled = is_enabled(socket);
  if (status.state == RunState::Stopped && socket.active_state == "active")
    status.state = RunState::Waiting;
  if (socket.active_state == "failed") {
    status.state = RunState::Failed;
    status.detail = socket.result;
  }
}

ServiceStatus SystemdSupervisor::status(const ServiceInstance& service) {
  ServiceStatus status;
  UnitProperties unit;
  try {
    unit = bus_->properties(unit_name(service.id));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound)
      throw;
    return status;
  }
  status.state = run_state(unit);
  status.starts_again = is_between_restarts(unit);
  status.pid = unit.main_pid;
  const auto pid = static_cast<pid_t>(unit.main_pid);
  if (pid != 0)
    status.executable = executable_of(around_.files, pid);
  status.restarts = unit.restarts;
  status.enabled = is_enabled(unit);
  if (status.state == RunState::Failed && by_signal(unit))
    status.exit_status = 128 + unit.exec_main_status;
  // 0 is of the main process: it was another of the unit's that failed.
  else if (status.state == RunState::Failed && unit.result == "exit-code" &&
           unit.exec_main_status != 0)
    status.exit_status = unit.exec_main_status;
  if (unit.result != "success")
    status.detail = unit.result;
  if (unit.active_since_us != 0 && status.state == RunState::Running)
    status.since = platform::to_iso8601(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::microseconds(unit.active_since_us))));
  // What a daemon runs is in the service's slice, which the unit's process is in, too.
  if (const std::string slice = unit_name(service.id, UnitKind::Slice);
      pid != 0 && service.more_units.contains(slice)) {
    const UnitProperties all = bus_->properties(slice);
    unit.memory_current = all.memory_current;
    unit.cpu_usage_ns = all.cpu_usage_ns;
  }
  if (unit.memory_current)
    status.memory = ByteSize(*unit.memory_current);
  else if (pid != 0)  // no memory accounting on this machine
    status.memory =
        resident_memory(around_.files, processes_of(around_.files, service.id, unit.main_pid));
  if (unit.cpu_usage_ns)
    status.cpu_time = std::chrono::nanoseconds(*unit.cpu_usage_ns);
  if (service.on_demand)
    add_socket_status(service, status);
  return status;
}

/// systemd goes on without its filter where the kernel has none: it says so in its log alone.
bool SystemdSupervisor::lets_everybody_in(const ServiceInstance& service) {
  if (around_.layout.scope == Scope::User)
    return service.network == "lan";
  // Of a container the address of its own can be reached, whatever its port is open to.
  const bool needs_filter =
      service.network == "lan" || (service.network == "local" && service.container);
  if (!needs_filter || around_.environment.uid != 0)
    return false;
  const std::uint32_t main = status(service).pid;
  if (main == 0)
    return false;
  const std::set<std::uint32_t> processes = processes_of(around_.files, service.id, main);
  return std::any_of(processes.begin(), processes.end(), [&](std::uint32_t pid) {
    const auto group = unified_control_group(around_.files, pid);
    return group && !platform::filters_what_comes_in(*group);
  });
}

std::vector<std::string> SystemdSupervisor::logs(const ServiceInstance& service,
                                                 std::size_t count) {
  LogQuery query;
  query.lines = count;
  NullReporter reporter;
  const Cancellation cancellation;
  std::vector<std::string> lines;
  run_journalctl(
      service,
      query,
      [&](const std::string& line) { lines.push_back(line); },
      Activity{reporter, cancellation},
      std::chrono::milliseconds(15000));
  return lines;
}

void SystemdSupervisor::run_journalctl(const ServiceInstance& service,
                                       const LogQuery& query,
                                       const std::function<void(const std::string&)>& on_line,
                                       const Activity& activity,
                                       std::optional<std::chrono::milliseconds> timeout) {
  platform::Command command;
  command.argv = {"journalctl"};
  if (around_.layout.scope == Scope::User)
    command.argv.emplace_back("--user");
  for (const std::string& word : {std::string("-u"),
                                  unit_name(service.id),
                                  std::string("-n"),
                                  std::to_string(query.lines),
                                  std::string("--output=cat"),
                                  std::string("--no-pager"),
                                  std::string("--quiet")})
    command.argv.push_back(word);
  if (query.follow)
    command.argv.emplace_back("--follow");
  if (!query.since.empty())
    command.argv.push_back("--since=" + query.since);
  // The last lines that match: systemd 249 looks for matches among the last lines only, unless it
  // begins with the newest, as later ones do by themselves. --follow cannot.
  const bool reversed = !query.grep.empty() && !query.follow;
  if (reversed)
    command.argv.insert(command.argv.end(), {"--reverse", "--grep=" + query.grep});
  const auto matches = line_matcher(query.grep);
  std::vector<std::string> held;
  command.environment = around_.environment.variables;
  platform::ProcessResult result;
  try {
    result = around_.processes.run(command, activity, timeout, [&](std::string_view line) {
      if (reversed)
        held.emplace_back(line);
      else if (matches(std::string(line)))
        on_line(std::string(line));
    });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound)
      throw;
    throw Error(ErrorKind::NotFound, _("the log cannot be read without journalctl"), service.id)
        .hint(_("install systemd's journal tools"));
  }
  std::for_each(held.rbegin(), held.rend(), on_line);
  // It ends with 1 where no line matches.
  const std::string_view said = text::trim(result.err);
  if (!result.ok() && (result.status != 1 || !said.empty()))
    throw Error(query.since.empty() && query.grep.empty() ? ErrorKind::Io : ErrorKind::Usage,
                _("journalctl failed"),
                service.id)
        .cause(std::string(said));
}

}  // namespace

std::unique_ptr<Supervisor> make_systemd_supervisor(SupervisorSurroundings surroundings,
                                                    std::unique_ptr<platform::SystemdBus> bus) {
  return std::make_unique<SystemdSupervisor>(surroundings, std::move(bus));
}

}  // namespace las::service
