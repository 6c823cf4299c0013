// SPDX-License-Identifier: Apache-2.0
// Health checks that run a command, those that look into the answer, and services on demand.
#include "run_check.hpp"
#include "support/error_of.hpp"
#include "support/listener.hpp"
#include "support/temp_directory.hpp"
#include "watching.hpp"
#include "workshop.hpp"

using namespace las;
using namespace las::service;

namespace {

state::ServiceInstance asked_by_command() {
  auto instance = asked_by("exec");
  instance.health.command = {"/opt/store/bin/pg_isready", "-q"};
  return instance;
}

Health probe(Watching& watching, const state::ServiceInstance& instance) {
  return probe_health(watching.supervisor,
                      watching.fetcher,
                      instance,
                      Activity{watching.reporter, watching.cancellation});
}

/// Runs the command of a health check for real.
struct Check : Workshop {
  explicit Check(const std::string& body) {
    service.id = "tiny";
    service.health.command = {"/bin/sh", directory.write("check.sh", body).string()};
  }

  platform::ProcessResult run(std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    return supervisor->run_check(service, timeout, activity);
  }

  state::ServiceInstance service;
};

}  // namespace

TEST_CASE("a command that ends well says that the service is well", "[service]") {
  Watching watching({0});
  auto instance = asked_by_command();
  instance.health.timeout_ms = 1234;
  watching.supervisor.check = {0, "accepting connections\n", ""};
  const Health health = probe(watching, instance);
  CHECK(health.ready);
  CHECK(health.reason == "pg_isready says yes");
  CHECK(watching.supervisor.check_timeouts == std::vector<std::int64_t>{1234});
  CHECK(watching.fetcher.urls.empty());
}

TEST_CASE("a command that does not end well says why the service is not", "[service]") {
  const std::vector<std::pair<platform::ProcessResult, std::string>> table{
      {{2, "", ""}, "pg_isready: ended with 2"},
      {{1, "first\nno response\n", ""}, "pg_isready: no response"},
      {{1, "out\n", "warning\n  rejecting \n"}, "pg_isready: rejecting"},
  };
  for (const auto& [result, reason] : table) {
    Watching watching({0});
    watching.supervisor.check = result;
    const Health health = probe(watching, asked_by_command());
    CHECK_FALSE(health.ready);
    CHECK(health.reason == reason);
  }
}

TEST_CASE("a command has to say what is expected, and to end well too", "[service]") {
  Watching watching({0});
  auto instance = asked_by_command();
  instance.health.expect = "PONG";
  watching.supervisor.check = {0, "NOAUTH Authentication required.\n", ""};
  CHECK_FALSE(probe(watching, instance).ready);
  CHECK(probe(watching, instance).reason == "pg_isready: NOAUTH Authentication required.");
  watching.supervisor.check = {1, "PONG\n", ""};
  CHECK_FALSE(probe(watching, instance).ready);
  watching.supervisor.check = {0, "PONG\n", ""};
  CHECK(probe(watching, instance).ready);
}

TEST_CASE("a command that cannot be run is a failed look, not a fault of las", "[service]") {
  Watching watching({0});
  watching.supervisor.check_fault = "timed out after 5 s";
  const Health health = probe(watching, asked_by_command());
  CHECK_FALSE(health.ready);
  CHECK(health.reason == "pg_isready: timed out after 5 s");
}

TEST_CASE("an answer without the expected text does not count as well", "[service]") {
  Watching watching({200});
  auto instance = asked_by("http");
  instance.health.expect = "\"ok\"";
  instance.health.timeout_ms = 750;
  watching.fetcher.body = R"({"status": "loading"})";
  CHECK_FALSE(probe(watching, instance).ready);
  CHECK(probe(watching, instance).reason == "200 from /health, without '\"ok\"'");
  CHECK(watching.fetcher.last.timeout == std::chrono::milliseconds(750));
  watching.fetcher.body = R"({"status": "ok"})";
  CHECK(probe(watching, instance).ready);
  CHECK(probe(watching, instance).reason == "200 from /health");
}

TEST_CASE("a refusal stays one, whatever its text", "[service]") {
  Watching watching({500});
  auto instance = asked_by("http");
  instance.health.expect = "ok";
  watching.fetcher.body = "not ok";
  CHECK_FALSE(probe(watching, instance).ready);
  CHECK(probe(watching, instance).reason == "500 from /health");
}

TEST_CASE("a service that waits for its first request is well and is not woken by a look",
          "[service]") {
  Watching watching({0});
  auto instance = asked_by("http");
  instance.on_demand = state::OnDemand{18081, 60};
  watching.supervisor.life = {ended(RunState::Waiting)};
  const Health health = probe(watching, instance);
  CHECK(health.ready);
  CHECK(health.reason == "waits for the first request");
  CHECK(watching.fetcher.urls.empty());
}

TEST_CASE("a service on demand is asked behind its socket, also while its start waits for that",
          "[service]") {
  Watching watching({200});
  auto instance = asked_by("http");
  instance.host = "0.0.0.0";
  instance.on_demand = state::OnDemand{18081, 60};
  ServiceStatus starting = running();
  starting.state = RunState::Starting;
  watching.supervisor.life = {starting};
  CHECK(probe(watching, instance).ready);
  CHECK(watching.fetcher.urls == std::vector<std::string>{"http://127.0.0.1:18081/health"});
  starting.pid = 0;
  watching.supervisor.life = {starting};
  CHECK_FALSE(probe(watching, instance).ready);
  starting.pid = 7;
  instance.on_demand.reset();
  watching.supervisor.life = {starting};
  CHECK_FALSE(probe(watching, instance).ready);
}

TEST_CASE("whoever waits behind the socket is let through within ten milliseconds", "[service]") {
  Watching watching({0, 0, 200});
  auto instance = asked_by("http");
  instance.on_demand = state::OnDemand{18081, 60};
  CHECK(watching.wait(instance).ready);
  CHECK(watching.clock.waits == std::vector<std::int64_t>{10, 10});
}

TEST_CASE("who wakes a container on demand leaves it alone until its start is done", "[service]") {
  Watching watching({200});
  auto instance = asked_by("http");
  instance.on_demand = state::OnDemand{18081, 2};
  instance.container.emplace();
  ServiceStatus starting = running();
  starting.state = RunState::Starting;
  const ServiceStatus waiting = ended(RunState::Waiting);
  // Before it is woken, twice, and then once a look.
  watching.supervisor.life = {waiting, waiting, waiting, starting, running()};
  CHECK(watching.wait(instance).ready);
  CHECK(watching.clock.waits == std::vector<std::int64_t>{10, 10});
  CHECK(watching.fetcher.urls.size() == 1);
}

TEST_CASE("one that was up and is idle again before it could be asked was ready", "[service]") {
  auto instance = asked_by("http");
  instance.on_demand = state::OnDemand{18081, 2};
  const ServiceStatus waiting = ended(RunState::Waiting);
  for (const bool contained : {true, false}) {
    Watching watching({0});
    if (contained)
      instance.container.emplace();
    else
      instance.container.reset();
    watching.supervisor.life = {waiting, waiting, waiting, running(), running(), waiting};
    const Health health = watching.wait(instance);
    CHECK(health.ready);
    CHECK(health.reason == "was ready, and is idle again");
    CHECK(watching.fetcher.urls.size() == 1);
  }
}

TEST_CASE("one that goes on waiting is woken again every second, and not for ever", "[service]") {
  Watching watching({0});
  auto instance = asked_by("http");
  instance.start_period_s = 3;
  instance.on_demand = state::OnDemand{18081, 2};
  const test::Listener socket;
  instance.port = socket.port;
  watching.supervisor.life = {ended(RunState::Waiting)};
  const Health health = watching.wait(instance);
  CHECK_FALSE(health.ready);
  CHECK(health.reason.starts_with("not ready after 3 s: waiting"));
  CHECK(socket.connections() == 4);
}

TEST_CASE("the start that waits for a service ends when the service is gone", "[service]") {
  Watching watching({0});
  bool gone = false;
  int looks = 0;
  const Health health = wait_until_ready(watching.supervisor,
                                         watching.fetcher,
                                         watching.clock,
                                         asked_by("http"),
                                         Activity{watching.reporter, watching.cancellation},
                                         [&] {
                                           gone = ++looks == 3;
                                           return gone;
                                         });
  CHECK_FALSE(health.ready);
  CHECK(health.reason == "ended before it was ready; its log is empty");
  CHECK(looks == 3);
}

TEST_CASE("an answer of somebody else on the port is not the service's", "[service]") {
  Watching watching({200});
  watching.supervisor.other_listener = "pid 7 (nginx)";
  CHECK_FALSE(probe(watching, asked_by("http")).ready);
  CHECK(probe(watching, asked_by("http")).reason == "pid 7 (nginx) listens on port 18080");
}

TEST_CASE("the command of a health check is run with the service's environment and its own",
          "[service]") {
  Check check("env | sort");
  check.service.environment = {{"A", "of the service"}, {"B", "too"}};
  check.service.health.environment = {{"A", "of the check"}};
  CHECK(check.run().out ==
        "A=of the check\nB=too\nLC_ALL=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nPWD=" +
            std::filesystem::current_path().string() + "\n");
}

TEST_CASE("the secret is filled in when the check is run", "[service]") {
  Check check("printf '%s' \"$AUTH\"");
  check.service.secrets = {{"password", "{word}"}};
  check.service.health.environment = {{"AUTH", "<{word}|{word}>"}};
  const auto folder = check.layout.secrets("tiny");
  make_secrets(*check.files, check.service, folder);
  const std::string word = secret_word(*check.files, folder);
  CHECK(check.run().out == "<" + word + "|" + word + ">");
}

TEST_CASE("a check whose service has no secret cannot be run", "[service]") {
  Check check("true");
  check.service.health.environment = {{"AUTH", "{word}"}};
  CHECK(test::error_of([&] { return check.run(); })->kind() == ErrorKind::NotFound);
}

TEST_CASE("a check ends with its own status, and is ended when its time is over", "[service]") {
  Check failing("echo no >&2; exit 7");
  CHECK(failing.run().status == 7);
  CHECK(failing.run().err == "no\n");
  Check endless("exec sleep 1000");
  const auto error = test::error_of([&] { return endless.run(std::chrono::milliseconds(50)); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Io);
}

TEST_CASE("a stand-in for a supervisor runs no commands unless it says so", "[service]") {
  class Bare final : public StandInSupervisor {
   public:
    platform::ProcessResult run_check(const state::ServiceInstance& service,
                                      std::chrono::milliseconds timeout,
                                      const Activity& activity) override {
      return Supervisor::run_check(service, timeout, activity);
    }
  };

  Bare bare;
  bare.life = {running()};
  StandInFetcher fetcher({0});
  NullReporter reporter;
  const Cancellation cancellation;
  const Health health =
      probe_health(bare, fetcher, asked_by_command(), Activity{reporter, cancellation});
  CHECK_FALSE(health.ready);
  CHECK(health.reason == "pg_isready: no command can be run there");
}
