// SPDX-License-Identifier: Apache-2.0
#include "las/service/watch.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

/// So long well, and earlier trouble is forgotten.
constexpr int kIntervalsUntilForgotten = 10;

bool is_starting(const state::ServiceInstance& service,
                 const ServiceStatus& status,
                 system_clock::time_point now) {
  const auto since = platform::from_iso8601(status.since);
  return since && now - *since < seconds(service.start_period_s);
}

bool is_past(const std::string& instant, system_clock::time_point now) {
  const auto parsed = platform::from_iso8601(instant);
  return !parsed || *parsed <= now;
}

seconds back_off(const state::ServiceInstance& service, std::int64_t restarts) {
  seconds pause(service.health.interval_s);
  for (std::int64_t i = 0; i < restarts && pause < kLongestBackOff; ++i)
    pause *= 2;
  return std::min<seconds>(pause, kLongestBackOff);
}

void note_well(const state::ServiceInstance& service,
               system_clock::time_point now,
               state::HealthRecord& record) {
  record.failures = 0;
  const auto since = platform::from_iso8601(record.since);
  if (since && now - *since >= seconds(service.health.interval_s * kIntervalsUntilForgotten)) {
    record.restarts = 0;
    record.restart_after.clear();
  }
  record.gave_up.clear();
}

}  // namespace

Judgement judge(const state::HealthRecord& before,
                const state::ServiceInstance& service,
                const ServiceStatus& status,
                const Health& health,
                system_clock::time_point now) {
  Judgement judgement{before, Care::None};
  state::HealthRecord& record = judgement.record;
  record.service = service.id;
  record.checked_at = platform::to_iso8601(now);
  record.reason = health.reason;
  if (record.since.empty() || record.healthy != health.ready)
    record.since = record.checked_at;
  record.healthy = health.ready;
  if (health.ready) {
    note_well(service, now, record);
    return judgement;
  }
  if (status.state == RunState::Failed && !status.starts_again && !service.on_demand) {
    // systemd has started it as often as its unit allows.
    if (record.gave_up.empty()) {
      record.gave_up = fmt::format(fmt::runtime(_("ended again and again: {}")), health.reason);
      judgement.care = Care::GiveUp;
    }
    return judgement;
  }
  // One that ended is systemd's to start again.
  const bool runs = status.state == RunState::Running;
  if (!runs || is_starting(service, status, now))
    return judgement;
  ++record.failures;
  if (record.failures < service.health.retries || !record.gave_up.empty())
    return judgement;
  if (record.restarts >= kMostRestarts) {
    record.gave_up = fmt::format(
        fmt::runtime(_("restarted {} times and not well: {}")), record.restarts, health.reason);
    judgement.care = Care::GiveUp;
    return judgement;
  }
  if (!is_past(record.restart_after, now))
    return judgement;
  record.restart_after = platform::to_iso8601(now + back_off(service, record.restarts));
  ++record.restarts;
  record.failures = 0;
  judgement.care = Care::Restart;
  return judgement;
}

}  // namespace las::service
