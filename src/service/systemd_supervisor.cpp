// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"
#include "installed_units.hpp"
#include "ports.hpp"
#include "running_process.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/service/supervisor.hpp"
#include "las/service/unit.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {
namespace {

using platform::Scope;
using platform::UnitProperties;
using state::ServiceInstance;

RunState run_state(const UnitProperties& unit) {
  // Between a crash and the restart systemd calls the unit "activating"; nothing runs then.
  if (unit.sub_state.starts_with("auto-restart"))
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
    if (around_.layout.scope == Scope::System)
      return {};
    return _(
        "services of a user run from login to logout, unless lingering is enabled "
        "(loginctl enable-linger)");
  }

  void install(const std::vector<ServiceInstance>& wanted,
               const std::set<std::string>& leave,
               const Activity& activity) override;
  void start(const ServiceInstance& service, const Activity& activity) override;
  void stop(const ServiceInstance& service, const Activity& activity) override;
  ServiceStatus status(const ServiceInstance& service) override;
  std::vector<std::string> logs(const ServiceInstance& service, std::size_t count) override;

  std::string impostor(const ServiceInstance& service) override {
    return foreign_listener(
        around_.files, service.port, in_control_group_of(around_.files, status(service).pid));
  }

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
    return find_generated_units(around_.files, around_.layout.units);
  }

 private:
  void remove_unit(const std::string& id, const Activity& activity);
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

void SystemdSupervisor::remove_unit(const std::string& id, const Activity& activity) {
  const std::string unit = unit_name(id);
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
  std::vector<const ServiceInstance*> mended;
  for (const std::string& id : installed()) {
    if (std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return w.id == id; }))
      continue;
    remove_unit(id, activity);
    changed = true;
  }
  if (!wanted.empty())
    around_.files.make_directories(around_.layout.units);
  for (const ServiceInstance& service : wanted) {
    // A system unit's is made by systemd, which knows the dynamic user to give it to.
    if (around_.layout.scope == Scope::User && !service.data_directory.empty())
      around_.files.make_directories(service.data_directory, 0700);
    const auto before = around_.files.try_read(around_.layout.units / unit_name(service.id));
    if (before && leave.contains(service.id))
      continue;
    if (!write_unit(around_.files, around_.layout.units, service))
      continue;
    activity.debug("service", "wrote " + unit_name(service.id));
    changed = true;
    if (before && without_comments(*before) != without_comments(service.unit_text))
      mended.push_back(&service);
  }
  if (changed)
    bus_->reload();
  for (const ServiceInstance* service : mended)
    restart_if_running(*service, activity);
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
  const std::string unit = unit_name(service.id);
  const RunState now = status(service).state;
  if (now == RunState::Stopped || now == RunState::Failed)
    require_port_free(service);
  // A unit that has used up its start limit would be refused without a try.
  tolerate_unknown_unit([&] { bus_->reset_failed(unit); });
  bus_->enable({unit});
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
  const std::string unit = unit_name(service.id);
  tolerate_unknown_unit([&] { bus_->stop(unit, activity); });
  // Stopped means stopped after the next boot as well; start() enables it again.
  tolerate_unknown_unit([&] { bus_->disable({unit}); });
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
  status.pid = unit.main_pid;
  const auto pid = static_cast<pid_t>(unit.main_pid);
  if (pid != 0)
    status.executable = executable_of(around_.files, pid);
  status.restarts = unit.restarts;
  if (unit.unit_file_state == "enabled" || unit.unit_file_state == "disabled")
    status.enabled = unit.unit_file_state == "enabled";
  if (status.state == RunState::Failed && by_signal(unit))
    status.exit_status = 128 + unit.exec_main_status;
  else if (status.state == RunState::Failed && unit.result == "exit-code")
    status.exit_status = unit.exec_main_status;
  if (unit.result != "success")
    status.detail = unit.result;
  if (unit.active_since_us != 0 && status.state == RunState::Running)
    status.since = platform::to_iso8601(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::microseconds(unit.active_since_us))));
  if (unit.memory_current)
    status.memory = ByteSize(*unit.memory_current);
  else if (pid != 0)  // no memory accounting on this machine
    status.memory = resident_memory(around_.files, pid);
  return status;
}

std::vector<std::string> SystemdSupervisor::logs(const ServiceInstance& service,
                                                 std::size_t count) {
  platform::Command command;
  command.argv = {"journalctl"};
  if (around_.layout.scope == Scope::User)
    command.argv.emplace_back("--user");
  for (const std::string& word : {std::string("-u"),
                                  unit_name(service.id),
                                  std::string("-n"),
                                  std::to_string(count),
                                  std::string("--output=cat"),
                                  std::string("--no-pager"),
                                  std::string("--quiet")})
    command.argv.push_back(word);
  command.environment = around_.environment.variables;
  NullReporter reporter;
  const Cancellation cancellation;
  platform::ProcessResult result;
  try {
    result = around_.processes.run(
        command, Activity{reporter, cancellation}, std::chrono::milliseconds(15000));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound)
      throw;
    throw Error(ErrorKind::NotFound, _("the log cannot be read without journalctl"), service.id)
        .hint(_("install systemd's journal tools"));
  }
  if (!result.ok())
    throw Error(ErrorKind::Io, _("journalctl failed"), service.id)
        .cause(std::string(text::trim(result.err)));
  return text::lines(result.out);
}

}  // namespace

std::unique_ptr<Supervisor> make_systemd_supervisor(SupervisorSurroundings surroundings,
                                                    std::unique_ptr<platform::SystemdBus> bus) {
  return std::make_unique<SystemdSupervisor>(surroundings, std::move(bus));
}

}  // namespace las::service
