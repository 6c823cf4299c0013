// SPDX-License-Identifier: Apache-2.0
#include "las/service/supervisor.hpp"

#include "run_check.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/container_engine.hpp"
#include "las/service/unit.hpp"

namespace las::service {

std::string_view to_string(RunState state) {
  switch (state) {
    case RunState::Running:
      return "running";
    case RunState::Starting:
      return "starting";
    case RunState::Stopping:
      return "stopping";
    case RunState::Stopped:
      return "stopped";
    case RunState::Waiting:
      return "waiting";
    case RunState::Failed:
      return "failed";
    case RunState::Absent:
      return "absent";
  }
  return "absent";
}

bool is_up(RunState state) {
  return state == RunState::Running || state == RunState::Starting || state == RunState::Waiting;
}

bool is_guarded_at_boot(const state::ServiceInstance& service) {
  return !service.gpus.empty() && !service.on_demand;
}

platform::ProcessResult Supervisor::run_check(const state::ServiceInstance& service,
                                              std::chrono::milliseconds /*timeout*/,
                                              const Activity& /*activity*/) {
  throw Error(ErrorKind::Io, _("no command can be run there"), service.id);
}

void Supervisor::read_log(const state::ServiceInstance& service,
                          const LogQuery& query,
                          const std::function<void(const std::string&)>& on_line,
                          const Activity& /*activity*/) {
  for (const std::string& line : logs(service, query.lines))
    on_line(line);
}

namespace {

std::string with_word(const SupervisorSurroundings& around,
                      const state::ServiceInstance& service,
                      const std::string& value) {
  constexpr std::string_view kMark = "{word}";
  std::string filled = value;
  for (auto at = filled.find(kMark); at != std::string::npos; at = filled.find(kMark, at)) {
    const std::string word = secret_word(around.files, around.layout.secrets(service.id));
    filled.replace(at, kMark.size(), word);
    at += word.size();
  }
  return filled;
}

// An engine without root finds its storage by these.
std::map<std::string, std::string> engine_environment(const SupervisorSurroundings& around) {
  std::map<std::string, std::string> variables = around.environment.variables;
  variables["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  variables["LC_ALL"] = "C.UTF-8";
  return variables;
}

/// What the image of the service's container is called; "" where there is none.
std::string image_that_runs(const SupervisorSurroundings& around,
                            const state::ServiceInstance& service) {
  constexpr std::chrono::seconds kPatience{30};
  platform::Command command;
  command.argv =
      platform::container_engine(service.container->engine).image_of(container_name(service.id));
  command.argv.insert(command.argv.begin(), service.argv.front());
  command.environment = engine_environment(around);
  NullReporter reporter;
  const Cancellation cancellation;
  const auto result = around.processes.run(command, Activity{reporter, cancellation}, kPatience);
  // Where nothing runs, others see that.
  return result.ok() ? std::string(text::trim(result.out)) : std::string();
}

}  // namespace

std::string ask_foreign_image(const SupervisorSurroundings& around,
                              const state::ServiceInstance& service) {
  if (!service.container)
    return {};
  const std::string image = image_that_runs(around, service);
  return image == service.container->image ? std::string() : image;
}

bool runs_by_daemon(const SupervisorSurroundings& around, const state::ServiceInstance& service) {
  return service.container &&
         !platform::container_engine(service.container->engine).daemon_unit().empty() &&
         !image_that_runs(around, service).empty();
}

platform::ProcessResult run_health_command(const SupervisorSurroundings& around,
                                           const state::ServiceInstance& service,
                                           std::chrono::milliseconds timeout,
                                           const Activity& activity) {
  platform::Command command;
  command.argv = service.health.command;
  command.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C.UTF-8"}};
  for (const auto& [name, value] : service.environment)
    command.environment[name] = value;
  std::map<std::string, std::string> asked;
  for (const auto& [name, value] : service.health.environment)
    asked[name] = with_word(around, service, value);
  for (const auto& [name, value] : asked)
    command.environment[name] = value;
  if (service.container) {
    command.environment = engine_environment(around);
    for (const auto& [name, value] : asked)
      command.environment[name] = value;
    std::vector<std::string> argv{service.argv.front(), "exec"};
    // By name: the value is nobody's to read in the list of processes.
    for (const auto& [name, value] : asked)
      argv.push_back("--env=" + name);
    argv.push_back(container_name(service.id));
    argv.insert(argv.end(), command.argv.begin(), command.argv.end());
    command.argv = std::move(argv);
  }
  return around.processes.run(command, activity, timeout);
}

std::unique_ptr<Supervisor> make_supervisor(SupervisorSurroundings surroundings) {
  // A root elsewhere is another machine to the systemd of this one.
  if (surroundings.layout.root == "/")
    if (auto bus = platform::connect_systemd(surroundings.layout.scope))
      return make_systemd_supervisor(surroundings, std::move(bus));
  return make_process_supervisor(surroundings);
}

}  // namespace las::service
