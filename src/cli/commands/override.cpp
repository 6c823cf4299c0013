// SPDX-License-Identifier: Apache-2.0
// override add, list, revert, log.
#include "command.hpp"
#include "render.hpp"

#include "las/app/overrides.hpp"
#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

ordered_json view_json(const app::OverrideView& view) {
  return {{"id", view.id},
          {"capability", view.capability},
          {"reason", view.reason},
          {"until", view.until},
          {"state", std::string(to_string(view.state))},
          {"added_at", view.added_at},
          {"added_by", view.added_by},
          {"reverted_at", view.reverted_at},
          {"reverted_by", view.reverted_by}};
}

std::string state_word(app::OverrideState state) {
  switch (state) {
    case app::OverrideState::InForce:
      return _("in force");
    case app::OverrideState::Expired:
      return _("expired");
    case app::OverrideState::Reverted:
      break;
  }
  return _("reverted");
}

int add_override(Context& context, const app::OverrideRequest& request) {
  const bool dry_run = context.options.dry_run;
  const app::AddedOverride result =
      app::add_override(context.session, request, dry_run, context.activity);
  if (!result.added) {
    context.unchanged(result.message);
    return 0;
  }
  if (dry_run)
    return context.would_change(fmt::format(fmt::runtime(_("Would override the policy for {}. {}")),
                                            request.capability,
                                            result.message));
  if (context.options.json) {
    context.print_json(
        {{"success", true}, {"changed", true}, {"override", view_json(result.view)}});
    return 0;
  }
  context.out << result.view.id << "\n";
  context.note(result.message);
  context.note(
      fmt::format(fmt::runtime(_("Undo it with: las override revert {}")), result.view.id));
  return 0;
}

int run_revert(Context& context, const std::string& id) {
  const bool dry_run = context.options.dry_run;
  const app::RevertedOverride result =
      app::revert_override(context.session, id, dry_run, context.activity);
  if (!result.changed) {
    context.unchanged(fmt::format(fmt::runtime(_("{} was reverted already.")), id));
    return 0;
  }
  if (dry_run)
    return context.would_change(fmt::format(fmt::runtime(_("Would revert {}.")), id));
  if (context.options.json)
    context.print_json(
        {{"success", true}, {"changed", true}, {"override", view_json(result.view)}});
  else
    context.note(fmt::format(fmt::runtime(_("Reverted {}: the policy decides about {} again.")),
                             id,
                             result.view.capability));
  return 0;
}

int list_overrides(Context& context, bool with_ended) {
  ordered_json all = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const app::OverrideView& view : app::overrides(context.session)) {
    if (view.state != app::OverrideState::InForce && !with_ended)
      continue;
    all.push_back(view_json(view));
    rows.push_back({view.id,
                    view.capability,
                    state_word(view.state),
                    view.until.empty() ? "-" : view.until,
                    view.added_by,
                    view.reason});
  }
  if (context.options.json)
    context.print_json({{"overrides", std::move(all)}});
  else if (rows.empty())
    context.note(with_ended ? _("There were no overrides.") : _("No override is in force."));
  else
    context.out << render_table(
        {_("ID"), _("CAPABILITY"), _("STATE"), _("UNTIL"), _("BY"), _("REASON")}, rows);
  return 0;
}

int show_override_log(Context& context) {
  std::vector<state::OverrideEvent> events;
  context.session.store().read(
      [&](const state::ReadTransaction& transaction) { events = transaction.override_events(); });
  ordered_json all = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const state::OverrideEvent& event : events) {
    all.push_back({{"version", event.number},
                   {"action", event.action},
                   {"id", event.id},
                   {"capability", event.capability},
                   {"reason", event.reason},
                   {"until", event.until},
                   {"at", event.at},
                   {"user", event.user},
                   {"sudo_user", event.sudo_user},
                   {"operation", event.operation_id}});
    rows.push_back({std::to_string(event.number),
                    event.at,
                    event.action,
                    event.id,
                    event.capability,
                    event.until.empty() ? "-" : event.until,
                    app::actor(event),
                    event.reason});
  }
  if (context.options.json)
    context.print_json(
        {{"version", events.empty() ? 0 : events.back().number}, {"events", std::move(all)}});
  else if (rows.empty())
    context.note(_("There were no overrides."));
  else
    context.out << render_table({_("VERSION"),
                                 _("WHEN"),
                                 _("ACTION"),
                                 _("ID"),
                                 _("CAPABILITY"),
                                 _("UNTIL"),
                                 _("BY"),
                                 _("REASON")},
                                rows);
  return 0;
}

}  // namespace

Run setup_override_add(CLI::App& app) {
  auto request = std::make_shared<app::OverrideRequest>();
  app.add_option("capability", request->capability, _("what the policy denies"))
      ->required()
      ->type_name(kind::kCapability);
  app.add_option("--reason", request->reason, _("why, for whoever reads it later"))
      ->required()
      ->type_name("TEXT");
  app.add_option("--until", request->until, _("last day it holds, in local time (YYYY-MM-DD)"))
      ->type_name("DATE");
  return [request](Context& context) { return add_override(context, *request); };
}

Run setup_override_list(CLI::App& app) {
  auto all = std::make_shared<bool>(false);
  app.add_flag("--all", *all, _("expired and reverted ones too"));
  return [all](Context& context) { return list_overrides(context, *all); };
}

Run setup_override_revert(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  app.add_option("id", *id, _("of the override"))->required()->type_name(kind::kOverride);
  return [id](Context& context) { return run_revert(context, *id); };
}

Run setup_override_log(CLI::App&) {
  return show_override_log;
}

}  // namespace las::cli
