// SPDX-License-Identifier: Apache-2.0
#include "planning.hpp"

#include "las/app/services.hpp"
#include "las/base/i18n.hpp"

#include <chrono>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::app {

namespace {

bool has_process(service::RunState state) {
  return state == service::RunState::Running || state == service::RunState::Starting;
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

/// What the last look found since the service was started; where nothing looks from time to time, a
/// look now. Nothing where none was taken yet. The one who asks may be shut in, and could not look
/// into a container himself.
std::optional<bool> is_well(Session& session, const ServiceView& view, const Activity& activity) {
  if (view.status.state == service::RunState::Waiting)
    return true;
  if (view.status.state != service::RunState::Running)
    return false;
  if (!session.supervisor().looks_after_health())
    return service_health(session, {view.instance.id}, activity).front().health.ready;
  if (!view.health || view.health->checked_at < view.status.since)
    return std::nullopt;
  return view.health->healthy;
}

}  // namespace

std::string metrics(Session& session, const Activity& activity) {
  state::Generation generation;
  std::vector<state::ModelRecord> models;
  std::map<std::string, int> outcomes;
  session.store().read([&](const state::ReadTransaction& transaction) {
    generation = transaction.current();
    models = transaction.models();
    outcomes.clear();
    transaction.each_operation(
        [&](const state::OperationRecord& operation) { ++outcomes[operation.outcome]; });
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
  for (const auto& [outcome, count] : outcomes)
    out += fmt::format("las_operations{{outcome=\"{}\"}} {}\n", label(outcome), count);

  family(out, "las_store_free_bytes", "Free space on the file system of the store.");
  if (session.files().exists(session.layout().state))
    out += fmt::format("las_store_free_bytes {}\n",
                       session.files().free_space(session.layout().state).bytes());

  std::string up, healthy, looked, memory, gpu_memory, restarts, restarts_by_las, cpu;
  for (const ServiceView& view : services(session, {})) {
    const std::string labels = fmt::format(
        "{{service=\"{}\",module=\"{}\"}}", label(view.instance.id), label(view.instance.module));
    up += fmt::format("las_service_up{} {}\n", labels, has_process(view.status.state) ? 1 : 0);
    if (const auto well = is_well(session, view, activity))
      healthy += fmt::format("las_service_healthy{} {}\n", labels, *well ? 1 : 0);
    if (const auto at =
            platform::from_iso8601(view.health ? view.health->checked_at : std::string()))
      looked += fmt::format("las_service_health_timestamp_seconds{} {}\n",
                            labels,
                            std::chrono::system_clock::to_time_t(*at));
    restarts += fmt::format("las_service_restarts{} {}\n", labels, view.status.restarts);
    restarts_by_las += fmt::format(
        "las_service_health_restarts{} {}\n", labels, view.health ? view.health->restarts : 0);
    if (view.status.cpu_time)
      cpu += fmt::format("las_service_cpu_seconds{} {:.3f}\n",
                         labels,
                         std::chrono::duration<double>(*view.status.cpu_time).count());
    if (view.gpu_memory)
      gpu_memory +=
          fmt::format("las_service_gpu_memory_bytes{} {}\n", labels, view.gpu_memory->bytes());
    if (view.status.memory)
      memory += fmt::format("las_service_memory_bytes{} {}\n", labels, view.status.memory->bytes());
  }
  family(out, "las_service_up", "Whether the service's process runs.");
  out += up;
  family(out, "las_service_healthy", "Whether the last look at the service found it well.");
  out += healthy;
  family(out,
         "las_service_health_timestamp_seconds",
         "When the last look at the service was kept, since 1970.");
  out += looked;
  family(out, "las_service_memory_bytes", "Resident memory of the service.");
  out += memory;
  family(out, "las_service_gpu_memory_bytes", "GPU memory that the service holds.");
  out += gpu_memory;
  family(out, "las_service_restarts", "Restarts by the supervisor.");
  out += restarts;
  family(out,
         "las_service_health_restarts",
         "Restarts because of failed health checks since the service was last well for a while.");
  out += restarts_by_las;
  family(out, "las_service_cpu_seconds", "Processor time of the service since it was started.");
  out += cpu;
  return out;
}

std::string scrape_targets(Session& session) {
  nlohmann::ordered_json targets = nlohmann::ordered_json::array();
  for (const state::ServiceInstance& service : current_generation(session).services) {
    if (service.metrics.empty())
      continue;
    nlohmann::ordered_json labels = {
        {"__metrics_path__", service.metrics}, {"service", service.id}, {"module", service.module}};
    if (!service.model.empty())
      labels["model"] = service.model;
    targets.push_back({{"targets", {fmt::format("{}:{}", service.reachable_host(), service.port)}},
                       {"labels", std::move(labels)}});
  }
  return targets.dump(2) + "\n";
}

}  // namespace las::app
