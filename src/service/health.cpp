// SPDX-License-Identifier: Apache-2.0
#include "addresses.hpp"
#include "explain.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/net.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{200};
constexpr milliseconds kLongestPause{1000};
constexpr milliseconds kProbeTimeout{5000};
/// A service that offers nothing to ask counts as well once it has stayed up this long.
constexpr milliseconds kSettled{1000};

Health probe_http(fetch::Fetcher& fetcher,
                  const state::ServiceInstance& service,
                  const Activity& activity) {
  const std::string path =
      service.health_path.starts_with('/') ? service.health_path : "/" + service.health_path;
  fetch::Request request;
  request.url = fmt::format("http://{}:{}{}", probe_host(service.host), service.port, path);
  request.timeout = kProbeTimeout;
  request.body_limit = ByteSize::mib(1);
  try {
    const int status = fetcher.exchange(request, activity).status;
    Health health;
    // Only 2xx: engines answer 503 while they load their model, and a redirect is somebody else.
    health.ready = status >= 200 && status < 300;
    health.reason = status == 503
                        ? fmt::format(fmt::runtime(_("{} from {}, still loading")), status, path)
                        : fmt::format(fmt::runtime(_("{} from {}")), status, path);
    return health;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Interrupted)
      throw;
    return {false, error.cause().empty() ? error.message() : error.cause(), {}};
  }
}

Health probe_tcp(const state::ServiceInstance& service) {
  const bool accepts = platform::port_accepts(service.port);
  return {accepts,
          fmt::format(fmt::runtime(accepts ? _("port {} accepts connections")
                                           : _("port {} accepts no connections yet")),
                      service.port),
          {}};
}

Health ask(fetch::Fetcher& fetcher,
           const state::ServiceInstance& service,
           const Activity& activity) {
  if (service.health_kind == "http")
    return probe_http(fetcher, service, activity);
  if (service.health_kind == "tcp")
    return probe_tcp(service);
  if (service.health_kind == "none" || service.health_kind.empty())
    return {true, _("is running"), {}};
  throw Error(ErrorKind::InvalidData, _("unknown kind of health check"), service.health_kind);
}

/// "" if what answers on the port is the service itself, else who it is.
std::string answered_by_another(Supervisor& supervisor, const state::ServiceInstance& service) {
  const bool asked = service.health_kind == "http" || service.health_kind == "tcp";
  const std::string other =
      asked && service.port != 0 ? supervisor.impostor(service) : std::string();
  return other.empty() ? other
                       : fmt::format(fmt::runtime(_("{} listens on port {}")), other, service.port);
}

bool has_ended(const ServiceStatus& status) {
  return status.state == RunState::Failed || status.state == RunState::Stopped ||
         status.state == RunState::Absent;
}

/// One wait for one service.
class Watch {
 public:
  Watch(Supervisor& supervisor,
        fetch::Fetcher& fetcher,
        platform::Clock& clock,
        const state::ServiceInstance& service,
        const Activity& activity)
      : supervisor_(supervisor),
        fetcher_(fetcher),
        clock_(clock),
        service_(service),
        activity_(activity),
        begun_(clock.steady_now()),
        restarts_(supervisor.status(service).restarts) {}

  Health run() {
    const milliseconds period = std::chrono::seconds(service_.start_period_s);
    milliseconds pause = kFirstPause;
    for (;;) {
      activity_.cancellation.throw_if_requested();
      Health health = look();
      health.waited = waited();
      if (health.ready || ended_)
        return health;
      if (health.waited >= period) {
        health.reason = with_last_lines(fmt::format(fmt::runtime(_("not ready after {} s: {}")),
                                                    service_.start_period_s,
                                                    health.reason),
                                        supervisor_,
                                        service_);
        return health;
      }
      clock_.wait(std::min(pause, period - health.waited));
      pause = std::min(pause * 3 / 2, kLongestPause);
    }
  }

 private:
  milliseconds waited() const {
    return std::chrono::duration_cast<milliseconds>(clock_.steady_now() - begun_);
  }

  Health look() {
    Health health = ask(fetcher_, service_, activity_);
    // Asked after the probe: an answer counts only from a service that is still there.
    const ServiceStatus status = supervisor_.status(service_);
    // A crash between two looks shows by the counter alone.
    if (has_ended(status) || status.restarts > restarts_) {
      ended_ = true;
      return {false, with_last_lines(describe_end(status), supervisor_, service_), {}};
    }
    if (status.state != RunState::Running)
      return {false, std::string(to_string(status.state)), {}};
    const bool asked = service_.health_kind == "http" || service_.health_kind == "tcp";
    if (health.ready && asked) {
      if (std::string other = answered_by_another(supervisor_, service_); !other.empty())
        return {false, std::move(other), {}};
    }
    if (!asked &&
        waited() < std::min<milliseconds>(kSettled, std::chrono::seconds(service_.start_period_s)))
      health.ready = false;
    return health;
  }

  Supervisor& supervisor_;
  fetch::Fetcher& fetcher_;
  platform::Clock& clock_;
  const state::ServiceInstance& service_;
  const Activity& activity_;
  std::chrono::steady_clock::time_point begun_;
  std::uint32_t restarts_;
  bool ended_ = false;
};

}  // namespace

Health wait_until_ready(Supervisor& supervisor,
                        fetch::Fetcher& fetcher,
                        platform::Clock& clock,
                        const state::ServiceInstance& service,
                        const Activity& activity) {
  const std::string id = "health:" + service.id;
  activity.reporter.report(event::Started{
      id, fmt::format(fmt::runtime(_("Waiting for {} to be ready")), service.id), {}});
  try {
    Health health = Watch(supervisor, fetcher, clock, service, activity).run();
    activity.reporter.report(event::Finished{id, health.ready, health.reason});
    return health;
  } catch (const Error& error) {
    activity.reporter.report(event::Finished{id, false, error.message()});
    throw;
  }
}

Health probe_health(Supervisor& supervisor,
                    fetch::Fetcher& fetcher,
                    const state::ServiceInstance& service,
                    const Activity& activity) {
  const ServiceStatus status = supervisor.status(service);
  if (has_ended(status))
    return {false, describe_end(status), {}};
  if (status.state != RunState::Running)
    return {false, std::string(to_string(status.state)), {}};
  Health health = ask(fetcher, service, activity);
  if (std::string other = answered_by_another(supervisor, service); health.ready && !other.empty())
    return {false, std::move(other), {}};
  return health;
}

}  // namespace las::service
