// SPDX-License-Identifier: Apache-2.0
#include "workshop.hpp"

#include "las/base/error.hpp"

#include <csignal>

using namespace las;
using namespace las::service;

namespace {

bool exists(pid_t pid) {
  return std::filesystem::exists("/proc/" + std::to_string(pid));
}

}  // namespace

TEST_CASE("a service runs, is seen running, and stops", "[service]") {
  Workshop shop;
  const auto service = shop.script(kServe);
  CHECK(shop.supervisor->status(service).state == RunState::Absent);
  shop.supervisor->install({service}, {}, shop.activity);
  CHECK(shop.supervisor->status(service).state == RunState::Stopped);

  const auto status = shop.start(service);
  CHECK(status.state == RunState::Running);
  CHECK(exists(static_cast<pid_t>(status.pid)));
  CHECK(status.since == "2026-09-21T14:13:20Z");
  CHECK(status.memory.value_or(ByteSize()) > ByteSize());
  CHECK(status.executable.starts_with('/'));
  CHECK(status.restarts == 0);

  shop.supervisor->stop(service, shop.activity);
  CHECK_FALSE(shop.processes->identify(static_cast<pid_t>(status.pid)));
  CHECK(shop.supervisor->status(service).state == RunState::Stopped);
  CHECK(shop.supervisor->status(service).pid == 0);
}

TEST_CASE("starting what runs and stopping what does not change nothing", "[service]") {
  Workshop shop;
  const auto service = shop.script(kServe);
  shop.supervisor->stop(service, shop.activity);
  CHECK(shop.supervisor->installed().empty());
  const auto first = shop.start(service);
  shop.supervisor->start(service, shop.activity);
  CHECK(shop.supervisor->status(service).pid == first.pid);
  shop.supervisor->stop(service, shop.activity);
  shop.supervisor->stop(service, shop.activity);
  CHECK(shop.supervisor->status(service).state == RunState::Stopped);
}

TEST_CASE("a service has its data as home and working directory and a small environment",
          "[service]") {
  Workshop shop;
  auto service = shop.script("env | sort\npwd\necho up >\"$SIGNS\"\nexec sleep 1000\n");
  service.environment["COLOUR"] = "blue green";
  shop.start(service);
  const std::string data = service.data_directory;
  CHECK(
      shop.supervisor->logs(service, 100) ==
      std::vector<std::string>{"las: starting tiny at 2026-09-21T14:13:20Z",
                               "COLOUR=blue green",
                               "HOME=" + data,
                               "LANG=C.UTF-8",
                               "LAS_SERVICE_RECORD=" + shop.records().path("tiny").string(),
                               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "PWD=" + data,
                               "SIGNS=" + shop.signs("tiny").string(),
                               data});
  CHECK(shop.files->status(data)->mode == 0700);
}

TEST_CASE("a service that ignores its stop signal is killed after its time-out", "[service]") {
  Workshop shop;
  auto service = shop.script("trap '' TERM\necho up >\"$SIGNS\"\nwhile :; do sleep 1000; done\n");
  service.stop_timeout_s = 1;
  const auto status = shop.start(service);
  shop.supervisor->stop(service, shop.activity);
  CHECK_FALSE(shop.processes->identify(static_cast<pid_t>(status.pid)));
  CHECK(shop.supervisor->status(service).state == RunState::Stopped);
  CHECK(shop.reporter.messages.back() == "tiny did not stop within 1 s and is killed");
}

TEST_CASE("a service is stopped by the signal that its manifest names", "[service]") {
  Workshop shop;
  auto service = shop.script(
      "trap '' TERM\ntrap 'echo bye; exit 0' INT\necho up >\"$SIGNS\"\n"
      "while :; do sleep 1000 & wait $!; done\n");
  service.stop_signal = "SIGINT";
  shop.start(service);
  shop.supervisor->stop(service, shop.activity);
  CHECK(shop.supervisor->logs(service, 1) == std::vector<std::string>{"bye"});
}

TEST_CASE("workers end with their service, those in sessions of their own too", "[service]") {
  Workshop shop;
  const auto service = shop.script(
      "trap 'exit 0' TERM\n(trap '' TERM; exec sleep 1000) & echo $!\n"
      "(trap '' TERM; exec setsid sleep 1000) & echo $!\necho up >\"$SIGNS\"\nwait\n");
  shop.start(service);
  const auto lines = shop.supervisor->logs(service, 2);
  std::vector<platform::ProcessIdentity> workers;
  for (const auto& line : lines)
    workers.push_back(shop.processes->identify(std::stoi(line)).value());
  shop.supervisor->stop(service, shop.activity);
  for (const auto& worker : workers)
    CHECK_FALSE(shop.processes->alive(worker));
}

TEST_CASE("a crash is seen, with the last line of the log", "[service]") {
  Workshop shop;
  const auto service = shop.script("echo up >\"$SIGNS\"\necho 'cannot load model' >&2\nexit 3\n");
  shop.supervisor->install({service}, {}, shop.activity);
  shop.supervisor->start(service, shop.activity);
  shop.sign();
  shop.wait_gone();
  const auto status = shop.supervisor->status(service);
  CHECK(status.state == RunState::Failed);
  CHECK(status.detail == "cannot load model");
  CHECK(status.pid == 0);

  StandInFetcher fetcher({0});
  auto asked = service;
  asked.health_kind = "http";
  asked.health_path = "/health";
  const auto health = wait_until_ready(*shop.supervisor, fetcher, shop.clock, asked, shop.activity);
  CHECK_FALSE(health.ready);
  CHECK(health.reason ==
        "ended by itself; its log ends: las: starting tiny at 2026-09-21T14:13:20Z | cannot load "
        "model");
}

TEST_CASE("the workers of a crashed service are gone before it starts again", "[service]") {
  Workshop shop;
  const auto service = shop.script("sleep 1000 & echo $!\necho up >\"$SIGNS\"\nexit 1\n");
  shop.supervisor->install({service}, {}, shop.activity);
  shop.supervisor->start(service, shop.activity);
  shop.sign();
  shop.wait_gone();
  const auto worker =
      shop.processes->identify(std::stoi(shop.supervisor->logs(service, 1).at(0))).value();
  shop.start(service);
  CHECK_FALSE(shop.processes->alive(worker));
}

TEST_CASE("a process that was started but not recorded is found and replaced", "[service]") {
  Workshop shop;
  const auto service = shop.script(kServe);
  const auto lost = static_cast<pid_t>(shop.start(service).pid);
  auto record = shop.records().find("tiny").value();
  record.process = std::nullopt;  // as if las had been killed right after the start
  record.starting = true;
  shop.records().save(record);
  const auto status = shop.start(service);
  CHECK(status.state == RunState::Running);
  CHECK(static_cast<pid_t>(status.pid) != lost);
  CHECK_FALSE(shop.processes->identify(lost));
}

TEST_CASE("another process under a recorded number is not taken for the service", "[service]") {
  Workshop shop;
  const auto other = shop.script(kServe, "other");
  const auto status = shop.start(other);
  const auto stranger = shop.processes->identify(static_cast<pid_t>(status.pid)).value();

  ProcessRecord record;
  record.id = "tiny";
  record.process = platform::ProcessIdentity{stranger.pid, stranger.start_time - 1};
  record.boot_id = shop.environment.boot_id;
  shop.records().save(record);
  const auto service = shop.script(kServe);
  CHECK(shop.supervisor->status(service).state == RunState::Failed);
  shop.supervisor->stop(service, shop.activity);
  CHECK(shop.processes->alive(stranger));
}

TEST_CASE("records of an earlier boot name no process of this one", "[service]") {
  Workshop shop;
  const auto other = shop.script(kServe, "other");
  const auto status = shop.start(other);
  ProcessRecord record;
  record.id = "tiny";
  record.process = shop.processes->identify(static_cast<pid_t>(status.pid));
  record.boot_id = "an earlier boot";
  shop.records().save(record);
  const auto service = shop.script(kServe);
  CHECK(shop.supervisor->status(service).state == RunState::Stopped);
  CHECK(shop.supervisor->status(service).detail == "the machine was restarted since");
  shop.supervisor->stop(service, shop.activity);
  CHECK(shop.processes->alive(*record.process));
}

TEST_CASE("services that are not wanted any more are stopped and forgotten", "[service]") {
  Workshop shop;
  const auto service = shop.script(kServe);
  const auto other = shop.script(kServe, "other");
  const auto pid = static_cast<pid_t>(shop.start(service).pid);
  shop.supervisor->install({other}, {}, shop.activity);
  CHECK(shop.supervisor->installed() == std::vector<std::string>{"other"});
  CHECK_FALSE(shop.processes->identify(pid));
}

TEST_CASE("installing leaves a running service running and writes nothing twice", "[service]") {
  Workshop shop;
  auto service = shop.script(kServe);
  const auto pid = shop.start(service).pid;
  const auto before = shop.files->status(shop.records().path("tiny"));
  shop.supervisor->install({service}, {}, shop.activity);
  CHECK(shop.files->status(shop.records().path("tiny"))->inode == before->inode);
  service.stop_timeout_s = 3;
  shop.supervisor->install({service}, {}, shop.activity);
  CHECK(shop.supervisor->status(service).pid == pid);
  CHECK(shop.records().find("tiny")->stop_timeout_s == 3);
}

TEST_CASE("a program that cannot be run is told at once", "[service]") {
  Workshop shop;
  auto service = shop.script(kServe);
  service.argv = {(shop.directory / "absent").string()};
  try {
    shop.supervisor->start(service, shop.activity);
    FAIL("started");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::NotFound);
    CHECK(error.contexts() == std::vector<std::string>{"starting tiny"});
  }
  CHECK(shop.supervisor->status(service).state == RunState::Stopped);
}

TEST_CASE("a service whose port is taken is not started", "[service]") {
  Workshop shop;
  const auto holder = shop.script(
      "exec python3 -c 'import os, socket, time\n"
      "s = socket.create_server((\"127.0.0.1\", 0))\n"
      "open(os.environ[\"SIGNS\"], \"w\").write(\"%d\\n\" % s.getsockname()[1])\n"
      "time.sleep(1000)'\n",
      "holder");
  if (!shop.processes->find_program("python3", "/usr/local/bin:/usr/bin:/bin")) {
    WARN("skipped: no python3 to hold a port");
    return;
  }
  shop.supervisor->install({holder}, {}, shop.activity);
  shop.supervisor->start(holder, shop.activity);
  auto service = shop.script(kServe);
  service.port = static_cast<std::uint16_t>(std::stoi(shop.sign("holder")));
  try {
    shop.supervisor->start(service, shop.activity);
    FAIL("started");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Busy);
    CHECK(std::string(error.what()) ==
          "port " + std::to_string(service.port) + " is already in use: tiny");
  }
}

TEST_CASE("a request to stop is heard while a service takes its time", "[service]") {
  Workshop shop;
  const auto service =
      shop.script("trap '' TERM\necho up >\"$SIGNS\"\nwhile :; do sleep 1000; done\n");
  const auto status = shop.start(service);
  shop.cancellation.request(SIGINT);
  try {
    shop.supervisor->stop(service, shop.activity);
    FAIL("stopped");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Interrupted);
  }
  CHECK(shop.supervisor->status(service).pid == status.pid);
}

TEST_CASE("a damaged record is a damaged state", "[service]") {
  Workshop shop;
  for (const char* text : {"{", "{}", "[1]", "{\"format\": 2}"}) {
    shop.files->make_directories(shop.layout.run / "services");
    shop.files->replace_file(shop.records().path("tiny"), text);
    try {
      shop.supervisor->status(shop.script(kServe));
      FAIL("read");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::CorruptState);
    }
  }
}

TEST_CASE("a record reads back as it was written", "[service]") {
  Workshop shop;
  ProcessRecord record;
  record.id = "tiny";
  record.stop_signal = "SIGINT";
  record.stop_timeout_s = 90;
  record.starting = true;
  record.process = platform::ProcessIdentity{7, 18446744073709551615U};
  record.boot_id = "b";
  record.started_at = "2026-09-21T14:13:20Z";
  auto records = shop.records();
  records.save(record);
  CHECK(records.find("tiny") == record);
}

TEST_CASE("the process supervisor says what it cannot do", "[service]") {
  Workshop shop;
  CHECK(shop.supervisor->name() == "process");
  CHECK(shop.supervisor->limits() ==
        "without systemd, services are not restarted after a crash, do not start at boot and are "
        "not confined");
}

TEST_CASE("a process's stat is read whatever the process calls itself", "[service]") {
  const std::string rest = " S 1 40 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3";
  const auto stat = parse_process_stat("42 (a) b (c))" + rest);
  REQUIRE(stat);
  CHECK(stat->identity == platform::ProcessIdentity{42, 987654});
  CHECK(stat->group == 40);
  CHECK(stat->session == 41);
  CHECK(stat->running);
  CHECK_FALSE(parse_process_stat("42 (a) Z 1 40 41 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 9 1")->running);
  for (const char* text : {"",
                           "42",
                           "42 (a",
                           "42 (a) S 1 2",
                           "x (a) S 1 40 41 0 -1 4 1 2 3 4 5 6 "
                           "7 8 20 0 1 0 9"})
    CHECK_FALSE(parse_process_stat(text));
}
