// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stand_ins.hpp"

#include "las/service/supervisor.hpp"

#include <deque>
#include <optional>
#include <string>

namespace las::service {

inline ServiceStatus running() {
  ServiceStatus status;
  status.state = RunState::Running;
  status.pid = 42;
  return status;
}

inline ServiceStatus ended(RunState state, std::optional<int> exit_status = {}) {
  ServiceStatus status;
  status.state = state;
  status.exit_status = exit_status;
  return status;
}

inline state::ServiceInstance asked_by(const std::string& kind) {
  state::ServiceInstance instance;
  instance.id = "tiny";
  instance.port = 18080;
  instance.health_kind = kind;
  instance.health_path = "/health";
  instance.start_period_s = 10;
  return instance;
}

/// All that a wait needs, with a service that runs and a clock that nobody waits for.
struct Watching {
  explicit Watching(std::deque<int> statuses) : fetcher(std::move(statuses)) {
    supervisor.life = {running()};
  }

  Health wait(const state::ServiceInstance& instance) {
    return wait_until_ready(supervisor, fetcher, clock, instance, Activity{reporter, cancellation});
  }

  StandInSupervisor supervisor;
  StandInFetcher fetcher;
  ManualClock clock;
  KeepingReporter reporter;
  Cancellation cancellation;
};

}  // namespace las::service
