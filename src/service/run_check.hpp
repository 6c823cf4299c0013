// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/service/supervisor.hpp"

#include <chrono>
#include <string>

/// What both supervisors ask of a running service by starting a program.
namespace las::service {

/// Runs the command of the service's health check: in its container, else beside it as whoever runs
/// las.
platform::ProcessResult run_health_command(const SupervisorSurroundings& around,
                                           const state::ServiceInstance& service,
                                           std::chrono::milliseconds timeout,
                                           const Activity& activity);

/// Supervisor::foreign_image, by asking the container engine.
std::string ask_foreign_image(const SupervisorSurroundings& around,
                              const state::ServiceInstance& service);

/// Whether a daemon has made the service's container, and with it the port that it is reached by:
/// the daemon holds that port, not the service.
bool runs_by_daemon(const SupervisorSurroundings& around, const state::ServiceInstance& service);

}  // namespace las::service
