// SPDX-License-Identifier: Apache-2.0
#include "render.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

template <typename Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

std::string address(const app::ServiceView& view) {
  if (!view.url.empty())
    return view.url;
  return fmt::format("{}:{}", view.instance.host, view.instance.port);
}

// What the last look said, for those that run; a look that is long past says nothing.
std::string health_cell(const app::ServiceView& view) {
  if (view.status.state != service::RunState::Running || !view.health)
    return "-";
  if (!view.health->gave_up.empty())
    return _("given up");
  return view.health->healthy ? _("healthy") : _("unhealthy");
}

void print_trouble(Context& context, const app::ServiceView& view) {
  const bool failed = view.status.state == service::RunState::Failed;
  if (failed)
    context.out << view.instance.id << ": " << shown(view.status.detail)
                << (view.health && !view.health->gave_up.empty()
                        ? "; " + shown(view.health->gave_up)
                        : std::string())
                << "\n"
                << "  " << _("hint") << ": " << shown(in_scope(view.hint, context.options)) << "\n";
  else if (view.health && !view.health->healthy && view.status.state == service::RunState::Running)
    context.out << view.instance.id << ": "
                << shown(view.health->gave_up.empty() ? view.health->reason : view.health->gave_up)
                << "\n";
}

ordered_json gpus_json(const std::vector<state::GrantedGpu>& gpus) {
  ordered_json ids = ordered_json::array();
  for (const state::GrantedGpu& gpu : gpus)
    ids.push_back(gpu.id);
  return ids;
}

// One line for those that have GPUs: the table would be too wide for it.
void print_gpus(Context& context, const app::ServiceView& view) {
  std::vector<std::string> ids;
  for (const state::GrantedGpu& gpu : view.instance.gpus)
    ids.push_back(gpu.id);
  if (ids.empty())
    return;
  context.out << view.instance.id << ": " << _("GPU") << " " << shown(text::join(ids, ", "));
  if (view.gpu_memory)
    context.out << ", "
                << fmt::format(fmt::runtime(_("{} of its memory")), view.gpu_memory->to_string());
  context.out << "\n";
}

}  // namespace

ordered_json health_json(const std::optional<state::HealthRecord>& record) {
  if (!record)
    return nullptr;
  return {{"healthy", record->healthy},
          {"reason", record->reason},
          {"checked_at", record->checked_at},
          {"since", record->since},
          {"failures", record->failures},
          {"restarts", record->restarts},
          {"gave_up", record->gave_up}};
}

ordered_json service_json(const app::ServiceView& view, const GlobalOptions& options) {
  const auto& status = view.status;
  const auto& on_demand = view.instance.on_demand;
  return {{"name", view.instance.id},
          {"module", view.instance.module},
          {"model", view.instance.model},
          {"state", std::string(service::to_string(status.state))},
          {"wanted", view.wished_running ? "running" : "stopped"},
          {"at_boot", view.at_boot},
          {"on_demand", on_demand.has_value()},
          {"idle_seconds", on_demand ? ordered_json(on_demand->idle_s) : ordered_json(nullptr)},
          {"pid", status.pid == 0 ? ordered_json(nullptr) : ordered_json(status.pid)},
          {"since", status.since},
          {"host", view.instance.host},
          {"port", view.instance.port},
          {"url", view.url},
          {"uses", view.instance.uses},
          {"gpus", gpus_json(view.instance.gpus)},
          {"gpu_memory",
           view.gpu_memory ? ordered_json(view.gpu_memory->bytes()) : ordered_json(nullptr)},
          {"memory", status.memory ? ordered_json(status.memory->bytes()) : ordered_json(nullptr)},
          {"cpu_seconds",
           status.cpu_time ? ordered_json(std::chrono::duration<double>(*status.cpu_time).count())
                           : ordered_json(nullptr)},
          {"restarts", status.restarts},
          {"exit_status", or_null(status.exit_status)},
          {"health", health_json(view.health)},
          {"detail", status.detail},
          {"hint", in_scope(view.hint, options)}};
}

ordered_json services_json(const std::vector<app::ServiceView>& views,
                           const GlobalOptions& options) {
  ordered_json all = ordered_json::array();
  for (const app::ServiceView& view : views)
    all.push_back(service_json(view, options));
  return all;
}

void print_services(Context& context, const std::vector<app::ServiceView>& views) {
  std::vector<std::vector<std::string>> rows;
  for (const app::ServiceView& view : views) {
    const auto& status = view.status;
    rows.push_back({view.instance.id,
                    std::string(service::to_string(status.state)),
                    health_cell(view),
                    status.pid == 0 ? "-" : std::to_string(status.pid),
                    status.since.empty() ? "-" : status.since,
                    status.memory ? status.memory->to_string() : "-",
                    address(view),
                    view.instance.module});
  }
  if (rows.empty()) {
    context.note(_("No services. Start one with: las serve MODEL"));
    return;
  }
  context.out << render_table({_("SERVICE"),
                               _("STATE"),
                               _("HEALTH"),
                               _("PID"),
                               _("SINCE"),
                               _("MEMORY"),
                               _("ADDRESS"),
                               _("MODULE")},
                              rows);
  for (const app::ServiceView& view : views) {
    print_gpus(context, view);
    print_trouble(context, view);
  }
}

}  // namespace las::cli
