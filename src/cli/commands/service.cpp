// SPDX-License-Identifier: Apache-2.0
// serve, status, logs, health, top, metrics.
#include "checks.hpp"
#include "command.hpp"
#include "render.hpp"

#include "las/app/serve.hpp"
#include "las/app/service_options.hpp"
#include "las/app/services.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

int run_serve(Context& context, const app::ServeRequest& request) {
  context.take_turn();
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
      return context.would_change(fmt::format(fmt::runtime(_("Would start {}.")), id));
    }
    const auto views =
        app::start_services(context.session, {{id}}, app::WaitFor::Health, context.activity);
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

void print_log(Context& context, const std::string& name, const service::LogQuery& query) {
  app::read_service_log(
      context.session,
      name,
      query,
      [&](const std::string& line) {
        context.out << (context.streams.out_is_terminal ? text::TerminalFilter().feed(line) : line)
                    << "\n";
        if (query.follow)
          context.out.flush();
      },
      context.activity);
}

int run_logs(Context& context, const std::string& name, const service::LogQuery& query) {
  if (!context.options.json) {
    constexpr int kInterrupted = 130;
    try {
      print_log(context, name, query);
    } catch (const Error& error) {
      // It ends in no other way.
      if (!query.follow || error.kind() != ErrorKind::Interrupted)
        throw;
      return kInterrupted;
    }
    return 0;
  }
  ordered_json lines = ordered_json::array();
  app::read_service_log(
      context.session,
      name,
      query,
      [&](const std::string& line) { lines.push_back(line); },
      context.activity);
  context.print_json({{"service", name}, {"lines", std::move(lines)}});
  return 0;
}

// A service that is stopped on purpose is not ill.
std::string health_word(const app::ServiceHealth& item) {
  if (item.health.ready)
    return "healthy";
  return item.view.wished_running ? "unhealthy" : "stopped";
}

int show_health(Context& context, const std::vector<app::ServiceHealth>& all) {
  bool well = true;
  ordered_json items = ordered_json::array();
  for (const app::ServiceHealth& item : all) {
    const std::string word = health_word(item);
    well = well && word != "unhealthy";
    items.push_back({{"name", item.view.instance.id},
                     {"health", word},
                     {"reason", item.health.reason},
                     {"last", health_json(item.view.health)}});
    if (!context.options.json && !context.options.quiet)
      context.out << item.view.instance.id << ": " << word << " (" << shown(item.health.reason)
                  << ")\n";
  }
  if (context.options.json)
    context.print_json({{"healthy", well}, {"services", std::move(items)}});
  else if (all.empty())
    context.note(_("No services."));
  return well ? 0 : 1;
}

int wait_for_health(Context& context, const std::vector<std::string>& names) {
  bool well = true;
  for (const std::string& name : names) {
    const service::Health health = app::await_health(context.session, name, context.activity);
    well = well && health.ready;
    if (!health.ready)
      context.note(fmt::format("{}: {}", name, health.reason));
  }
  return well ? 0 : 1;
}

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f}", *value) : "-";
}

void print_load(Context& context, const std::vector<app::ServiceLoad>& loads) {
  std::vector<std::vector<std::string>> rows;
  for (const app::ServiceLoad& load : loads) {
    const auto& status = load.view.status;
    rows.push_back({load.view.instance.id,
                    std::string(service::to_string(status.state)),
                    status.pid == 0 ? "-" : std::to_string(status.pid),
                    percent(load.cpu_percent),
                    status.memory ? status.memory->to_string() : "-",
                    std::to_string(status.restarts)});
  }
  context.out << render_table(
      {_("SERVICE"), _("STATE"), _("PID"), _("CPU%"), _("MEMORY"), _("RESTARTS")}, rows);
  context.out.flush();
}

int run_top(Context& context,
            const std::vector<std::string>& names,
            std::chrono::milliseconds interval,
            int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const auto loads = app::service_load(context.session, names, interval, context.activity);
    if (!context.options.json) {
      print_load(context, loads);
      continue;
    }
    ordered_json all = ordered_json::array();
    for (const app::ServiceLoad& load : loads) {
      ordered_json item = service_json(load.view, context.options);
      item["cpu_percent"] =
          load.cpu_percent ? ordered_json(*load.cpu_percent) : ordered_json(nullptr);
      all.push_back(std::move(item));
    }
    context.print_json({{"services", std::move(all)}});
  }
  return 0;
}

}  // namespace

Run setup_serve(CLI::App& app) {
  struct Options {
    app::ServeRequest request;
    std::uint16_t port = 0;
    std::string gpu;
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
  const CLI::Option* gpu =
      app.add_option("--gpu",
                     options->gpu,
                     _("GPUs it may use: none, all, or a list such as 0,1 or of UUIDs; default: "
                       "those that the engine's build needs"))
          ->type_name("LIST");
  return [options, port, gpu](Context& context) {
    app::ServeRequest request = options->request;
    if (gpu->count() > 0)
      request.gpu = options->gpu;
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

Run setup_logs(CLI::App& app) {
  struct Options {
    std::string name;
    service::LogQuery query;
  };

  auto options = std::make_shared<Options>();
  app.add_option("service", options->name, _("service"))->required()->type_name(kind::kService);
  app.add_option("--lines", options->query.lines, _("how many lines from the end"))
      ->check(whole_number(1, 1'000'000))
      ->type_name("N");
  app.add_flag("-f,--follow", options->query.follow, _("go on with what it prints from now on"));
  app.add_option("--since",
                 options->query.since,
                 _("only from this time on, as journalctl takes it: \"-1h\", \"2026-11-26 10:00\""))
      ->type_name("TIME");
  app.add_option("--grep", options->query.grep, _("only lines that match this regular expression"))
      ->type_name("REGEX");
  return [options](Context& context) {
    if (options->query.follow && context.options.json)
      throw Error(ErrorKind::Usage, _("what goes on for ever is no JSON document"))
          .hint(_("leave out --follow or --json"));
    return run_logs(context, options->name, options->query);
  };
}

Run setup_health(CLI::App& app) {
  struct Options {
    std::vector<std::string> names;
    bool wait = false, record = false;
  };

  auto options = std::make_shared<Options>();
  app.add_option("services", options->names, _("services; none: all"))->type_name(kind::kService);
  CLI::Option* wait =
      app.add_flag("--wait", options->wait, _("wait until they are well, or cannot be any more"));
  app.add_flag("--record",
               options->record,
               _("keep what is found, and restart what is ill (what the timers of services do)"))
      ->excludes(wait);
  return [options](Context& context) {
    if ((options->wait || options->record) && options->names.empty())
      throw Error(ErrorKind::Usage, _("no service is named")).hint("las health --wait NAME");
    if (options->wait)
      return wait_for_health(context, options->names);
    if (!options->record)
      return show_health(context,
                         app::service_health(context.session, options->names, context.activity));
    std::vector<app::ServiceHealth> all;
    for (const std::string& name : options->names)
      all.push_back(app::look_after(context.session, name, context.activity));
    // What was found is kept; that it could be is what the timer wants to know.
    show_health(context, all);
    return 0;
  };
}

Run setup_top(CLI::App& app) {
  struct Options {
    std::vector<std::string> names;
    int interval_ms = 1000, rounds = 1;
  };

  auto options = std::make_shared<Options>();
  app.add_option("services", options->names, _("services; none: all"))->type_name(kind::kService);
  app.add_option(
         "--interval", options->interval_ms, _("over how many milliseconds the load is taken"))
      ->check(whole_number(10, 3'600'000))
      ->type_name("MS");
  app.add_option("--count", options->rounds, _("how many times"))
      ->check(whole_number(1, 1'000'000))
      ->type_name("N");
  return [options](Context& context) {
    return run_top(
        context, options->names, std::chrono::milliseconds(options->interval_ms), options->rounds);
  };
}

Run setup_metrics(CLI::App& app) {
  struct Options {
    std::string output;
    bool targets = false;
  };

  auto options = std::make_shared<Options>();
  app.add_option("--output",
                 options->output,
                 _("write them to this file, whole or not at all (node_exporter's textfiles)"))
      ->type_name(kind::kFile);
  app.add_flag("--targets",
               options->targets,
               _("where the services tell their own numbers, as Prometheus' file_sd"));
  return [options](Context& context) {
    if (context.options.json && !options->targets)
      throw Error(ErrorKind::Usage, _("metrics are in the text format of Prometheus, not JSON"))
          .hint(_("las status --json has the same facts"));
    const std::string text = options->targets ? app::scrape_targets(context.session)
                                              : app::metrics(context.session, context.activity);
    if (options->output.empty())
      context.out << text;
    else
      context.session.files().replace_file(std::filesystem::absolute(options->output), text);
    return 0;
  };
}

Run setup_edit(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("service", *name, _("service"))->required()->type_name(kind::kService);
  return [name](Context& context) {
    if (context.options.json)
      throw Error(ErrorKind::Usage, _("an editor needs a terminal"));
    if (context.options.dry_run)
      return context.would_change(
          fmt::format(fmt::runtime(_("Would open the settings of {} in an editor.")), *name));
    if (!app::edit_service(context.session, *name))
      context.note(_("Nothing was changed."));
    else
      context.note(fmt::format(fmt::runtime(_("What changed holds from the next start on: {}")),
                               in_scope("las restart " + *name, context.options)));
    return 0;
  };
}

Run setup_secret(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("service", *name, _("service"))->required()->type_name(kind::kService);
  return [name](Context& context) {
    const std::string secret = app::service_secret(context.session, *name);
    if (context.options.json)
      context.print_json({{"service", *name}, {"secret", secret}});
    else
      context.out << secret << "\n";
    return 0;
  };
}

}  // namespace las::cli
