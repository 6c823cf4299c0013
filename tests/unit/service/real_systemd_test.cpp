// SPDX-License-Identifier: Apache-2.0
// Hidden: changes the systemd it runs under. tests/e2e/nspawn/supervisor.sh runs it in a machine of
// its own.
#include "instances.hpp"
#include "stand_ins.hpp"
#include "support/catch.hpp"

#include "las/base/error.hpp"
#include "las/service/supervisor.hpp"
#include "las/service/unit.hpp"

#include <fstream>

using namespace las;
using namespace las::service;

namespace {

struct RealMachine {
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<platform::ProcessRunner> processes = platform::make_posix_process_runner();
  std::unique_ptr<platform::Clock> clock = platform::make_system_clock();
  platform::Environment environment = platform::read_environment();
  platform::Layout layout = platform::Layout::system("/");
  KeepingReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
  std::unique_ptr<Supervisor> supervisor =
      make_supervisor({*files, *processes, *clock, environment, layout});
};

state::ServiceInstance shell_service(const std::string& id, const std::string& script) {
  auto input = small_service();
  input.instance.id = id;
  input.instance.port = 0;
  input.instance.argv = {"/bin/sh", "-c", script};
  input.instance.health_kind = "none";
  input.instance.start_period_s = 20;
  input.instance.stop_timeout_s = 2;
  input.data_directory = "/var/lib/las/data/" + id;
  input.instance.data_directory = input.data_directory.string();
  input.readable = {};
  input.instance.unit_text = render_unit(input);
  return input.instance;
}

bool says(const std::string& text, const std::string& part) {
  UNSCOPED_INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the real systemd runs, shows, stops and forgets our services", "[.][real-systemd]") {
  RealMachine machine;
  REQUIRE(machine.supervisor->name() == "systemd");
  const auto steady = shell_service("steady", "echo hello; exec sleep infinity");
  const auto stubborn =
      shell_service("c++", "trap '' TERM; echo stubborn; while :; do sleep 1000; done");
  machine.supervisor->install({steady, stubborn}, {}, machine.activity);
  CHECK(machine.supervisor->installed() == std::vector<std::string>{"c++", "steady"});
  CHECK(machine.supervisor->status(steady).state == RunState::Stopped);

  for (const auto& service : {steady, stubborn}) {
    INFO(service.id);
    machine.supervisor->start(service, machine.activity);
    StandInFetcher fetcher({0});
    const Health health =
        wait_until_ready(*machine.supervisor, fetcher, *machine.clock, service, machine.activity);
    CHECK(health.ready);
    CHECK(health.reason == "is running");
    const auto status = machine.supervisor->status(service);
    CHECK(status.state == RunState::Running);
    CHECK(status.executable.starts_with("/usr/bin/"));
    CHECK(status.memory.value_or(ByteSize()) > ByteSize());
    CHECK_FALSE(status.since.empty());

    machine.supervisor->stop(service, machine.activity);
    CHECK_FALSE(machine.processes->identify(static_cast<pid_t>(status.pid)));
    CHECK(machine.supervisor->status(service).pid == 0);
  }
  const auto lines = machine.supervisor->logs(steady, 50);
  CHECK(std::find(lines.begin(), lines.end(), "hello") != lines.end());

  machine.supervisor->start(steady, machine.activity);
  machine.supervisor->install({}, {}, machine.activity);
  CHECK(machine.supervisor->installed().empty());
  CHECK(machine.supervisor->status(steady).state == RunState::Absent);
  CHECK_FALSE(machine.files->exists(machine.layout.units / "multi-user.target.wants" /
                                    unit_name("steady")));
}

TEST_CASE("the real systemd tells how a service failed", "[.][real-systemd]") {
  RealMachine machine;
  auto absent = shell_service("absent", "");
  auto input = small_service();
  input.instance = absent;
  input.instance.argv = {"/nowhere/serve"};
  input.data_directory = absent.data_directory;
  absent.unit_text = render_unit(input);
  const auto crashing = shell_service("crashing", "echo cannot load model >&2; exit 3");
  machine.supervisor->install({absent, crashing}, {}, machine.activity);

  try {
    machine.supervisor->start(absent, machine.activity);
    FAIL("started");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Io);
    CHECK(says(error.cause(), "exit-code (exited with status 203); its log ends: "));
  }

  machine.supervisor->start(crashing, machine.activity);
  StandInFetcher fetcher({0});
  auto asked = crashing;
  asked.health_kind = "http";
  const Health health =
      wait_until_ready(*machine.supervisor, fetcher, *machine.clock, asked, machine.activity);
  CHECK_FALSE(health.ready);
  CHECK(health.waited < std::chrono::seconds(5));
  CHECK(says(health.reason, "exited with status 3; its log ends: "));
  CHECK(says(health.reason, "cannot load model"));
  machine.supervisor->install({}, {}, machine.activity);
}
