// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/listener.hpp"
#include "watching.hpp"

#include "las/base/error.hpp"
#include "las/service/supervisor.hpp"

#include <csignal>
#include <numeric>

using namespace las;
using namespace las::service;
using test::Listener;

TEST_CASE("a service is ready at its first 2xx, after refusals and 503 while it loads",
          "[service]") {
  Watching watching({0, 503, 503, 200});
  const Health health = watching.wait(asked_by("http"));
  CHECK(health.ready);
  CHECK(health.reason == "200 from /health");
  CHECK(health.waited == std::chrono::milliseconds(200 + 300 + 450));
  CHECK(watching.clock.waits == std::vector<std::int64_t>{200, 300, 450});
  CHECK(watching.fetcher.urls == std::vector<std::string>(4, "http://127.0.0.1:18080/health"));
  CHECK(watching.reporter.finished_notes == std::vector<std::string>{"200 from /health"});
}

TEST_CASE("redirects and refusals of service do not count as ready", "[service]") {
  for (const int status : {302, 401, 404, 500}) {
    Watching watching({status});
    const Health health = watching.wait(asked_by("http"));
    CHECK_FALSE(health.ready);
    CHECK(health.reason ==
          "not ready after 10 s: " + std::to_string(status) + " from /health; its log is empty");
  }
}

TEST_CASE("a service that never gets ready is given up when its start period is over",
          "[service]") {
  Watching watching({503});
  watching.supervisor.lines = {"loading", "still at it"};
  const Health health = watching.wait(asked_by("http"));
  CHECK_FALSE(health.ready);
  CHECK(health.reason ==
        "not ready after 10 s: 503 from /health, still loading; its log ends: loading | still at "
        "it");
  CHECK(health.waited == std::chrono::seconds(10));
  const auto& waits = watching.clock.waits;
  CHECK(std::accumulate(waits.begin(), waits.end(), std::int64_t{0}) == 10000);
  CHECK(*std::max_element(waits.begin(), waits.end()) == 1000);
}

TEST_CASE("a service that dies ends the wait at once, with its status and its last five lines",
          "[service]") {
  Watching watching({0});
  watching.supervisor.life = {running(), running(), ended(RunState::Failed, 3)};
  watching.supervisor.lines = {"1", "2", "3", "4", "5", "cannot load model"};
  const Health health = watching.wait(asked_by("http"));
  CHECK_FALSE(health.ready);
  CHECK(health.reason == "exited with status 3; its log ends: 2 | 3 | 4 | 5 | cannot load model");
  CHECK(health.waited == std::chrono::milliseconds(200));
}

TEST_CASE("each way to end is told by its own words", "[service]") {
  const std::vector<std::pair<ServiceStatus, std::string>> table{
      {ended(RunState::Failed, 137), "was killed by signal 9; its log is empty"},
      {ended(RunState::Failed), "ended by itself; its log is empty"},
      {ended(RunState::Stopped), "is stopped; its log is empty"},
      {ended(RunState::Absent), "is not installed; its log is empty"},
  };
  for (const auto& [status, reason] : table) {
    Watching watching({200});
    watching.supervisor.life = {status};
    CHECK(watching.wait(asked_by("http")).reason == reason);
  }
}

TEST_CASE("somebody else's answer is not taken for that of a service that died", "[service]") {
  Watching watching({200});
  watching.supervisor.life = {running(), ended(RunState::Failed, 1)};
  CHECK_FALSE(watching.wait(asked_by("http")).ready);
}

TEST_CASE("a crash that the supervisor already restarted is still seen", "[service]") {
  Watching watching({200});
  ServiceStatus again = running();
  again.restarts = 1;
  watching.supervisor.life = {running(), again};
  const Health health = watching.wait(asked_by("http"));
  CHECK_FALSE(health.ready);
  CHECK(health.reason == "ended by itself; its log is empty");
}

TEST_CASE("an unreadable log does not hide why a service ended", "[service]") {
  Watching watching({0});
  watching.supervisor.life = {ended(RunState::Failed, 1)};
  watching.supervisor.logs_unreadable = true;
  CHECK(watching.wait(asked_by("http")).reason ==
        "exited with status 1; its log cannot be read: no journal");
}

TEST_CASE("a service that is still starting is waited for even if its port answers", "[service]") {
  Watching watching({200});
  watching.supervisor.life = {
      ended(RunState::Starting), ended(RunState::Starting), ended(RunState::Starting), running()};
  const Health health = watching.wait(asked_by("http"));
  CHECK(health.ready);
  CHECK(watching.clock.waits == std::vector<std::int64_t>{200, 300});
}

TEST_CASE("a service without a health check is ready once it has stayed up", "[service]") {
  Watching watching({0});
  const Health health = watching.wait(asked_by("none"));
  CHECK(health.ready);
  CHECK(health.reason == "is running");
  CHECK(health.waited >= std::chrono::seconds(1));
  CHECK(watching.fetcher.urls.empty());
}

TEST_CASE("a tcp check asks whether the port accepts connections", "[service]") {
  const Listener listener;
  Watching watching({0});
  auto instance = asked_by("tcp");
  instance.port = listener.port;
  const Health health = watching.wait(instance);
  CHECK(health.ready);
  CHECK(health.reason == "port " + std::to_string(listener.port) + " accepts connections");
}

TEST_CASE("addresses to listen on become addresses to ask", "[service]") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"0.0.0.0", "http://127.0.0.1:18080/health"},
      {"::", "http://[::1]:18080/health"},
      {"", "http://127.0.0.1:18080/health"},
      {"192.0.2.7", "http://192.0.2.7:18080/health"},
      {"2001:db8::1", "http://[2001:db8::1]:18080/health"},
  };
  for (const auto& [host, url] : table) {
    Watching watching({200});
    auto instance = asked_by("http");
    instance.host = host;
    watching.wait(instance);
    CHECK(watching.fetcher.urls == std::vector<std::string>{url});
  }
}

TEST_CASE("an unknown kind of health check is a fault, not a pass", "[service]") {
  Watching watching({200});
  CHECK_THROWS_WITH(watching.wait(asked_by("grpc")), "unknown kind of health check: grpc");
}

TEST_CASE("a request to stop ends the wait", "[service]") {
  Watching watching({503});
  watching.cancellation.request(SIGINT);
  try {
    watching.wait(asked_by("http"));
    FAIL("waited to the end");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Interrupted);
  }
  CHECK(watching.clock.waits.empty());
}

TEST_CASE("one probe tells how the service is now", "[service]") {
  Watching watching({503});
  const Activity activity{watching.reporter, watching.cancellation};
  Health health = probe_health(watching.supervisor, watching.fetcher, asked_by("http"), activity);
  CHECK_FALSE(health.ready);
  CHECK(health.reason == "503 from /health, still loading");
  watching.supervisor.life = {ended(RunState::Stopped)};
  health = probe_health(watching.supervisor, watching.fetcher, asked_by("http"), activity);
  CHECK_FALSE(health.ready);
  CHECK(health.reason == "is stopped");
}

TEST_CASE("a port is chosen that nobody leases and nobody listens on", "[service]") {
  const Listener listener;
  const auto taken = listener.port;
  CHECK_THROWS_WITH(choose_port(taken, taken, {}),
                    "no free port is left: " + std::to_string(taken) + "-" + std::to_string(taken));
  CHECK_THROWS_WITH(choose_port(65535, 65535, {{65535, "other"}}),
                    "no free port is left: 65535-65535");
  CHECK_THROWS_WITH(choose_port(9, 8, {}), "no free port is left: 9-8");
  std::uint16_t free_port = 0;
  {
    const Listener gone;
    free_port = gone.port;
  }
  CHECK(choose_port(free_port, free_port, {}) == free_port);
  CHECK_THROWS_AS(choose_port(free_port, free_port, {{free_port, "other"}}), Error);
}
