// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/service/supervisor.hpp"
#include "las/state/records.hpp"

#include <chrono>

/// What follows from one look at a running service. Pure.
namespace las::service {

enum class Care {
  None,
  Restart,  ///< it failed as often in a row as its rules allow
  GiveUp,   ///< it was restarted too often without getting well
};

struct Judgement {
  state::HealthRecord record;  ///< to be kept
  Care care = Care::None;
};

/// Restarts without getting well after which las restarts a service no more.
inline constexpr int kMostRestarts = 5;
/// The longest pause between two restarts; the first is the interval between two looks, and each
/// next twice as long.
inline constexpr std::chrono::hours kLongestBackOff{1};

/// `before`: of the last look, a fresh one at first. `status`: as the supervisor says at the same
/// time; within its start period a service that is not well yet is given time.
Judgement judge(const state::HealthRecord& before,
                const state::ServiceInstance& service,
                const ServiceStatus& status,
                const Health& health,
                std::chrono::system_clock::time_point now);

}  // namespace las::service
