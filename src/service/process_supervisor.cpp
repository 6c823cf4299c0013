// SPDX-License-Identifier: Apache-2.0
#include "log_file.hpp"
#include "ports.hpp"
#include "process_family.hpp"
#include "process_record.hpp"
#include "run_check.hpp"
#include "running_process.hpp"
#include "signals.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

namespace las::service {
namespace {

using platform::ProcessIdentity;
using state::ServiceInstance;
using std::chrono::milliseconds;

constexpr std::string_view kStartLine = "las: starting ";
constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

class ProcessSupervisor final : public Supervisor {
 public:
  explicit ProcessSupervisor(SupervisorSurroundings surroundings)
      : around_(surroundings), records_(around_.files, around_.layout.run / "services") {}

  std::string name() const override { return "process"; }

  std::string limits() const override {
    return _(
        "without systemd, services are not restarted after a crash, do not start at boot and "
        "are not confined");
  }

  void install(const std::vector<ServiceInstance>& wanted,
               const std::set<std::string>& leave,
               const Activity& activity) override;
  void start(const ServiceInstance& service, const Activity& activity) override;
  void stop(const ServiceInstance& service, const Activity& activity) override;
  ServiceStatus status(const ServiceInstance& service) override;

  std::vector<std::string> logs(const ServiceInstance& service, std::size_t count) override {
    return last_lines(log_file(service.id), count);
  }

  std::string outside_log(const ServiceInstance& service) const override {
    return "less " + text::shell_word(log_file(service.id).string());
  }

  void read_log(const ServiceInstance& service,
                const LogQuery& query,
                const std::function<void(const std::string&)>& on_line,
                const Activity& activity) override {
    if (!query.since.empty())
      throw Error(ErrorKind::Usage,
                  _("the log files of services hold no times, so --since cannot be told"),
                  service.id)
          .hint(_("leave out --since"));
    read_log_file(around_.files, around_.clock, log_file(service.id), query, on_line, activity);
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
    std::vector<std::uint32_t> pids;
    if (const auto record = records_.find(service.id)) {
      for (const ProcessStat& member : find_family(around_.files, family(*record)))
        pids.push_back(static_cast<std::uint32_t>(member.identity.pid));
    }
    return foreign_listener(around_.files, service.port, pids);
  }

  std::vector<std::string> installed() override { return records_.ids(); }

  void settle() override {
    for (const std::string& id : records_.ids()) {
      auto record = records_.find(id);
      if (!record || !record->starting)
        continue;
      kill_family(around_.files, around_.processes, family(*record));
      record->starting = false;
      records_.save(*record);
    }
  }

 private:
  platform::fs::path log_file(const std::string& id) const {
    return around_.layout.logs / (id + ".log");
  }

  Family family(const ProcessRecord& record) const {
    return {of_this_boot(record) ? record.process : std::nullopt,
            records_.path(record.id).string()};
  }

  /// The PIDs of an earlier boot mean nothing.
  bool of_this_boot(const ProcessRecord& record) const {
    return record.boot_id == around_.environment.boot_id;
  }

  bool running(const ProcessRecord& record) const {
    return record.process && of_this_boot(record) && around_.processes.alive(*record.process);
  }

  void stop_recorded(ProcessRecord record, const Activity& activity);
  void prepare(const ServiceInstance& service, const Activity& activity);
  bool wait_gone(const ProcessIdentity& process, milliseconds timeout, const Activity& activity);
  platform::DetachedCommand make_command(const ServiceInstance& service) const;
  void open_log(const ServiceInstance& service);
  std::string last_words(const std::string& id) const;

  SupervisorSurroundings around_;
  ProcessRecords records_;
};

void ProcessSupervisor::install(const std::vector<ServiceInstance>& wanted,
                                const std::set<std::string>& /*its records are las's own*/,
                                const Activity& activity) {
  for (const std::string& id : records_.ids()) {
    if (std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return w.id == id; }))
      continue;
    if (auto record = records_.find(id))
      stop_recorded(std::move(*record), activity);
    records_.erase(id);
  }
  for (const ServiceInstance& service : wanted) {
    signal_number(service.stop_signal);
    make_secrets(around_.files, service, around_.layout.secrets(service.id));
    ProcessRecord record = records_.find(service.id).value_or(ProcessRecord{});
    record.id = service.id;
    record.stop_signal = service.stop_signal;
    record.stop_timeout_s = service.stop_timeout_s;
    records_.save(record);
  }
}

platform::DetachedCommand ProcessSupervisor::make_command(const ServiceInstance& service) const {
  platform::DetachedCommand command;
  command.argv = service.argv;
  command.environment = {{"PATH", kPath}, {"HOME", service.data_directory}, {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : service.environment)
    command.environment[name] = value;
  command.environment[kServiceMark] = records_.path(service.id).string();
  command.working_directory = service.data_directory;
  command.log_file = log_file(service.id);
  return command;
}

void ProcessSupervisor::open_log(const ServiceInstance& service) {
  const auto file = log_file(service.id);
  around_.files.make_directories(file.parent_path());
  rotate_log(around_.files, file);
  // Keeps the words of one run apart from those of the next.
  const std::string line = fmt::format(
      "{}{} at {}\n", kStartLine, service.id, platform::to_iso8601(around_.clock.now()));
  const auto writer = around_.files.append_file(file, 0640);
  writer->write(line);
  writer->close();
}

void ProcessSupervisor::start(const ServiceInstance& service, const Activity& activity) {
  ProcessRecord record = records_.find(service.id).value_or(ProcessRecord{});
  if (running(record))
    return;
  record.id = service.id;
  record.stop_signal = service.stop_signal;
  record.stop_timeout_s = service.stop_timeout_s;
  // Workers of a crashed run, or a whole run that las was killed too early to write down.
  kill_family(around_.files, around_.processes, family(record));
  require_port_free(service);
  activity.cancellation.throw_if_requested();

  around_.files.make_directories(service.data_directory, 0700);
  prepare(service, activity);
  open_log(service);
  record.process = std::nullopt;
  record.starting = true;
  records_.save(record);
  try {
    record.process = around_.processes.spawn_detached(make_command(service));
  } catch (Error& error) {
    record.starting = false;
    records_.save(record);
    error.context(fmt::format(fmt::runtime(_("starting {}")), service.id));
    throw;
  }
  record.starting = false;
  record.boot_id = around_.environment.boot_id;
  record.started_at = platform::to_iso8601(around_.clock.now());
  records_.save(record);
  activity.debug("service", fmt::format("{} runs as {}", service.id, record.process->pid));
}

void ProcessSupervisor::prepare(const ServiceInstance& service, const Activity& activity) {
  for (const state::PreparedPath& path : service.prepare) {
    if (around_.files.exists(path.makes))
      continue;
    const std::string making = path.makes + ".new";
    around_.files.remove_tree(making);
    platform::Command command;
    command.argv = path.command;
    command.environment = make_command(service).environment;
    command.working_directory = service.data_directory;
    const auto result = around_.processes.run(command, activity, std::nullopt);
    if (!result.ok())
      throw Error(ErrorKind::Io, _("the first start could not be prepared"), service.id)
          .cause(fmt::format("{}: {}",
                             path.command.front(),
                             text::trim(result.err.empty() ? result.out : result.err)));
    around_.files.rename(making, path.makes);
  }
}

void ProcessSupervisor::stop(const ServiceInstance& service, const Activity& activity) {
  auto record = records_.find(service.id);
  if (!record)
    return;
  record->stop_signal = service.stop_signal;
  record->stop_timeout_s = service.stop_timeout_s;
  stop_recorded(std::move(*record), activity);
}

void ProcessSupervisor::stop_recorded(ProcessRecord record, const Activity& activity) {
  if (running(record)) {
    around_.processes.signal_group(*record.process, signal_number(record.stop_signal));
    if (!wait_gone(*record.process, std::chrono::seconds(record.stop_timeout_s), activity))
      activity.warn("service",
                    fmt::format(fmt::runtime(_("{} did not stop within {} s and is killed")),
                                record.id,
                                record.stop_timeout_s));
  }
  kill_family(around_.files, around_.processes, family(record));
  record.process = std::nullopt;
  record.starting = false;
  records_.save(record);
}

bool ProcessSupervisor::wait_gone(const ProcessIdentity& process,
                                  milliseconds timeout,
                                  const Activity& activity) {
  // In slices, so that a request to stop las is heard.
  constexpr milliseconds kSlice{250};
  for (milliseconds left = timeout; left.count() > 0; left -= kSlice) {
    if (around_.processes.wait_gone(process, std::min(left, kSlice)))
      return true;
    activity.cancellation.throw_if_requested();
  }
  return !around_.processes.alive(process);
}

ServiceStatus ProcessSupervisor::status(const ServiceInstance& service) {
  ServiceStatus status;
  const auto record = records_.find(service.id);
  if (!record)
    return status;
  status.state = RunState::Stopped;
  if (!record->process)
    return status;
  if (!of_this_boot(*record)) {
    status.detail = _("the machine was restarted since");
    return status;
  }
  if (!running(*record)) {
    // It is no child of ours: how it ended is known to init alone.
    status.state = RunState::Failed;
    status.detail = last_words(service.id);
    return status;
  }
  status.state = RunState::Running;
  status.pid = static_cast<std::uint32_t>(record->process->pid);
  status.since = record->started_at;
  std::set<std::uint32_t> members;
  for (const ProcessStat& member : find_family(around_.files, family(*record)))
    members.insert(static_cast<std::uint32_t>(member.identity.pid));
  status.memory = resident_memory(around_.files, members);
  status.executable = executable_of(around_.files, record->process->pid);
  return status;
}

std::string ProcessSupervisor::last_words(const std::string& id) const {
  const auto lines = last_lines(log_file(id), 1);
  if (lines.empty() || lines.front().starts_with(kStartLine))
    return {};
  return lines.front();
}

}  // namespace

std::unique_ptr<Supervisor> make_process_supervisor(SupervisorSurroundings surroundings) {
  return std::make_unique<ProcessSupervisor>(surroundings);
}

}  // namespace las::service
