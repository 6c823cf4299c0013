// SPDX-License-Identifier: Apache-2.0
#include "las/app/services.hpp"

#include "planning.hpp"

#include "las/app/models.hpp"
#include "las/app/serve.hpp"
#include "las/app/verify.hpp"
#include "las/base/diagnostics.hpp"
#include "las/base/i18n.hpp"
#include "las/hardware/gpu_memory.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace las::app {

namespace {

std::string see_output(const std::string& id) {
  return fmt::format(fmt::runtime(_("see its output with: {}")), "las logs " + id);
}

std::string hint_for_failed(Session& session, const state::ServiceInstance& instance) {
  try {
    require_model_file(session, instance.model, instance.model_digest);
  } catch (const Error& error) {
    return error.message() + "; " + error.hint();
  }
  return see_output(instance.id);
}

std::optional<ByteSize> gpu_memory_of(Session& session, const ServiceView& view) {
  if (view.instance.gpus.empty() || view.status.pid == 0)
    return std::nullopt;
  std::set<hardware::GpuVendor> vendors;
  for (const state::GrantedGpu& gpu : view.instance.gpus) {
    for (const auto vendor :
         {hardware::GpuVendor::Nvidia, hardware::GpuVendor::Amd, hardware::GpuVendor::Intel}) {
      if (gpu.vendor == hardware::to_string(vendor))
        vendors.insert(vendor);
    }
  }
  return hardware::gpu_memory(
      session.files(),
      service::processes_of(session.files(), view.instance.id, view.status.pid),
      vendors);
}

ServiceView view_of(Session& session, const state::ServiceInstance& instance) {
  ServiceView view;
  view.instance = instance;
  view.status = session.supervisor().status(instance);
  session.store().read([&](const state::ReadTransaction& transaction) {
    const auto wish =
        transaction.service_wish(instance.id).value_or(state::ServiceWish{instance.id, true, {}});
    view.wished_running = wish.running;
    view.at_boot = wish.starts_at_boot();
    view.health = transaction.health(instance.id);
  });
  view.gpu_memory = gpu_memory_of(session, view);
  if (view.status.state == service::RunState::Failed)
    view.hint = hint_for_failed(session, instance);
  if (instance.api == "openai")
    view.url = fmt::format("http://{}:{}/v1", instance.reachable_host(), instance.port);
  return view;
}

Error unknown_service(const state::Generation& generation, const std::string& name) {
  std::vector<std::string> known;
  for (const state::ServiceInstance& service : generation.services)
    known.push_back(service.id);
  const std::string nearest = nearest_name(name, known);
  Error error(ErrorKind::NotFound, _("no such service"), name);
  error.hint(!nearest.empty() ? fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest)
             : known.empty()  ? _("there is none yet; start one with: las serve MODEL")
                              : _("see the services with: las status"));
  return error;
}

// The module and all that it needs, as far as it is installed.
std::set<std::string> with_needs(const state::Generation& generation, const std::string& module) {
  std::set<std::string> names;
  std::vector<std::string> open{module};
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    const state::InstalledModule* installed = generation.find(name);
    if (installed == nullptr || !names.insert(name).second)
      continue;
    open.insert(open.end(), installed->requires_modules.begin(), installed->requires_modules.end());
  }
  return names;
}

// Ids of the services that a name stands for.
std::vector<std::string> named(const state::Generation& generation, const std::string& name) {
  if (generation.find_service(name) != nullptr)
    return {name};
  const std::set<std::string> modules = with_needs(generation, name);
  std::vector<std::string> ids;
  for (const state::ServiceInstance& service : generation.services) {
    if (modules.contains(service.module))
      ids.push_back(service.id);
  }
  if (ids.empty())
    throw unknown_service(generation, name);
  return ids;
}

// In the order in which they start.
std::vector<state::ServiceInstance> ordered(const state::Generation& generation,
                                            const std::set<std::string>& ids) {
  std::vector<state::ServiceInstance> services;
  for (const state::ServiceInstance* service : transaction::in_start_order(generation)) {
    if (ids.contains(service->id))
      services.push_back(*service);
  }
  return services;
}

std::vector<state::ServiceInstance> select(Session& session,
                                           const std::vector<std::string>& names) {
  const state::Generation generation = current_generation(session);
  if (names.empty())
    return generation.services;
  std::vector<state::ServiceInstance> chosen;
  for (const std::string& name : names) {
    for (const std::string& id : named(generation, name))
      chosen.push_back(*generation.find_service(id));
  }
  return chosen;
}

enum class Reach { Named, AndWhatTheyUse };

std::vector<state::ServiceInstance> select(Session& session,
                                           const ServiceNames& names,
                                           Reach reach) {
  const state::Generation generation = current_generation(session);
  if (names.names.empty() && !names.all)
    throw Error(ErrorKind::Usage, _("no service is named"))
        .hint(_("name one, or all of them with --all"));
  std::set<std::string> ids;
  for (const std::string& name : names.names) {
    const auto found = named(generation, name);
    ids.insert(found.begin(), found.end());
  }
  for (const state::ServiceInstance& service : generation.services) {
    if (names.all)
      ids.insert(service.id);
  }
  std::vector<std::string> open(ids.begin(), ids.end());
  while (reach == Reach::AndWhatTheyUse && !open.empty()) {
    const state::ServiceInstance* service = generation.find_service(open.back());
    open.pop_back();
    for (const std::string& used : service->uses) {
      if (generation.find_service(used) != nullptr && ids.insert(used).second)
        open.push_back(used);
    }
  }
  return ordered(generation, ids);
}

state::ServiceWish wish_of(Session& session, const std::string& id) {
  state::ServiceWish wish{id, true, {}};
  session.store().read([&](const state::ReadTransaction& transaction) {
    wish = transaction.service_wish(id).value_or(wish);
  });
  return wish;
}

void keep(Session& session, const state::ServiceWish& wish) {
  session.store().write(
      [&](state::WriteTransaction& transaction) { transaction.put_service_wish(wish); });
}

std::vector<ServiceView> views_of(Session& session,
                                  const std::vector<state::ServiceInstance>& all) {
  std::vector<ServiceView> views;
  for (const state::ServiceInstance& instance : all)
    views.push_back(view_of(session, instance));
  return views;
}

std::vector<std::string> ids_of(const std::vector<state::ServiceInstance>& services) {
  std::vector<std::string> ids;
  for (const state::ServiceInstance& service : services)
    ids.push_back(service.id);
  return ids;
}

// A unit that is gone is written anew; one that somebody edited is for `las repair`.
void write_missing_units(Session& session, const Activity& activity) {
  const std::vector<std::string> ids = ids_of(select(session, {}));
  session.supervisor().install(select(session, {}), {ids.begin(), ids.end()}, activity);
}

void wait_until_well(Session& session,
                     const state::ServiceInstance& instance,
                     const Activity& activity) {
  // Its port is open: it has nothing to prove until somebody asks.
  if (session.supervisor().status(instance).state == service::RunState::Waiting)
    return;
  const service::Health health = service::wait_until_ready(
      session.supervisor(), session.fetcher(), session.clock(), instance, activity);
  if (!health.ready)
    throw Error(ErrorKind::Io, _("the service did not become healthy"), instance.id)
        .cause(health.reason)
        .hint(see_output(instance.id));
}

enum class Anew { No, Yes };

std::vector<ServiceView> bring_up(Session& session,
                                  const ServiceNames& names,
                                  WaitFor wait,
                                  Anew anew,
                                  const Activity& activity) {
  // First: an interrupted run that is finished or undone may bring services and take them away.
  session.writer(activity);
  const auto chosen = select(session, names, Reach::AndWhatTheyUse);
  const auto asked = ids_of(select(session, names, Reach::Named));
  writer_that_looks(session, activity, ids_of(chosen));
  write_missing_units(session, activity);
  service::Supervisor& supervisor = session.supervisor();
  for (const state::ServiceInstance& instance : chosen) {
    if (!service::is_up(supervisor.status(instance).state))
      require_model_file(session, instance.model, instance.model_digest);
  }
  for (const state::ServiceInstance& instance : chosen) {
    const state::ServiceWish before = wish_of(session, instance.id);
    state::ServiceWish wish = before;
    wish.running = true;
    wish.kept_from_boot = false;
    keep(session, wish);
    const bool up = service::is_up(supervisor.status(instance).state);
    const bool is_asked = std::find(asked.begin(), asked.end(), instance.id) != asked.end();
    if (!up || (anew == Anew::Yes && is_asked)) {
      transaction::forget_health(session.store(), instance.id);
      try {
        if (up)
          supervisor.restart(instance, activity);
        else
          supervisor.start(instance, activity);
      } catch (...) {
        // What was refused is as it was; once it was up, that it is to run stays true.
        if (!up)
          keep(session, before);
        throw;
      }
    }
    const auto settle_boot = [&] {
      const bool at_boot = wish.starts_at_boot();
      if (supervisor.status(instance).enabled.value_or(at_boot) != at_boot)
        supervisor.set_at_boot(instance, at_boot);
    };
    // Started already by somebody else, it may not be enabled.
    if (!service::is_guarded_at_boot(instance))
      settle_boot();
    // What others use has to answer before they start.
    const bool waits = wait == WaitFor::Health || &instance != &chosen.back();
    if (waits)
      wait_until_well(session, instance, activity);
    // Nobody waits: the first look at it decides.
    if (service::is_guarded_at_boot(instance) && waits)
      settle_boot();
  }
  supervisor.sync();
  return views_of(session, chosen);
}

// Who runs and uses it, for a warning.
std::vector<std::string> running_users(Session& session,
                                       const std::string& id,
                                       const std::set<std::string>& leaving) {
  std::vector<std::string> users;
  for (const state::ServiceInstance& other : select(session, {})) {
    const bool uses = std::find(other.uses.begin(), other.uses.end(), id) != other.uses.end();
    if (uses && !leaving.contains(other.id) &&
        service::is_up(session.supervisor().status(other).state))
      users.push_back(other.id);
  }
  return users;
}

}  // namespace

std::vector<ServiceView> services(Session& session, const std::vector<std::string>& names) {
  return views_of(session, select(session, names));
}

std::vector<ServiceView> start_services(Session& session,
                                        const ServiceNames& names,
                                        WaitFor wait,
                                        const Activity& activity) {
  return bring_up(session, names, wait, Anew::No, activity);
}

std::vector<ServiceView> restart_services(Session& session,
                                          const ServiceNames& names,
                                          WaitFor wait,
                                          const Activity& activity) {
  return bring_up(session, names, wait, Anew::Yes, activity);
}

std::vector<ServiceView> stop_services(Session& session,
                                       const ServiceNames& names,
                                       const Activity& activity) {
  session.writer(activity);
  auto chosen = select(session, names, Reach::Named);
  const auto ids = ids_of(chosen);
  writer_that_looks(session, activity, ids);
  // Users before what they use.
  std::reverse(chosen.begin(), chosen.end());
  for (const state::ServiceInstance& instance : chosen) {
    for (const std::string& user : running_users(session, instance.id, {ids.begin(), ids.end()}))
      activity.warn(
          "service",
          fmt::format(fmt::runtime(_("{} goes on running and uses {}")), user, instance.id));
    keep(session, {instance.id, false, {}});
    session.supervisor().stop(instance, activity);
  }
  session.supervisor().sync();
  std::reverse(chosen.begin(), chosen.end());
  return views_of(session, chosen);
}

std::vector<ServiceView> set_at_boot(Session& session,
                                     const ServiceNames& names,
                                     bool at_boot,
                                     const Activity& activity) {
  if (session.supervisor().name() != "systemd")
    throw Error(ErrorKind::Unsatisfiable, _("without systemd nothing starts services at boot"))
        .hint(_("start them by hand: las start --all"));
  session.writer(activity);
  const auto chosen = select(session, names, Reach::Named);
  writer_that_looks(session, activity, ids_of(chosen));
  write_missing_units(session, activity);
  for (const state::ServiceInstance& instance : chosen) {
    state::ServiceWish wish = wish_of(session, instance.id);
    wish.at_boot = at_boot;
    wish.kept_from_boot = false;
    keep(session, wish);
    session.supervisor().set_at_boot(instance, at_boot);
  }
  session.supervisor().sync();
  return views_of(session, chosen);
}

std::vector<std::string> named_services(Session& session, const ServiceNames& names) {
  return ids_of(select(session, names, Reach::Named));
}

std::vector<std::string> open_services(Session& session, const ServiceNames& names) {
  std::vector<std::string> open;
  for (const state::ServiceInstance& service : select(session, names, Reach::Named)) {
    if (session.supervisor().lets_everybody_in(service))
      open.push_back(service.id);
  }
  return open;
}

void read_service_log(Session& session,
                      const std::string& name,
                      const service::LogQuery& query,
                      const std::function<void(const std::string&)>& on_line,
                      const Activity& activity) {
  session.supervisor().read_log(select(session, {name}).front(), query, on_line, activity);
}

std::vector<ServiceLoad> service_load(Session& session,
                                      const std::vector<std::string>& names,
                                      std::chrono::milliseconds interval,
                                      const Activity& activity) {
  const auto chosen = select(session, names);
  std::map<std::string, std::chrono::nanoseconds> before;
  const auto begun = session.clock().steady_now();
  for (const state::ServiceInstance& instance : chosen) {
    if (const auto time = session.supervisor().status(instance).cpu_time)
      before[instance.id] = *time;
  }
  session.clock().wait(interval);
  activity.cancellation.throw_if_requested();
  std::vector<ServiceLoad> loads;
  for (ServiceView& view : views_of(session, chosen)) {
    ServiceLoad load{std::move(view), std::nullopt};
    const auto found = before.find(load.view.instance.id);
    const std::chrono::duration<double> spent = session.clock().steady_now() - begun;
    if (found != before.end() && load.view.status.cpu_time &&
        *load.view.status.cpu_time >= found->second && spent.count() > 0) {
      const std::chrono::duration<double> used = *load.view.status.cpu_time - found->second;
      load.cpu_percent = used / spent * 100;
    }
    loads.push_back(std::move(load));
  }
  return loads;
}

}  // namespace las::app
