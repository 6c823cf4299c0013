// SPDX-License-Identifier: Apache-2.0
// start, stop, restart, enable, disable, expose, unexpose.
#include "checks.hpp"
#include "command.hpp"
#include "render.hpp"

#include "las/app/service_options.hpp"
#include "las/app/services.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

namespace {

enum class Switch { Start, Stop, Restart };

struct Options {
  app::ServiceNames names;
  bool no_wait = false, on_demand = false, always = false;
  bool is_lan = false, is_public = false, without_auth = false;
  std::int64_t idle_s = 0;
};

using Shared = std::shared_ptr<Options>;

Shared add_names(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("services", options->names.names, _("services, or modules that stand for them"))
      ->type_name(kind::kService);
  app.add_flag("--all", options->names.all, _("all services"));
  return options;
}

void add_no_wait(CLI::App& app, const Shared& options) {
  app.add_flag("--no-wait", options->no_wait, _("do not wait until they are healthy"));
}

std::string subjects(const app::ServiceNames& names) {
  return names.all ? std::string(_("all services")) : text::join(names.names, ", ");
}

std::string would(Switch what, const std::string& who) {
  switch (what) {
    case Switch::Start:
      return fmt::format(fmt::runtime(_("Would start {}.")), who);
    case Switch::Stop:
      return fmt::format(fmt::runtime(_("Would stop {}.")), who);
    case Switch::Restart:
      return fmt::format(fmt::runtime(_("Would restart {}.")), who);
  }
  return {};
}

bool would_change(Context& context, const app::ServiceNames& names, Switch what) {
  bool change = what == Switch::Restart;
  for (const app::ServiceView& view : app::services(context.session, names.names)) {
    const bool runs = view.status.state == service::RunState::Running ||
                      view.status.state == service::RunState::Waiting;
    change = change || (what == Switch::Start) != runs;
  }
  return change;
}

int show(Context& context, const std::vector<app::ServiceView>& views) {
  if (context.options.json)
    context.print_json({{"success", true}, {"services", services_json(views, context.options)}});
  else if (!context.options.quiet)
    print_services(context, views);
  return 0;
}

int run_switch(Context& context, const Options& options, Switch what) {
  if (context.options.dry_run) {
    const bool change = would_change(context, options.names, what);
    context.unchanged(would(what, subjects(options.names)));
    return change && context.options.detailed_exit ? 10 : 0;
  }
  const auto wait = options.no_wait ? app::WaitFor::Nothing : app::WaitFor::Health;
  switch (what) {
    case Switch::Start:
      return show(context,
                  app::start_services(context.session, options.names, wait, context.activity));
    case Switch::Stop:
      return show(context, app::stop_services(context.session, options.names, context.activity));
    case Switch::Restart:
      return show(context,
                  app::restart_services(context.session, options.names, wait, context.activity));
  }
  return 0;
}

int run_boot(Context& context, const Options& options, bool at_boot) {
  if (context.options.dry_run) {
    app::services(context.session, options.names.names);
    return context.would_change(fmt::format(
        fmt::runtime(at_boot ? _("Would start {} at boot.") : _("Would not start {} at boot.")),
        subjects(options.names)));
  }
  return show(context, app::set_at_boot(context.session, options.names, at_boot, context.activity));
}

int configure(Context& context,
              const Options& options,
              const app::OptionChanges& changes,
              const std::string& done) {
  context.take_turn();
  const app::PreparedPlan prepared =
      app::prepare_configure(context.session,
                             app::named_services(context.session, options.names),
                             changes,
                             context.activity);
  return show_and_execute(
      context, prepared, fmt::format(fmt::runtime(done), subjects(options.names)));
}

int run_activation(Context& context, const Options& options) {
  if (options.always)
    return configure(context, options, {{"start", "always"}}, _("{} runs all the time."));
  app::OptionChanges changes{{"start", "on-demand"}};
  if (options.idle_s != 0)
    changes["idle-seconds"] = std::to_string(options.idle_s);
  return configure(context, options, changes, _("{} starts with the first request."));
}

int run_expose(Context& context, const Options& options) {
  app::OptionChanges changes{{"network", options.is_public ? "public" : "lan"}};
  if (options.without_auth)
    changes["without-auth"] = "true";
  const int status = configure(context,
                               options,
                               changes,
                               options.is_public ? _("{} can be reached by everybody.")
                                                 : _("{} can be reached from the local network."));
  if (status != 0 || context.options.dry_run)
    return status;
  for (const std::string& id : app::open_services(context.session, options.names))
    context.activity.warn(
        "service",
        fmt::format(fmt::runtime(_("nothing here keeps others than the local network from {}: put "
                                   "a firewall before it, or las unexpose {}")),
                    id,
                    id));
  return status;
}

Run setup_switch(CLI::App& app, Switch what) {
  const Shared options = add_names(app);
  if (what != Switch::Stop)
    add_no_wait(app, options);
  return [options, what](Context& context) { return run_switch(context, *options, what); };
}

}  // namespace

Run setup_start(CLI::App& app) {
  return setup_switch(app, Switch::Start);
}

Run setup_stop(CLI::App& app) {
  return setup_switch(app, Switch::Stop);
}

Run setup_restart(CLI::App& app) {
  return setup_switch(app, Switch::Restart);
}

Run setup_enable(CLI::App& app) {
  const Shared options = add_names(app);
  CLI::Option* on_demand =
      app.add_flag("--on-demand",
                   options->on_demand,
                   _("let the first request to its port start it, and end it when it is idle"));
  app.add_flag("--always", options->always, _("no longer on demand: let it run all the time"))
      ->excludes(on_demand);
  app.add_option("--idle", options->idle_s, _("seconds without a connection until it is ended"))
      ->needs(on_demand)
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}},
          CLI::AsNumberWithUnit::CASE_INSENSITIVE))
      ->check(whole_number(1, 604'800))
      ->type_name("TIME");
  return [options](Context& context) {
    return options->on_demand || options->always ? run_activation(context, *options)
                                                 : run_boot(context, *options, true);
  };
}

Run setup_disable(CLI::App& app) {
  const Shared options = add_names(app);
  return [options](Context& context) { return run_boot(context, *options, false); };
}

Run setup_expose(CLI::App& app) {
  const Shared options = add_names(app);
  CLI::Option* lan =
      app.add_flag("--lan", options->is_lan, _("the local network: private addresses"));
  app.add_flag("--public", options->is_public, _("everybody who can reach this machine"))
      ->excludes(lan);
  app.add_flag(
      "--without-auth", options->without_auth, _("also one that asks nobody who they are"));
  return [options](Context& context) {
    if (!options->is_lan && !options->is_public)
      throw Error(ErrorKind::Usage, _("for whom is not said")).hint("las expose NAME --lan");
    return run_expose(context, *options);
  };
}

Run setup_unexpose(CLI::App& app) {
  const Shared options = add_names(app);
  return [options](Context& context) {
    return configure(context,
                     *options,
                     {{"network", std::nullopt}, {"without-auth", std::nullopt}},
                     _("{} is for this machine alone."));
  };
}

}  // namespace las::cli
