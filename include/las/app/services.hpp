// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/service/supervisor.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace las::app {

/// A service of the current generation with what it does now.
struct ServiceView {
  state::ServiceInstance instance;
  service::ServiceStatus status;
  bool wished_running = true;
  bool at_boot = true;                        ///< wished to start with the machine
  std::optional<state::HealthRecord> health;  ///< of the last look at it, if there was one
  std::string url;  ///< "http://127.0.0.1:11500/v1" for an OpenAI-compatible one; "" otherwise
  std::optional<ByteSize> gpu_memory;  ///< that it holds; nothing without a GPU, and where unknown
  std::string hint;                    ///< of a failed one: what to type next
};

/// Which services a command is about. A name is that of a service, or of an installed module: the
/// services of it and of every module that it needs (a group).
struct ServiceNames {
  std::vector<std::string> names;
  bool all = false;
};

/// All services of the current generation, or the named ones (NotFound with a suggestion).
std::vector<ServiceView> services(Session& session, const std::vector<std::string>& names);

enum class WaitFor { Nothing, Health };

/// Starts and waits until healthy / stops and waits until gone, in the order of what needs what;
/// what a service uses is started with it. Already so: nothing happens. Both remember the wish, so
/// that a later converge does not undo it. Usage without a name and without `all`. Takes the lock.
/// Returns the services as they are afterwards.
std::vector<ServiceView> start_services(Session& session,
                                        const ServiceNames& names,
                                        WaitFor wait,
                                        const Activity& activity);
std::vector<ServiceView> stop_services(Session& session,
                                       const ServiceNames& names,
                                       const Activity& activity);
/// What runs is ended and started anew; what does not is started.
std::vector<ServiceView> restart_services(Session& session,
                                          const ServiceNames& names,
                                          WaitFor wait,
                                          const Activity& activity);
/// Whether they start with the machine; what they do now stays. Unsatisfiable where nothing starts
/// services at boot.
std::vector<ServiceView> set_at_boot(Session& session,
                                     const ServiceNames& names,
                                     bool at_boot,
                                     const Activity& activity);

/// The ids of the services that the names stand for. Usage without a name and without `all`.
std::vector<std::string> named_services(Session& session, const ServiceNames& names);

/// Those of them that more can reach than they are for: Supervisor::lets_everybody_in().
std::vector<std::string> open_services(Session& session, const ServiceNames& names);

void read_service_log(Session& session,
                      const std::string& name,
                      const service::LogQuery& query,
                      const std::function<void(const std::string&)>& on_line,
                      const Activity& activity);

/// One probe each.
struct ServiceHealth {
  ServiceView view;
  service::Health health;
};

std::vector<ServiceHealth> service_health(Session& session,
                                          const std::vector<std::string>& names,
                                          const Activity& activity);

/// Waits until the service is healthy, without the writer lock: for whoever waits on the way to it.
service::Health await_health(Session& session, const std::string& name, const Activity& activity);

/// One look at a running service, as its timer has it: keeps what it finds, restarts one that is
/// ill, and says when it gives up (service/watch.hpp). Where las changes something at the same
/// time, it looks and does nothing.
ServiceHealth look_after(Session& session, const std::string& name, const Activity& activity);

/// What services used of the processors between two looks.
struct ServiceLoad {
  ServiceView view;
  std::optional<double> cpu_percent;  ///< of one core; nothing where it cannot be known
};

/// Looks twice, `interval` apart.
std::vector<ServiceLoad> service_load(Session& session,
                                      const std::vector<std::string>& names,
                                      std::chrono::milliseconds interval,
                                      const Activity& activity);

/// Prometheus text exposition format 0.0.4: what las knows of itself and its services.
std::string metrics(Session& session, const Activity& activity);

/// Where the numbers of the services themselves are: the JSON that Prometheus reads as file_sd.
std::string scrape_targets(Session& session);

}  // namespace las::app
