// SPDX-License-Identifier: Apache-2.0
// install, remove, purge, upgrade, autoremove, plan, hold, unhold.
#include "command.hpp"
#include "render.hpp"

#include "las/app/install.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

namespace {

int run_change(Context& context, const app::ChangeRequest& request) {
  context.take_turn();
  const app::ChangeOutcome outcome = app::plan_change(context.session, request, context.activity);
  if (outcome.explanation)
    return refuse(context, *outcome.explanation);
  return show_and_execute(context, *outcome.prepared, _("Done."));
}

// Shared by install and plan.
void add_choice_options(CLI::App& app, app::ChangeRequest& request) {
  app.add_option("--variant", request.variant, _("this accelerator build, not the best one"))
      ->type_name("VARIANT");
  app.add_option("--mode", request.mode, _("native or container"))
      ->check(CLI::IsMember({"native", "container"}))
      ->type_name("MODE");
  app.add_option("--prefer",
                 request.prefer,
                 _("of several modules that provide the same, this one; may be given repeatedly"))
      ->expected(1)
      ->take_all()
      ->type_name(kind::kModule);
  auto* with = app.add_flag_callback(
      "--with-optional",
      [&request] { request.optionals = resolve::Optionals::Bring; },
      _("bring the modules that they suggest"));
  app.add_flag_callback(
         "--no-optional",
         [&request] { request.optionals = resolve::Optionals::Drop; },
         _("take away the suggested modules that are there for them only"))
      ->excludes(with);
}

void add_no_rollback(CLI::App& app, app::ChangeRequest& request) {
  app.add_flag("--no-rollback",
               request.keep_unhealthy,
               _("keep the new state also where a service does not become healthy in it"));
}

std::string names_with_versions(const Context& context, const std::vector<std::string>& names) {
  std::vector<std::string> all;
  context.session.store().read([&](const state::ReadTransaction& state) {
    all.clear();
    const state::Generation present = state.current();
    for (const std::string& name : names) {
      const state::InstalledModule* module = present.find(name);
      all.push_back(module == nullptr ? name : name + " " + module->version);
    }
  });
  return text::join(all, ", ");
}

int run_hold(Context& context, const std::vector<std::string>& names, app::HoldWish wish) {
  const bool hold = wish == app::HoldWish::Hold;
  const app::PreparedPlan prepared =
      app::prepare_hold(context.session, names, wish, context.activity);
  const bool changes = prepared.only_world_changes;
  const std::string subjects = names_with_versions(context, names);
  if (changes && !context.options.dry_run)
    app::execute(context.session, prepared, context.activity);
  if (context.options.json) {
    context.print_json({{"success", true},
                        {"changed", changes && !context.options.dry_run},
                        {hold ? "hold" : "unhold", strings_json(names)}});
  } else if (!changes) {
    context.note(
        fmt::format(fmt::runtime(hold ? _("Held already: {}.") : _("Not held: {}.")), subjects));
  } else if (context.options.dry_run) {
    context.note(fmt::format(
        fmt::runtime(hold ? _("Would hold: {}.") : _("Would no longer hold: {}.")), subjects));
  } else {
    context.note(fmt::format(
        fmt::runtime(hold ? _("Held: {}. It is neither changed nor removed until: las unhold {}")
                          : _("No longer held: {}. Newer releases come with: las upgrade {}")),
        subjects,
        text::join(names, " ")));
  }
  return changes && context.options.dry_run && context.options.detailed_exit ? 10 : 0;
}

Run hold_command(CLI::App& app, app::HoldWish wish) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("names", *names, _("installed modules"))->required()->type_name(kind::kInstalled);
  return [names, wish](Context& context) { return run_hold(context, *names, wish); };
}

}  // namespace

Run setup_install(CLI::App& app) {
  auto request = std::make_shared<app::ChangeRequest>();
  app.add_option("names", request->install, _("modules, each NAME, NAME=VERSION or NAME@RANGE"))
      ->required()
      ->type_name(kind::kModule);
  add_choice_options(app, *request);
  app.add_flag("--reinstall", request->reinstall, _("get it anew even if it is installed"));
  add_no_rollback(app, *request);
  return [request](Context& context) { return run_change(context, *request); };
}

Run setup_remove(CLI::App& app) {
  auto request = std::make_shared<app::ChangeRequest>();
  app.add_option("names", request->remove, _("installed modules"))
      ->required()
      ->type_name(kind::kInstalled);
  return [request](Context& context) { return run_change(context, *request); };
}

Run setup_purge(CLI::App& app) {
  auto request = std::make_shared<app::ChangeRequest>();
  request->purge = true;
  app.add_option("names", request->remove, _("modules, installed or removed before"))
      ->required()
      ->type_name(kind::kModule);
  return [request](Context& context) { return run_change(context, *request); };
}

Run setup_upgrade(CLI::App& app) {
  auto request = std::make_shared<app::ChangeRequest>();
  app.add_option("names", request->upgrade, _("installed modules; none: all"))
      ->type_name(kind::kInstalled);
  add_no_rollback(app, *request);
  return [request](Context& context) {
    request->upgrade_all = request->upgrade.empty();
    return run_change(context, *request);
  };
}

Run setup_autoremove(CLI::App&) {
  // What nobody needs leaves with every request; this is the request for nothing else.
  return [](Context& context) { return run_change(context, {}); };
}

Run setup_plan(CLI::App& app) {
  auto request = std::make_shared<app::ChangeRequest>();
  app.add_option(
         "names", request->install, _("modules to install, each NAME, NAME=VERSION or NAME@RANGE"))
      ->type_name(kind::kModule);
  app.add_option("--remove", request->remove, _("modules to remove"))
      ->expected(1)
      ->take_all()
      ->type_name(kind::kInstalled);
  app.add_option("--upgrade", request->upgrade, _("modules to upgrade"))
      ->expected(1)
      ->take_all()
      ->type_name(kind::kInstalled);
  app.add_flag("--upgrade-all", request->upgrade_all, _("upgrade everything"));
  add_choice_options(app, *request);
  return [request](Context& context) {
    GlobalOptions looking = context.options;
    looking.dry_run = true;
    Context only_looks{
        context.session, context.activity, context.streams, looking, context.out, context.color};
    return run_change(only_looks, *request);
  };
}

Run setup_hold(CLI::App& app) {
  return hold_command(app, app::HoldWish::Hold);
}

Run setup_unhold(CLI::App& app) {
  return hold_command(app, app::HoldWish::Unhold);
}

}  // namespace las::cli
