// SPDX-License-Identifier: Apache-2.0
#include "installed_units.hpp"
#include "instances.hpp"
#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/service/supervisor.hpp"
#include "las/service/unit.hpp"

#include <fstream>

using namespace las;
using namespace las::service;
using Calls = std::vector<std::string>;

namespace {

state::ServiceInstance instance(const std::string& id) {
  auto input = small_service();
  input.instance.id = id;
  input.instance.port = 0;
  input.data_directory = "/var/lib/las/data/" + id;
  input.instance.unit_text = render_unit(input);
  return input.instance;
}

platform::UnitProperties unit_state(const std::string& active, const std::string& sub) {
  platform::UnitProperties unit;
  unit.load_state = "loaded";
  unit.active_state = active;
  unit.sub_state = sub;
  unit.result = "success";
  return unit;
}

struct Machine {
  explicit Machine(platform::Scope scope = platform::Scope::System) {
    layout = platform::Layout::system(directory.path());
    layout.scope = scope;
    supervisor = make_systemd_supervisor({*files, processes, clock, environment, layout},
                                         std::make_unique<StandInSystemdBus>(bus));
  }

  std::filesystem::path unit(const std::string& name) const { return layout.units / name; }

  void put(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(layout.units);
    std::ofstream(unit(name)) << content;
  }

  std::vector<std::string> unit_files() const { return files->list_directory(layout.units); }

  void install(const std::vector<state::ServiceInstance>& wanted) {
    bus.calls.clear();
    supervisor->install(wanted, activity);
  }

  test::TempDirectory directory;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  StandInProcessRunner processes;
  ManualClock clock;
  platform::Environment environment;
  platform::Layout layout;
  StandInSystemdBus::Answers bus;
  NullReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
  std::unique_ptr<Supervisor> supervisor;
};

}  // namespace

TEST_CASE("installing writes the units and reloads once", "[service]") {
  Machine machine;
  machine.install({instance("a"), instance("b")});
  CHECK(machine.unit_files() == std::vector<std::string>{"las-a.service", "las-b.service"});
  CHECK(machine.files->read_file(machine.unit("las-a.service")) == instance("a").unit_text);
  CHECK(machine.files->status(machine.unit("las-a.service"))->mode == 0644);
  CHECK(machine.bus.calls == Calls{"reload"});
  CHECK(machine.supervisor->installed() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("installing the same again touches nothing", "[service]") {
  Machine machine;
  machine.install({instance("a")});
  const auto before = machine.files->status(machine.unit("las-a.service"));
  machine.install({instance("a")});
  CHECK(machine.bus.calls.empty());
  CHECK(machine.files->status(machine.unit("las-a.service"))->inode == before->inode);
}

TEST_CASE("a changed unit is rewritten and starts nothing", "[service]") {
  Machine machine;
  machine.install({instance("a")});
  auto changed = instance("a");
  changed.unit_text += "# more\n";
  machine.install({changed});
  CHECK(machine.files->read_file(machine.unit("las-a.service")) == changed.unit_text);
  CHECK(machine.bus.calls == Calls{"reload"});
}

TEST_CASE("a unit that is not wanted any more is stopped, disabled and removed", "[service]") {
  Machine machine;
  machine.install({instance("a"), instance("b")});
  machine.bus.units["las-a.service"] = unit_state("active", "running");
  machine.install({instance("b")});
  CHECK(machine.unit_files() == std::vector<std::string>{"las-b.service"});
  CHECK(
      machine.bus.calls ==
      Calls{"stop las-a.service", "disable las-a.service", "reset-failed las-a.service", "reload"});
}

TEST_CASE("removing goes on when systemd has forgotten the unit", "[service]") {
  Machine machine;
  machine.put("las-a.service", instance("a").unit_text);
  machine.install({});
  CHECK(machine.unit_files().empty());
}

TEST_CASE("files that las did not generate are neither removed nor counted", "[service]") {
  Machine machine;
  machine.put("las-hand.service", "[Service]\nExecStart=/bin/true\n");
  machine.put("other.service", instance("a").unit_text);
  machine.put("las-a.timer", instance("a").unit_text);
  std::filesystem::create_directories(machine.unit("las-a.service.d"));
  std::filesystem::create_symlink("/dev/null", machine.unit("las-masked.service"));
  const auto before = machine.unit_files();
  machine.install({});
  CHECK(machine.unit_files() == before);
  CHECK(machine.bus.calls.empty());
  CHECK(machine.supervisor->installed().empty());
}

TEST_CASE("a file of somebody else under a wanted name is not overwritten", "[service]") {
  Machine machine;
  machine.put("las-a.service", "[Service]\nExecStart=/bin/true\n");
  try {
    machine.install({instance("a")});
    FAIL("overwritten");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Permission);
    CHECK(error.message() == "this unit file is not las's to change");
    CHECK(error.subject() == machine.unit("las-a.service").string());
  }
  CHECK(machine.files->read_file(machine.unit("las-a.service")) ==
        "[Service]\nExecStart=/bin/true\n");
}

TEST_CASE("a service without a generated unit is refused", "[service]") {
  Machine machine;
  auto bare = instance("a");
  bare.unit_text = "[Service]\n";
  CHECK_THROWS_WITH(machine.install({bare}), "the service has no generated unit: a");
}

TEST_CASE("unit names and service names map onto each other", "[service]") {
  for (const char* id : {"tiny", "c++", "a.b_c-1"})
    CHECK(service_id_of_unit(unit_name(id)) == id);
  for (const char* name : {"las-.service",
                           "las-a.timer",
                           "a.service",
                           "las-A.service",
                           "las-a+.service",
                           "las-a.service.d"})
    CHECK_FALSE(service_id_of_unit(name));
}

TEST_CASE("starting forgets old failures, enables, then starts", "[service]") {
  Machine machine;
  machine.bus.units["las-a.service"] = unit_state("inactive", "dead");
  machine.supervisor->start(instance("a"), machine.activity);
  CHECK(machine.bus.calls ==
        Calls{"reset-failed las-a.service", "enable las-a.service", "start las-a.service"});
}

TEST_CASE("a failed start tells systemd's result, the exit status and the last log lines",
          "[service]") {
  Machine machine;
  machine.bus.units["las-a.service"] = unit_state("inactive", "dead");
  machine.bus.start_result = "failed";
  machine.bus.on_start = [&] {
    auto& unit = machine.bus.units["las-a.service"];
    unit = unit_state("failed", "failed");
    unit.result = "exit-code";
    unit.exec_main_status = 203;
  };
  machine.processes.result.out = "starting\nno such program\n";
  try {
    machine.supervisor->start(instance("a"), machine.activity);
    FAIL("started");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Io);
    CHECK(std::string(error.what()) ==
          "the service could not be started: a: exit-code (exited with status 203); its log ends: "
          "starting | no such program");
    CHECK(error.hint() == "journalctl -u las-a.service");
  }
}

TEST_CASE("a refusal by systemd stays what it is", "[service]") {
  Machine machine;
  machine.bus.units["las-a.service"] = unit_state("inactive", "dead");
  machine.bus.start_result = "permission";
  try {
    machine.supervisor->start(instance("a"), machine.activity);
    FAIL("started");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Permission);
  }
}

TEST_CASE("stopping lasts beyond the next boot", "[service]") {
  Machine machine;
  machine.bus.units["las-a.service"] = unit_state("active", "running");
  machine.supervisor->stop(instance("a"), machine.activity);
  CHECK(machine.bus.calls == Calls{"stop las-a.service", "disable las-a.service"});
}

TEST_CASE("systemd's states become ours", "[service]") {
  const std::vector<std::tuple<std::string, std::string, RunState>> table{
      {"active", "running", RunState::Running},
      {"reloading", "reload", RunState::Running},
      {"activating", "start", RunState::Starting},
      {"activating", "auto-restart", RunState::Failed},
      {"deactivating", "stop-sigterm", RunState::Stopping},
      {"inactive", "dead", RunState::Stopped},
      {"failed", "failed", RunState::Failed},
  };
  for (const auto& [active, sub, expected] : table) {
    Machine machine;
    machine.bus.units["las-a.service"] = unit_state(active, sub);
    CHECK(to_string(machine.supervisor->status(instance("a")).state) == to_string(expected));
  }
  Machine machine;
  CHECK(machine.supervisor->status(instance("a")).state == RunState::Absent);
  machine.bus.units["las-a.service"] = unit_state("inactive", "dead");
  machine.bus.units["las-a.service"].load_state = "not-found";
  CHECK(machine.supervisor->status(instance("a")).state == RunState::Absent);
}

TEST_CASE("a running unit shows its process, its memory and since when", "[service]") {
  Machine machine;
  auto& unit = machine.bus.units["las-a.service"];
  unit = unit_state("active", "running");
  unit.main_pid = static_cast<std::uint32_t>(::getpid());
  unit.restarts = 2;
  unit.active_since_us = 1790000000'500000;
  unit.memory_current = 4096;
  const auto status = machine.supervisor->status(instance("a"));
  CHECK(status.pid == unit.main_pid);
  CHECK(status.executable == std::filesystem::read_symlink("/proc/self/exe").string());
  CHECK(status.since == "2026-09-21T14:13:20Z");
  CHECK(status.memory == ByteSize(4096));
  CHECK(status.restarts == 2);
  CHECK_FALSE(status.exit_status);
  CHECK(status.detail.empty());
}

TEST_CASE("a unit that failed shows how", "[service]") {
  Machine machine;
  auto& unit = machine.bus.units["las-a.service"];
  unit = unit_state("failed", "failed");
  unit.result = "oom-kill";
  unit.exec_main_status = 9;
  auto status = machine.supervisor->status(instance("a"));
  CHECK(status.detail == "oom-kill");
  CHECK(status.exit_status == 137);
  unit.result = "exit-code";
  unit.exec_main_status = 3;
  CHECK(machine.supervisor->status(instance("a")).exit_status == 3);
}

TEST_CASE("logs come from the journal", "[service]") {
  Machine machine;
  machine.processes.result.out = "one\ntwo\n";
  CHECK(machine.supervisor->logs(instance("a"), 20) == std::vector<std::string>{"one", "two"});
  CHECK(machine.processes.commands.at(0).argv == std::vector<std::string>{"journalctl",
                                                                          "-u",
                                                                          "las-a.service",
                                                                          "-n",
                                                                          "20",
                                                                          "--output=cat",
                                                                          "--no-pager",
                                                                          "--quiet"});
  Machine user(platform::Scope::User);
  user.supervisor->logs(instance("a"), 1);
  CHECK(user.processes.commands.at(0).argv.at(1) == "--user");
}

TEST_CASE("a machine without journalctl says so, and a failing one is quoted", "[service]") {
  Machine machine;
  machine.processes.missing = true;
  try {
    machine.supervisor->logs(instance("a"), 1);
    FAIL("read");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::NotFound);
    CHECK(error.message() == "the log cannot be read without journalctl");
    CHECK(error.hint() == "install systemd's journal tools");
  }
  machine.processes.missing = false;
  machine.processes.result = {1, "", "no such namespace\n"};
  CHECK_THROWS_WITH(machine.supervisor->logs(instance("a"), 1),
                    "journalctl failed: a: no such namespace");
}

TEST_CASE("systemd confesses its limits only where it has some", "[service]") {
  CHECK(Machine().supervisor->name() == "systemd");
  CHECK(Machine().supervisor->limits().empty());
  CHECK(Machine(platform::Scope::User).supervisor->limits() ==
        "services of a user run from login to logout, unless lingering is enabled (loginctl "
        "enable-linger)");
}

TEST_CASE("below another root the process supervisor serves", "[service]") {
  Machine machine;
  const auto chosen = make_supervisor(
      {*machine.files, machine.processes, machine.clock, machine.environment, machine.layout});
  CHECK(chosen->name() == "process");
}
