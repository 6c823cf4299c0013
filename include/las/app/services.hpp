// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/service/supervisor.hpp"

#include <string>
#include <vector>

namespace las::app {

/// A service of the current generation with what it does now.
struct ServiceView {
  state::ServiceInstance instance;
  service::ServiceStatus status;
  bool wished_running = true;
  std::string url;   ///< "http://127.0.0.1:11500/v1" for an OpenAI-compatible one; "" otherwise
  std::string hint;  ///< of a failed one: what to type next
};

/// All services of the current generation, or the named ones (NotFound with a suggestion).
std::vector<ServiceView> services(Session& session, const std::vector<std::string>& names);

/// Starts and waits until healthy / stops and waits until gone. Already so: nothing happens. Both
/// remember the wish, so that a later converge does not undo it. Takes the lock.
/// Returns the services as they are afterwards.
std::vector<ServiceView> start_services(Session& session,
                                        const std::vector<std::string>& names,
                                        const Activity& activity);
std::vector<ServiceView> stop_services(Session& session,
                                       const std::vector<std::string>& names,
                                       const Activity& activity);

std::vector<std::string> service_logs(Session& session, const std::string& name, std::size_t lines);

/// One probe each.
struct ServiceHealth {
  ServiceView view;
  service::Health health;
};

std::vector<ServiceHealth> service_health(Session& session,
                                          const std::vector<std::string>& names,
                                          const Activity& activity);

/// Prometheus text exposition format 0.0.4: what las knows of itself and its services.
std::string metrics(Session& session, const Activity& activity);

}  // namespace las::app
