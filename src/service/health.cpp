// SPDX-License-Identifier: Apache-2.0
#include "addresses.hpp"
#include "explain.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/net.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace las::service {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{200};
constexpr milliseconds kLongestPause{1000};
/// Somebody's first request waits behind the socket.
constexpr milliseconds kPauseOnDemand{10};
/// One that is still idle so long after it was woken has missed it.
constexpr milliseconds kWakenAgain{1000};
/// A service that offers nothing to ask counts as well once it has stayed up this long.
constexpr milliseconds kSettled{1000};

Health probe_http(fetch::Fetcher& fetcher,
                  const state::ServiceInstance& service,
                  const Activity& activity) {
  const std::string path =
      service.health_path.starts_with('/') ? service.health_path : "/" + service.health_path;
  fetch::Request request;
  const std::string host = service.on_demand ? "127.0.0.1" : probe_host(service.host);
  request.url = fmt::format("http://{}:{}{}", host, service.own_port(), path);
  request.timeout = milliseconds(service.health.timeout_ms);
  request.body_limit = ByteSize::mib(1);
  try {
    const fetch::Response response = fetcher.exchange(request, activity);
    const int status = response.status;
    Health health;
    // Only 2xx: engines answer 503 while they load their model, and a redirect is somebody else.
    health.ready = status >= 200 && status < 300;
    health.reason = status == 503
                        ? fmt::format(fmt::runtime(_("{} from {}, still loading")), status, path)
                        : fmt::format(fmt::runtime(_("{} from {}")), status, path);
    // Some answer before they can do anything.
    if (health.ready && response.body.find(service.health.expect) == std::string::npos) {
      health.ready = false;
      health.reason = fmt::format(
          fmt::runtime(_("{} from {}, without '{}'")), status, path, service.health.expect);
    }
    return health;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Interrupted)
      throw;
    return {false, error.cause().empty() ? error.message() : error.cause(), {}};
  }
}

Health probe_tcp(const state::ServiceInstance& service) {
  const std::uint16_t port = service.own_port();
  const bool accepts = platform::port_accepts(port);
  return {accepts,
          fmt::format(fmt::runtime(accepts ? _("port {} accepts connections")
                                           : _("port {} accepts no connections yet")),
                      port),
          {}};
}

Health probe_exec(Supervisor& supervisor,
                  const state::ServiceInstance& service,
                  const Activity& activity) {
  const std::string program =
      service.health.command.empty()
          ? std::string()
          : std::filesystem::path(service.health.command.front()).filename().string();
  try {
    const platform::ProcessResult result =
        supervisor.run_check(service, milliseconds(service.health.timeout_ms), activity);
    if (result.ok() && result.out.find(service.health.expect) != std::string::npos)
      return {true, fmt::format(fmt::runtime(_("{} says yes")), program), {}};
    const auto lines = text::lines(result.err.empty() ? result.out : result.err);
    return {false,
            fmt::format("{}: {}",
                        program,
                        lines.empty() ? fmt::format(fmt::runtime(_("ended with {}")), result.status)
                                      : std::string(text::trim(lines.back()))),
            {}};
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Interrupted)
      throw;
    return {false, fmt::format("{}: {}", program, error.message()), {}};
  }
}

Health ask(Supervisor& supervisor,
           fetch::Fetcher& fetcher,
           const state::ServiceInstance& service,
           const Activity& activity) {
  if (service.health_kind == "http")
    return probe_http(fetcher, service, activity);
  if (service.health_kind == "tcp")
    return probe_tcp(service);
  if (service.health_kind == "exec")
    return probe_exec(supervisor, service, activity);
  if (service.health_kind == "none" || service.health_kind.empty())
    return {true, _("is running"), {}};
  throw Error(ErrorKind::InvalidData, _("unknown kind of health check"), service.health_kind);
}

bool is_asked(const state::ServiceInstance& service) {
  return service.health_kind == "http" || service.health_kind == "tcp" ||
         service.health_kind == "exec";
}

/// "" if what answers on the port is the service itself, else who it is.
std::string answered_by_another(Supervisor& supervisor, const state::ServiceInstance& service) {
  const std::uint16_t port = service.own_port();
  const std::string other =
      is_asked(service) && port != 0 ? supervisor.impostor(service) : std::string();
  return other.empty() ? other : fmt::format(fmt::runtime(_("{} listens on port {}")), other, port);
}

/// Whether its process is there to be asked. One that starts on demand is ready before its start is
/// done: that is what its start waits for.
bool can_be_asked(const ServiceStatus& status, const state::ServiceInstance& service) {
  return status.state == RunState::Running ||
         (service.on_demand && status.state == RunState::Starting && status.pid != 0);
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
        const Activity& activity,
        const std::function<bool()>& is_gone)
      : supervisor_(supervisor),
        fetcher_(fetcher),
        clock_(clock),
        service_(service),
        activity_(activity),
        is_gone_(is_gone),
        begun_(clock.steady_now()),
        restarts_(supervisor.status(service).restarts) {}

  Health run() {
    const milliseconds period = std::chrono::seconds(service_.start_period_s);
    const milliseconds longest = service_.on_demand ? kPauseOnDemand : kLongestPause;
    milliseconds pause = std::min(kFirstPause, longest);
    wake();
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
      pause = std::min(pause * 3 / 2, longest);
    }
  }

 private:
  void wake() {
    if (!service_.on_demand || supervisor_.status(service_).state != RunState::Waiting)
      return;
    platform::port_accepts(service_.port);
    woken_ = waited();
  }

  /// What is known of one that was woken without asking it. Its start waits until it is ready, so
  /// that one that was up and is idle again was ready, though a slow look came too late. Nor is a
  /// container asked before: whoever asks while its network is made may wait for seconds.
  std::optional<Health> without_asking() {
    if (!woken_)
      return {};
    const RunState state = supervisor_.status(service_).state;
    was_up_ = was_up_ || state == RunState::Running;
    if (state == RunState::Waiting && was_up_)
      return Health{true, _("was ready, and is idle again"), {}};
    if (state == RunState::Waiting && waited() - *woken_ >= kWakenAgain)
      wake();
    if (state == RunState::Waiting || (state == RunState::Starting && service_.container))
      return Health{false, std::string(to_string(state)), {}};
    return {};
  }

  milliseconds waited() const {
    return std::chrono::duration_cast<milliseconds>(clock_.steady_now() - begun_);
  }

  Health look() {
    if (const auto known = without_asking())
      return *known;
    Health health = ask(supervisor_, fetcher_, service_, activity_);
    // Asked after the probe: an answer counts only from a service that is still there.
    const ServiceStatus status = supervisor_.status(service_);
    // A crash between two looks shows by the counter alone.
    if (has_ended(status) || status.restarts > restarts_) {
      ended_ = true;
      return {false, with_last_lines(describe_end(status), supervisor_, service_), {}};
    }
    if (is_gone_ && is_gone_()) {
      ended_ = true;
      return {false, with_last_lines(_("ended before it was ready"), supervisor_, service_), {}};
    }
    if (!can_be_asked(status, service_))
      return {false, std::string(to_string(status.state)), {}};
    const bool asked = is_asked(service_);
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
  const std::function<bool()>& is_gone_;
  std::chrono::steady_clock::time_point begun_;
  std::uint32_t restarts_;
  std::optional<milliseconds> woken_;  ///< when, since `begun_`
  bool ended_ = false, was_up_ = false;
};

}  // namespace

Health wait_until_ready(Supervisor& supervisor,
                        fetch::Fetcher& fetcher,
                        platform::Clock& clock,
                        const state::ServiceInstance& service,
                        const Activity& activity,
                        const std::function<bool()>& is_gone) {
  const std::string id = "health:" + service.id;
  activity.reporter.report(event::Started{
      id, fmt::format(fmt::runtime(_("Waiting for {} to be ready")), service.id), {}});
  try {
    Health health = Watch(supervisor, fetcher, clock, service, activity, is_gone).run();
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
  if (status.state == RunState::Waiting)
    return {true, _("waits for the first request"), {}};
  if (!can_be_asked(status, service))
    return {false, std::string(to_string(status.state)), {}};
  Health health = ask(supervisor, fetcher, service, activity);
  if (std::string other = answered_by_another(supervisor, service); health.ready && !other.empty())
    return {false, std::move(other), {}};
  return health;
}

}  // namespace las::service
