// SPDX-License-Identifier: Apache-2.0
// Looking at services: now, until they are well, and from time to time.
#include "las/app/services.hpp"
#include "las/base/i18n.hpp"
#include "las/service/watch.hpp"

#include <fmt/format.h>

namespace las::app {

namespace {

ServiceHealth look(Session& session, ServiceView view, const Activity& activity) {
  service::Health health =
      service::probe_health(session.supervisor(), session.fetcher(), view.instance, activity);
  return {std::move(view), std::move(health)};
}

void tend(Session& session,
          const state::ServiceInstance& service,
          service::Care care,
          const std::string& reason,
          const Activity& activity) {
  switch (care) {
    case service::Care::None:
      return;
    case service::Care::Restart:
      activity.warn(
          "service",
          fmt::format(fmt::runtime(_("{} is not well and is restarted: {}")), service.id, reason));
      session.supervisor().restart(service, activity);
      return;
    case service::Care::GiveUp:
      activity.warn("service",
                    fmt::format(fmt::runtime(_("{} is left as it is: {}")), service.id, reason));
      return;
  }
}

// One that uses a GPU starts with the machine from the first time on that it is seen to be well,
// and no more once las has given it up.
void guard_boot(Session& session,
                state::StateStore& store,
                const ServiceHealth& found,
                service::Care care,
                const Activity& activity) {
  const state::ServiceInstance& service = found.view.instance;
  const std::optional<bool>& enabled = found.view.status.enabled;
  if (!service::is_guarded_at_boot(service) || !enabled || !found.view.at_boot)
    return;
  if (found.health.ready && !*enabled) {
    session.supervisor().set_at_boot(service, true);
  } else if (care == service::Care::GiveUp) {
    activity.warn("service",
                  fmt::format(fmt::runtime(_("{} starts no more with the machine; once it is well, "
                                             "las start {} sees to that again")),
                              service.id,
                              service.id));
    store.write([&](state::WriteTransaction& transaction) {
      state::ServiceWish wish =
          transaction.service_wish(service.id).value_or(state::ServiceWish{service.id, true, {}});
      wish.kept_from_boot = true;
      transaction.put_service_wish(wish);
    });
    session.supervisor().set_at_boot(service, false);
  }
}

}  // namespace

std::vector<ServiceHealth> service_health(Session& session,
                                          const std::vector<std::string>& names,
                                          const Activity& activity) {
  std::vector<ServiceHealth> all;
  for (ServiceView& view : services(session, names))
    all.push_back(look(session, std::move(view), activity));
  return all;
}

service::Health await_health(Session& session, const std::string& name, const Activity& activity) {
  const ServiceView view = services(session, {name}).front();
  // Within a unit's ExecStartPost=: systemd.exec(5). "/proc/" alone is always there.
  const std::filesystem::path process =
      std::filesystem::path("/proc") / session.environment().get("MAINPID").value_or("");
  return service::wait_until_ready(
      session.supervisor(), session.fetcher(), session.clock(), view.instance, activity, [&] {
        return !session.files().exists(process);
      });
}

ServiceHealth look_after(Session& session, const std::string& name, const Activity& activity) {
  ServiceHealth found = look(session, services(session, {name}).front(), activity);
  // Asked before the lock is taken: a probe may last, and nobody is to wait for it.
  state::StateStore* store = session.recorder(activity);
  if (store == nullptr)
    return found;
  const state::ServiceInstance& service = found.view.instance;
  const service::Judgement judgement =
      service::judge(found.view.health.value_or(state::HealthRecord{}),
                     service,
                     found.view.status,
                     found.health,
                     session.clock().now());
  store->write(
      [&](state::WriteTransaction& transaction) { transaction.put_health(judgement.record); });
  found.view.health = judgement.record;
  const std::string& reason =
      judgement.record.gave_up.empty() ? judgement.record.reason : judgement.record.gave_up;
  tend(session, service, judgement.care, reason, activity);
  guard_boot(session, *store, found, judgement.care, activity);
  return found;
}

}  // namespace las::app
