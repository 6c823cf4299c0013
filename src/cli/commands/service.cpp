// SPDX-License-Identifier: Apache-2.0
// serve, status, start, stop, logs, health, metrics.
#include "checks.hpp"
#include "command.hpp"
#include "render.hpp"

#include "las/app/serve.hpp"
#include "las/app/services.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

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
    rows.push_back(
        {view.instance.id,
         std::string(service::to_string(status.state)),
         status.pid == 0 ? "-" : std::to_string(status.pid),
         status.since.empty() ? "-" : status.since,
         status.memory ? status.memory->to_string() : "-",
         view.url.empty() ? fmt::format("{}:{}", view.instance.host, view.instance.port) : view.url,
         view.instance.module});
  }
  if (rows.empty()) {
    context.note(_("No services. Start one with: las serve MODEL"));
    return;
  }
  context.out << render_table(
      {_("SERVICE"), _("STATE"), _("PID"), _("SINCE"), _("MEMORY"), _("ADDRESS"), _("MODULE")},
      rows);
  for (const app::ServiceView& view : views) {
    if (view.status.state == service::RunState::Failed)
      context.out << view.instance.id << ": " << shown(view.status.detail) << "\n"
                  << "  " << _("hint") << ": " << shown(in_scope(view.hint, context.options))
                  << "\n";
  }
}

int run_serve(Context& context, const app::ServeRequest& request) {
  const app::PreparedPlan prepared = app::prepare_serve(context.session, request, context.activity);
  const std::string id = request.name.empty() ? request.model : request.name;
  if (prepared.plan.empty()) {
    // The deployment is as wished; running is part of the wish.
    if (context.options.dry_run) {
      const auto now = app::services(context.session, {id}).front().status.state;
      if (now == service::RunState::Running) {
        context.unchanged(_("Nothing to do."));
        return 0;
      }
      context.unchanged(fmt::format(fmt::runtime(_("Would start {}.")), id));
      return context.options.detailed_exit ? 10 : 0;
    }
    const auto views = app::start_services(context.session, {id}, context.activity);
    if (context.options.json)
      context.print_json({{"success", true},
                          {"changed", false},
                          {"services", services_json(views, context.options)}});
    else
      context.note(fmt::format(fmt::runtime(_("{} is served at {}")), id, views.front().url));
    return 0;
  }
  const state::ServiceInstance& service = *prepared.plan.actions.back().service;
  return show_and_execute(
      context,
      prepared,
      fmt::format(
          fmt::runtime(_("{} is served at http://{}:{}/v1. Talk to it: las chat {} \"hello\"")),
          id,
          service.host,
          service.port,
          id));
}

int run_status(Context& context, const std::vector<std::string>& names) {
  const auto views = app::services(context.session, names);
  if (context.options.json) {
    context.print_json({{"supervisor", context.session.supervisor().name()},
                        {"services", services_json(views, context.options)}});
    return 0;
  }
  print_services(context, views);
  return 0;
}

int run_switch(Context& context, const std::vector<std::string>& names, bool start) {
  if (context.options.dry_run) {
    bool change = false;
    for (const app::ServiceView& view : app::services(context.session, names))
      change = change || start != (view.status.state == service::RunState::Running);
    context.unchanged(fmt::format(fmt::runtime(start ? _("Would start {}.") : _("Would stop {}.")),
                                  text::join(names, ", ")));
    return change && context.options.detailed_exit ? 10 : 0;
  }
  const auto views = start ? app::start_services(context.session, names, context.activity)
                           : app::stop_services(context.session, names, context.activity);
  if (context.options.json)
    context.print_json({{"success", true}, {"services", services_json(views, context.options)}});
  else if (!context.options.quiet)
    print_services(context, views);
  return 0;
}

int run_logs(Context& context, const std::string& name, std::size_t lines) {
  const auto all = app::service_logs(context.session, name, lines);
  if (context.options.json) {
    context.print_json({{"service", name}, {"lines", strings_json(all)}});
    return 0;
  }
  for (const std::string& line : all)
    context.out << (context.streams.out_is_terminal ? text::TerminalFilter().feed(line) : line)
                << "\n";
  return 0;
}

int run_health(Context& context, const std::vector<std::string>& names) {
  const auto all = app::service_health(context.session, names, context.activity);
  bool well = true;
  ordered_json items = ordered_json::array();
  for (const app::ServiceHealth& item : all) {
    // A service that is stopped on purpose is not ill.
    const bool resting = !item.view.wished_running && !item.health.ready;
    well = well && (item.health.ready || resting);
    const std::string word = item.health.ready ? "healthy" : resting ? "stopped" : "unhealthy";
    items.push_back(
        {{"name", item.view.instance.id}, {"health", word}, {"reason", item.health.reason}});
    if (!context.options.json)
      context.out << item.view.instance.id << ": " << word << " (" << shown(item.health.reason)
                  << ")\n";
  }
  if (context.options.json)
    context.print_json({{"healthy", well}, {"services", std::move(items)}});
  else if (all.empty())
    context.note(_("No services."));
  return well ? 0 : 1;
}

}  // namespace

Run setup_serve(CLI::App& app) {
  struct Options {
    app::ServeRequest request;
    std::uint16_t port = 0;
  };

  auto options = std::make_shared<Options>();
  app.add_option("model", options->request.model, _("model in the library"))
      ->required()
      ->type_name(kind::kModel);
  app.add_option("--engine", options->request.engine, _("this installed engine"))
      ->type_name(kind::kInstalled);
  app.add_option("--name", options->request.name, _("name of the service; default: the model's"))
      ->type_name("NAME");
  const CLI::Option* port =
      app.add_option("--port", options->port, _("this port; default: a free one"))
          ->check(whole_number(1, 65535))
          ->type_name("PORT");
  return [options, port](Context& context) {
    app::ServeRequest request = options->request;
    if (port->count() > 0)
      request.port = options->port;
    return run_serve(context, request);
  };
}

Run setup_status(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("services", *names, _("services; none: all"))->type_name(kind::kService);
  return [names](Context& context) { return run_status(context, *names); };
}

Run setup_start(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("services", *names, _("services"))->required()->type_name(kind::kService);
  return [names](Context& context) { return run_switch(context, *names, true); };
}

Run setup_stop(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("services", *names, _("services"))->required()->type_name(kind::kService);
  return [names](Context& context) { return run_switch(context, *names, false); };
}

Run setup_logs(CLI::App& app) {
  struct Options {
    std::string name;
    std::size_t lines = 100;
  };

  auto options = std::make_shared<Options>();
  app.add_option("service", options->name, _("service"))->required()->type_name(kind::kService);
  app.add_option("--lines", options->lines, _("how many lines from the end"))
      ->check(whole_number(1, 1'000'000))
      ->type_name("N");
  return [options](Context& context) { return run_logs(context, options->name, options->lines); };
}

Run setup_health(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("services", *names, _("services; none: all"))->type_name(kind::kService);
  return [names](Context& context) { return run_health(context, *names); };
}

Run setup_metrics(CLI::App&) {
  return [](Context& context) {
    if (context.options.json)
      throw Error(ErrorKind::Usage, _("metrics are in the text format of Prometheus, not JSON"))
          .hint(_("las status --json has the same facts"));
    context.out << app::metrics(context.session, context.activity);
    return 0;
  };
}

}  // namespace las::cli
