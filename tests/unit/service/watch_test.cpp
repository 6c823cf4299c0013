// SPDX-License-Identifier: Apache-2.0
#include "las/service/watch.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace las;
using namespace las::service;
using std::chrono::seconds;

namespace {

/// A service that is looked at every 30 s, and is ill after three failures in a row.
class Ward {
 public:
  Ward() {
    service.id = "tiny";
    service.start_period_s = 60;
    service.health.interval_s = 30;
    service.health.retries = 3;
    status.state = RunState::Running;
    status.since = platform::to_iso8601(now - std::chrono::hours(24));
  }

  Care look(bool well, const std::string& reason) {
    const Judgement judgement = judge(record, service, status, {well, reason, {}}, now);
    record = judgement.record;
    return judgement.care;
  }

  Care well() { return look(true, "200 from /health"); }

  Care ill() { return look(false, "connection refused"); }

  /// Looks every interval until something is done about the service; the pause before that.
  seconds until_cared_for(Care expected) {
    const auto begun = now;
    for (int looks = 0; looks < 10000; ++looks) {
      now += seconds(service.health.interval_s);
      const Care care = ill();
      if (care == Care::None)
        continue;
      CHECK(care == expected);
      return std::chrono::duration_cast<seconds>(now - begun);
    }
    FAIL("nothing was done");
    return {};
  }

  std::string at(seconds later = {}) const { return platform::to_iso8601(now + later); }

  state::ServiceInstance service;
  ServiceStatus status;
  state::HealthRecord record;
  std::chrono::system_clock::time_point now{seconds(1790000000)};
};

}  // namespace

TEST_CASE("a look at a well service is written down and changes nothing", "[service]") {
  Ward ward;
  CHECK(ward.well() == Care::None);
  state::HealthRecord expected;
  expected.service = "tiny";
  expected.checked_at = expected.since = "2026-09-21T14:13:20Z";
  expected.healthy = true;
  expected.reason = "200 from /health";
  CHECK(ward.record == expected);

  ward.now += seconds(30);
  CHECK(ward.well() == Care::None);
  CHECK(ward.record.checked_at == "2026-09-21T14:13:50Z");
  CHECK(ward.record.since == "2026-09-21T14:13:20Z");
}

TEST_CASE("a service is restarted when it failed as often in a row as its rules allow",
          "[service]") {
  Ward ward;
  ward.well();
  ward.now += seconds(30);
  CHECK(ward.ill() == Care::None);
  CHECK(ward.record.failures == 1);
  CHECK(ward.record.since == ward.at());
  CHECK_FALSE(ward.record.healthy);
  CHECK(ward.record.reason == "connection refused");
  CHECK(ward.ill() == Care::None);
  CHECK(ward.ill() == Care::Restart);
  CHECK(ward.record.failures == 0);
  CHECK(ward.record.restarts == 1);
  CHECK(ward.record.restart_after == ward.at(seconds(30)));
}

TEST_CASE("one look that succeeds begins the count of failures anew", "[service]") {
  Ward ward;
  ward.ill();
  ward.ill();
  CHECK(ward.well() == Care::None);
  CHECK(ward.record.failures == 0);
  CHECK(ward.ill() == Care::None);
  CHECK(ward.ill() == Care::None);
  CHECK(ward.ill() == Care::Restart);
}

TEST_CASE("with one retry the first failure restarts", "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  CHECK(ward.ill() == Care::Restart);
}

TEST_CASE("a service that starts is given its start period", "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  ward.status.since = ward.at();
  ward.now += seconds(59);
  CHECK(ward.ill() == Care::None);
  CHECK(ward.record.failures == 0);
  CHECK_FALSE(ward.record.healthy);
  ward.now += seconds(1);
  CHECK(ward.ill() == Care::Restart);
}

TEST_CASE("a service of which nobody knows since when it runs is given no start period",
          "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  ward.status.since = "";
  CHECK(ward.ill() == Care::Restart);
}

TEST_CASE("what does not run is the supervisor's to start again", "[service]") {
  for (const RunState state : {RunState::Starting,
                               RunState::Stopping,
                               RunState::Stopped,
                               RunState::Waiting,
                               RunState::Failed,
                               RunState::Absent}) {
    INFO(to_string(state));
    Ward ward;
    ward.service.health.retries = 1;
    ward.status.state = state;
    ward.status.starts_again = state == RunState::Failed;
    CHECK(ward.ill() == Care::None);
    CHECK(ward.record.failures == 0);
    CHECK(ward.record.restarts == 0);
    CHECK_FALSE(ward.record.healthy);
  }
}

TEST_CASE("each pause between restarts is twice as long, and after five las gives up",
          "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  CHECK(ward.ill() == Care::Restart);
  std::vector<std::int64_t> pauses;
  for (int restart = 2; restart <= kMostRestarts; ++restart)
    pauses.push_back(ward.until_cared_for(Care::Restart).count());
  CHECK(pauses == std::vector<std::int64_t>{30, 60, 120, 240});
  CHECK(ward.record.restarts == 5);
  CHECK(ward.record.gave_up.empty());
  CHECK(ward.until_cared_for(Care::GiveUp) == seconds(30));
  CHECK(ward.record.gave_up == "restarted 5 times and not well: connection refused");
}

TEST_CASE("no pause between restarts is longer than an hour", "[service]") {
  Ward ward;
  ward.service.health.interval_s = 1200;
  ward.service.health.retries = 1;
  CHECK(ward.ill() == Care::Restart);
  std::vector<std::int64_t> pauses;
  for (int restart = 2; restart <= kMostRestarts; ++restart)
    pauses.push_back(ward.until_cared_for(Care::Restart).count());
  CHECK(pauses == std::vector<std::int64_t>{1200, 2400, 3600, 3600});
  ward = Ward();
  ward.service.health.interval_s = 86400;
  ward.service.health.retries = 1;
  CHECK(ward.ill() == Care::Restart);
  CHECK(ward.record.restart_after == ward.at(kLongestBackOff));
}

TEST_CASE("what las gave up is told once and then left alone", "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  ward.record.restarts = kMostRestarts;
  CHECK(ward.ill() == Care::GiveUp);
  const std::string why = ward.record.gave_up;
  for (int look = 0; look < 5; ++look) {
    ward.now += std::chrono::hours(2);
    CHECK(ward.look(false, "something else") == Care::None);
  }
  CHECK(ward.record.gave_up == why);
  CHECK(ward.record.restarts == kMostRestarts);
}

TEST_CASE("a service that got well by itself is no longer given up", "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  ward.record.restarts = kMostRestarts;
  ward.ill();
  CHECK(ward.well() == Care::None);
  CHECK(ward.record.gave_up.empty());
  CHECK(ward.record.restarts == kMostRestarts);
  ward.now += seconds(30);
  CHECK(ward.ill() == Care::GiveUp);
}

TEST_CASE("earlier restarts are forgotten after ten intervals of being well, and not before",
          "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  ward.ill();
  REQUIRE(ward.record.restarts == 1);
  ward.now += seconds(30);
  ward.well();
  ward.now += seconds(299);
  ward.well();
  CHECK(ward.record.restarts == 1);
  CHECK_FALSE(ward.record.restart_after.empty());
  ward.now += seconds(1);
  ward.well();
  CHECK(ward.record.restarts == 0);
  CHECK(ward.record.restart_after.empty());
}

TEST_CASE("a pause that cannot be read holds nobody up", "[service]") {
  Ward ward;
  ward.service.health.retries = 1;
  ward.record.restarts = 1;
  ward.record.restart_after = "soon";
  CHECK(ward.ill() == Care::Restart);
  CHECK(ward.record.restart_after == ward.at(seconds(60)));
}

TEST_CASE("one that systemd starts no more is given up, once", "[service]") {
  Ward ward;
  ward.status.state = RunState::Failed;
  ward.status.starts_again = true;
  CHECK(ward.ill() == Care::None);
  CHECK(ward.record.gave_up.empty());

  ward.status.starts_again = false;
  CHECK(ward.ill() == Care::GiveUp);
  CHECK(ward.record.gave_up == "ended again and again: connection refused");
  CHECK(ward.ill() == Care::None);

  ward.status.state = RunState::Running;
  ward.well();
  CHECK(ward.record.gave_up.empty());
}

TEST_CASE("one on demand that ended badly is tried again by the next request", "[service]") {
  Ward ward;
  ward.service.on_demand = state::OnDemand{11501, 600};
  ward.status.state = RunState::Failed;
  CHECK(ward.ill() == Care::None);
  CHECK(ward.record.gave_up.empty());
}
