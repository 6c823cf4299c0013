// SPDX-License-Identifier: Apache-2.0
#include "las/app/services.hpp"

#include "las/app/models.hpp"
#include "las/app/verify.hpp"
#include "las/base/diagnostics.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::app {

namespace {

bool is_up(service::RunState state) {
  return state == service::RunState::Running || state == service::RunState::Starting;
}

std::string see_output(const std::string& id) {
  return fmt::format(fmt::runtime(_("see its output with: las logs {}")), id);
}

std::string hint_for_failed(Session& session, const state::ServiceInstance& instance) {
  try {
    require_model_file(session, instance.model, instance.model_digest);
  } catch (const Error& error) {
    return error.message() + "; " + error.hint();
  }
  return see_output(instance.id);
}

ServiceView view_of(Session& session, const state::ServiceInstance& instance) {
  ServiceView view;
  view.instance = instance;
  view.status = session.supervisor().status(instance);
  session.store().read([&](const state::ReadTransaction& transaction) {
    if (const auto wish = transaction.service_wish(instance.id))
      view.wished_running = wish->running;
  });
  if (view.status.state == service::RunState::Failed)
    view.hint = hint_for_failed(session, instance);
  if (instance.api == "openai")
    view.url = fmt::format("http://{}:{}/v1", instance.host, instance.port);
  return view;
}

std::vector<state::ServiceInstance> select(Session& session,
                                           const std::vector<std::string>& names) {
  state::Generation generation;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { generation = transaction.current(); });
  if (names.empty())
    return generation.services;
  std::vector<state::ServiceInstance> chosen;
  for (const std::string& name : names) {
    if (const state::ServiceInstance* found = generation.find_service(name)) {
      chosen.push_back(*found);
      continue;
    }
    std::vector<std::string> known;
    for (const state::ServiceInstance& service : generation.services)
      known.push_back(service.id);
    const std::string nearest = nearest_name(name, known);
    throw Error(ErrorKind::NotFound, _("no such service"), name)
        .hint(!nearest.empty() ? fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest)
              : known.empty()  ? _("there is none yet; start one with: las serve MODEL")
                               : _("see the services with: las status"));
  }
  return chosen;
}

void wish(Session& session, const std::string& id, bool running) {
  session.store().write([&](state::WriteTransaction& transaction) {
    transaction.put_service_wish({id, running});
  });
}

std::vector<ServiceView> views_of(Session& session,
                                  const std::vector<state::ServiceInstance>& all) {
  std::vector<ServiceView> views;
  for (const state::ServiceInstance& instance : all)
    views.push_back(view_of(session, instance));
  return views;
}

// Prometheus label values escape backslash, quote and newline.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"')
      out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

void family(std::string& out, std::string_view name, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} gauge\n", name, help, name);
}

}  // namespace

std::vector<ServiceView> services(Session& session, const std::vector<std::string>& names) {
  return views_of(session, select(session, names));
}

std::vector<ServiceView> start_services(Session& session,
                                        const std::vector<std::string>& names,
                                        const Activity& activity) {
  writer_that_looks(session, activity, names);
  const auto chosen = select(session, names);
  // A unit that is gone is written anew; one that somebody edited is for `las repair`.
  std::set<std::string> all;
  for (const state::ServiceInstance& instance : select(session, {}))
    all.insert(instance.id);
  session.supervisor().install(select(session, {}), all, activity);
  for (const state::ServiceInstance& instance : chosen) {
    if (!is_up(session.supervisor().status(instance).state))
      require_model_file(session, instance.model, instance.model_digest);
  }
  for (const state::ServiceInstance& instance : chosen) {
    wish(session, instance.id, true);
    if (!is_up(session.supervisor().status(instance).state))
      session.supervisor().start(instance, activity);
    const service::Health health = service::wait_until_ready(
        session.supervisor(), session.fetcher(), session.clock(), instance, activity);
    if (!health.ready)
      throw Error(ErrorKind::Io, _("the service did not become healthy"), instance.id)
          .cause(health.reason)
          .hint(see_output(instance.id));
  }
  session.supervisor().sync();
  return views_of(session, chosen);
}

std::vector<ServiceView> stop_services(Session& session,
                                       const std::vector<std::string>& names,
                                       const Activity& activity) {
  writer_that_looks(session, activity, names);
  const auto chosen = select(session, names);
  for (const state::ServiceInstance& instance : chosen) {
    wish(session, instance.id, false);
    session.supervisor().stop(instance, activity);
  }
  session.supervisor().sync();
  return views_of(session, chosen);
}

std::vector<std::string> service_logs(Session& session,
                                      const std::string& name,
                                      std::size_t lines) {
  return session.supervisor().logs(select(session, {name}).front(), lines);
}

std::vector<ServiceHealth> service_health(Session& session,
                                          const std::vector<std::string>& names,
                                          const Activity& activity) {
  std::vector<ServiceHealth> all;
  for (const state::ServiceInstance& instance : select(session, names))
    all.push_back(
        {view_of(session, instance),
         service::probe_health(session.supervisor(), session.fetcher(), instance, activity)});
  return all;
}

std::string metrics(Session& session, const Activity& activity) {
  state::Generation generation;
  std::vector<state::ModelRecord> models;
  std::vector<state::OperationRecord> operations;
  session.store().read([&](const state::ReadTransaction& transaction) {
    generation = transaction.current();
    models = transaction.models();
    operations = transaction.operations();
  });

  std::string out;
  family(out, "las_build_info", "Version of las; always 1.");
  out += fmt::format("las_build_info{{version=\"{}\"}} 1\n", label(version()));
  family(out, "las_generation", "Number of the current generation.");
  out += fmt::format("las_generation {}\n", generation.number);
  family(out, "las_module_info", "An installed module; always 1.");
  for (const state::InstalledModule& module : generation.modules)
    out += fmt::format("las_module_info{{name=\"{}\",version=\"{}\",variant=\"{}\"}} 1\n",
                       label(module.name),
                       label(module.version),
                       label(module.variant));
  family(out, "las_model_bytes", "Size of a model.");
  for (const state::ModelRecord& model : models)
    out += fmt::format("las_model_bytes{{name=\"{}\",format=\"{}\"}} {}\n",
                       label(model.name),
                       label(model.format),
                       model.size.bytes());
  family(out, "las_operations", "Operations in the history, by outcome.");
  std::map<std::string, int> outcomes;
  for (const state::OperationRecord& operation : operations)
    ++outcomes[operation.outcome];
  for (const auto& [outcome, count] : outcomes)
    out += fmt::format("las_operations{{outcome=\"{}\"}} {}\n", label(outcome), count);

  std::string up, healthy, memory, restarts;
  for (const ServiceHealth& item : service_health(session, {}, activity)) {
    const std::string labels = fmt::format("{{service=\"{}\",module=\"{}\"}}",
                                           label(item.view.instance.id),
                                           label(item.view.instance.module));
    up += fmt::format("las_service_up{} {}\n", labels, is_up(item.view.status.state) ? 1 : 0);
    healthy += fmt::format("las_service_healthy{} {}\n", labels, item.health.ready ? 1 : 0);
    restarts += fmt::format("las_service_restarts{} {}\n", labels, item.view.status.restarts);
    if (item.view.status.memory)
      memory +=
          fmt::format("las_service_memory_bytes{} {}\n", labels, item.view.status.memory->bytes());
  }
  family(out, "las_service_up", "Whether the service's process runs.");
  out += up;
  family(out, "las_service_healthy", "Whether the service's health check passes now.");
  out += healthy;
  family(out, "las_service_memory_bytes", "Resident memory of the service.");
  out += memory;
  family(out, "las_service_restarts", "Restarts by the supervisor.");
  out += restarts;
  return out;
}

}  // namespace las::app
