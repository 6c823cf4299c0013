// SPDX-License-Identifier: Apache-2.0
#include "las/platform/systemd_bus.hpp"

#include "sd_bus_message.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/recording_reporter.hpp"

#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include <sys/socket.h>

using namespace las;
using namespace las::platform;
using test::error_of;
using test::test_activity;

namespace {

constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

/// Stands in for systemd on the other end of a socket pair: answers method calls in a thread, as
/// its script says. Real systemd is for the tests in a booted container.
class SystemdStandIn {
 public:
  /// Gives the answer to `message`; a negative number breaks the connection off.
  using Answer = std::function<int(sd_bus_message* message)>;

  explicit SystemdStandIn(std::map<std::string, Answer> answers) : answers_(std::move(answers)) {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    sd_bus* server = nullptr;
    REQUIRE(sd_bus_new(&server) >= 0);
    server_.reset(server);
    REQUIRE(sd_bus_set_fd(server, ends[0], ends[0]) >= 0);
    REQUIRE(sd_bus_set_server(
                server, 1, SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, c, d, e, f, 0)) >= 0);
    REQUIRE(sd_bus_add_filter(server, nullptr, &SystemdStandIn::on_message, this) >= 0);
    REQUIRE(sd_bus_start(server) >= 0);

    sd_bus* client = nullptr;
    REQUIRE(sd_bus_new(&client) >= 0);
    BusPointer owned(client);
    REQUIRE(sd_bus_set_fd(client, ends[1], ends[1]) >= 0);
    REQUIRE(sd_bus_start(client) >= 0);
    bus = make_systemd_bus(std::move(owned));
    thread_ = std::thread([this] { serve(); });
  }

  SystemdStandIn(const SystemdStandIn&) = delete;
  SystemdStandIn& operator=(const SystemdStandIn&) = delete;

  ~SystemdStandIn() {
    bus.reset();  // the server sees the end of the connection
    thread_.join();
  }

  /// The calls so far: "StartUnit foo.service replace".
  std::vector<std::string> calls() {
    bus.reset();
    if (thread_.joinable())
      thread_.join();
    thread_ = std::thread([] {});
    return calls_;
  }

  std::unique_ptr<SystemdBus> bus;

 private:
  void serve() {
    while (true) {
      const int processed = sd_bus_process(server_.get(), nullptr);
      if (processed < 0 || broken_)
        break;
      if (processed == 0 && sd_bus_wait(server_.get(), UINT64_MAX) < 0)
        break;
    }
    server_.reset();
  }

  static int on_message(sd_bus_message* message, void* self, sd_bus_error*) {
    return static_cast<SystemdStandIn*>(self)->answer(message);
  }

  int answer(sd_bus_message* message) {
    const char* member = sd_bus_message_get_member(message);
    if (member == nullptr || sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0)
      return 0;
    std::string call = member;
    char type = 0;
    const char* text = nullptr;
    while (sd_bus_message_peek_type(message, &type, nullptr) > 0 && type == SD_BUS_TYPE_STRING) {
      sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &text);
      call += std::string(" ") + text;
    }
    calls_.push_back(call);
    // "GetAll org.freedesktop.systemd1.Unit" has its own answer, else "GetAll".
    auto found = answers_.find(call);
    if (found == answers_.end())
      found = answers_.find(member);
    if (found == answers_.end())
      return sd_bus_reply_method_return(message, "");
    const int result = found->second(message);
    broken_ = result < 0;
    return 1;
  }

  std::map<std::string, Answer> answers_;
  std::vector<std::string> calls_;
  BusPointer server_;
  bool broken_ = false;
  std::thread thread_;
};

int emit_job_removed(sd_bus_message* message, const char* job, const char* result) {
  return sd_bus_emit_signal(sd_bus_message_get_bus(message),
                            kManagerPath,
                            kManager,
                            "JobRemoved",
                            "uoss",
                            7U,
                            job,
                            "foo.service",
                            result);
}

constexpr const char* kJob = "/org/freedesktop/systemd1/job/7";

// Answers with a job that ends with `result`.
SystemdStandIn::Answer job_with(const char* result) {
  return [result](sd_bus_message* message) {
    sd_bus_reply_method_return(message, "o", kJob);
    return emit_job_removed(message, kJob, result);
  };
}

SystemdStandIn::Answer refusal(const char* name, const char* text) {
  return [name, text](sd_bus_message* message) {
    return sd_bus_reply_method_errorf(message, name, "%s", text);
  };
}

}  // namespace

TEST_CASE("starting a unit waits for its own job", "[platform]") {
  SystemdStandIn systemd({{"StartUnit", [](sd_bus_message* message) {
                             // Another's failure first, and our end even before the answer.
                             emit_job_removed(message, "/org/freedesktop/systemd1/job/6", "failed");
                             emit_job_removed(message, kJob, "done");
                             return sd_bus_reply_method_return(message, "o", kJob);
                           }}});
  systemd.bus->start("foo.service", test_activity());
  CHECK(systemd.calls() == std::vector<std::string>{"Subscribe", "StartUnit foo.service replace"});
}

TEST_CASE("every kind of job asks for its own method and subscribes once", "[platform]") {
  SystemdStandIn systemd({{"StartUnit", job_with("done")},
                          {"StopUnit", job_with("done")},
                          {"RestartUnit", job_with("done")}});
  systemd.bus->start("a.service", test_activity());
  systemd.bus->restart("b.service", test_activity());
  systemd.bus->stop("c.service", test_activity());
  CHECK(systemd.calls() == std::vector<std::string>{"Subscribe",
                                                    "StartUnit a.service replace",
                                                    "RestartUnit b.service replace",
                                                    "StopUnit c.service replace"});
}

TEST_CASE("a job that does not end well says how", "[platform]") {
  for (const char* result : {"failed", "timeout", "dependency", "canceled", "skipped"}) {
    CAPTURE(result);
    SystemdStandIn systemd({{"StartUnit", job_with(result)}});
    const auto error = error_of([&] { systemd.bus->start("foo.service", test_activity()); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Io);
    CHECK(std::string(error->what()) ==
          std::string("the service did not start: foo.service: ") + result);
  }
}

TEST_CASE("waiting for a job can be stopped", "[platform]") {
  NullReporter reporter;
  Cancellation cancellation;
  SystemdStandIn systemd({{"StartUnit", [&](sd_bus_message* message) {
                             cancellation.request(SIGINT);
                             return sd_bus_reply_method_return(message, "o", kJob);
                           }}});
  const auto error = error_of([&] { systemd.bus->start("foo.service", {reporter, cancellation}); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Interrupted);
}

TEST_CASE("systemd's refusals keep its words and get their kind", "[platform]") {
  struct Case {
    const char* name;
    const char* text;
    ErrorKind kind;
  };

  for (const Case& refused :
       {Case{"org.freedesktop.systemd1.NoSuchUnit", "Unit x not found.", ErrorKind::NotFound},
        Case{"org.freedesktop.DBus.Error.AccessDenied", "Access denied", ErrorKind::Permission},
        Case{"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
             "Interactive authentication required.",
             ErrorKind::Permission},
        Case{"org.freedesktop.systemd1.UnitMasked", "Unit x is masked.", ErrorKind::Io}}) {
    CAPTURE(refused.name);
    SystemdStandIn systemd({{"StopUnit", refusal(refused.name, refused.text)}});
    const auto error = error_of([&] { systemd.bus->stop("x.service", test_activity()); });
    REQUIRE(error);
    CHECK(error->kind() == refused.kind);
    CHECK(std::string(error->what()) ==
          std::string("the service did not stop: x.service: ") + refused.text);
  }
}

TEST_CASE("a connection that breaks off ends the wait", "[platform]") {
  SystemdStandIn systemd({{"StartUnit", [](sd_bus_message* message) {
                             sd_bus_reply_method_return(message, "o", kJob);
                             sd_bus_flush(sd_bus_message_get_bus(message));
                             return -1;
                           }}});
  const auto error = error_of([&] { systemd.bus->start("foo.service", test_activity()); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Io);
  CHECK(error->message() == "the service did not start");
}

TEST_CASE("a unit's properties are read from both interfaces", "[platform]") {
  const auto load_unit = [](sd_bus_message* message) {
    return sd_bus_reply_method_return(message, "o", "/org/freedesktop/systemd1/unit/foo");
  };
  const auto unit = [](sd_bus_message* message) {
    return sd_bus_reply_method_return(message,
                                      "a{sv}",
                                      7,
                                      "LoadState",
                                      "s",
                                      "loaded",
                                      "ActiveState",
                                      "s",
                                      "active",
                                      "SubState",
                                      "s",
                                      "running",
                                      "After",
                                      "as",
                                      2,
                                      "a.target",
                                      "b.target",
                                      "FragmentPath",
                                      "s",
                                      "/etc/systemd/system/foo.service",
                                      "UnitFileState",
                                      "s",
                                      "enabled",
                                      "ActiveEnterTimestamp",
                                      "t",
                                      static_cast<std::uint64_t>(1'795'446'245'000'000));
  };
  const auto service = [](sd_bus_message* message) {
    return sd_bus_reply_method_return(message,
                                      "a{sv}",
                                      7,
                                      "Result",
                                      "s",
                                      "exit-code",
                                      "MainPID",
                                      "u",
                                      4242U,
                                      "ExecMainStatus",
                                      "i",
                                      -3,
                                      "Environment",
                                      "as",
                                      0,
                                      "NRestarts",
                                      "u",
                                      5U,
                                      "MemoryCurrent",
                                      "t",
                                      static_cast<std::uint64_t>(1024),
                                      "CPUUsageNSec",
                                      "t",
                                      UINT64_MAX);
  };
  SystemdStandIn systemd({{"LoadUnit", load_unit},
                          {"GetAll org.freedesktop.systemd1.Unit", unit},
                          {"GetAll org.freedesktop.systemd1.Service", service}});

  const UnitProperties properties = systemd.bus->properties("foo.service");
  CHECK(properties.load_state == "loaded");
  CHECK(properties.active_state == "active");
  CHECK(properties.sub_state == "running");
  CHECK(properties.result == "exit-code");
  CHECK(properties.fragment_path == "/etc/systemd/system/foo.service");
  CHECK(properties.unit_file_state == "enabled");
  CHECK(properties.main_pid == 4242);
  CHECK(properties.exec_main_status == -3);
  CHECK(properties.restarts == 5);
  CHECK(properties.active_since_us == 1'795'446'245'000'000);
  CHECK(properties.memory_current == 1024);
  CHECK(properties.cpu_usage_ns == std::nullopt);

  CHECK(systemd.bus->properties("foo.socket").main_pid == 0);
  CHECK(systemd.calls() == std::vector<std::string>{"LoadUnit foo.service",
                                                    "GetAll org.freedesktop.systemd1.Unit",
                                                    "GetAll org.freedesktop.systemd1.Service",
                                                    "LoadUnit foo.socket",
                                                    "GetAll org.freedesktop.systemd1.Unit"});
}

TEST_CASE("enabling and disabling send every unit and reload", "[platform]") {
  std::vector<std::string> sent;
  const auto files = [&](bool with_force) {
    return [&sent, with_force](sd_bus_message* message) {
      sd_bus_message_enter_container(message, 'a', "s");
      const char* text = nullptr;
      while (sd_bus_message_read_basic(message, 's', &text) > 0)
        sent.emplace_back(text);
      sd_bus_message_exit_container(message);
      int runtime = -1, force = -1;
      sd_bus_message_read_basic(message, 'b', &runtime);
      if (with_force)
        sd_bus_message_read_basic(message, 'b', &force);
      sent.push_back(std::to_string(runtime) + (with_force ? std::to_string(force) : ""));
      return with_force ? sd_bus_reply_method_return(message, "ba(sss)", 1, 0)
                        : sd_bus_reply_method_return(message, "a(sss)", 0);
    };
  };
  SystemdStandIn systemd({{"EnableUnitFiles", files(true)}, {"DisableUnitFiles", files(false)}});
  systemd.bus->enable({"a.service", "b.socket"});
  systemd.bus->disable({"a.service"});
  CHECK(systemd.calls() ==
        std::vector<std::string>{"EnableUnitFiles", "Reload", "DisableUnitFiles", "Reload"});
  CHECK(sent == std::vector<std::string>{"a.service", "b.socket", "00", "a.service", "0"});
}

TEST_CASE("a failure is forgotten by unit", "[platform]") {
  SystemdStandIn systemd({});
  systemd.bus->reset_failed("foo.service");
  systemd.bus->reload();
  CHECK(systemd.calls() == std::vector<std::string>{"ResetFailedUnit foo.service", "Reload"});
}

TEST_CASE("systemd tells its version", "[platform]") {
  SystemdStandIn systemd(
      {{"Get org.freedesktop.systemd1.Manager Version", [](sd_bus_message* message) {
          return sd_bus_reply_method_return(message, "v", "s", "252.39-1");
        }}});
  CHECK(systemd.bus->version() == "252.39-1");
}

TEST_CASE("where systemd does not run there is nothing to connect to", "[platform]") {
  if (std::filesystem::is_directory("/run/systemd/system"))
    return;  // this machine has one, and it is not the tests' to talk to
  CHECK(connect_systemd(Scope::System) == nullptr);
  CHECK(connect_systemd(Scope::User) == nullptr);
}
