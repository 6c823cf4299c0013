// SPDX-License-Identifier: Apache-2.0
// registry list, add, remove, trust; update.
#include "command.hpp"
#include "render.hpp"

#include "las/app/registries.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

ordered_json record_json(const state::RegistryRecord& record) {
  return {{"url", record.url},
          {"public_key", record.public_key},
          {"version", record.version},
          {"created", record.created},
          {"expires", record.expires},
          {"packages", record.packages},
          {"snapshot", record.snapshot},
          {"added_at", record.added_at},
          {"added_by", record.added_by},
          {"accepted_at", record.accepted_at},
          {"checked_at", record.checked_at}};
}

ordered_json changes_json(const std::vector<registry::PackageChange>& changes) {
  ordered_json all = ordered_json::array();
  for (const registry::PackageChange& change : changes)
    all.push_back({{"name", change.name}, {"before", change.before}, {"after", change.after}});
  return all;
}

// "3 new, 1 changed, 0 gone; 5 files, 12 KiB fetched"
std::string changes_text(const registry::Refreshed& refreshed) {
  const auto count = [&](auto&& predicate) {
    return std::count_if(refreshed.changes.begin(), refreshed.changes.end(), predicate);
  };
  return fmt::format(
      fmt::runtime(_("{} new, {} changed, {} gone; {} fetched")),
      count([](const auto& change) { return change.before.empty(); }),
      count([](const auto& change) { return !change.before.empty() && !change.after.empty(); }),
      count([](const auto& change) { return change.after.empty(); }),
      refreshed.bytes_fetched.to_string());
}

int list_registries(Context& context) {
  ordered_json all = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const app::RegistryView& view : app::registries(context.session)) {
    ordered_json json = {{"name", view.name},
                         {"kind", std::string(to_string(view.kind))},
                         {"location", view.location}};
    std::vector<std::string> row = {view.name, std::string(to_string(view.kind))};
    if (view.record) {
      json.update(record_json(*view.record));
      json["key_id"] = view.key_id;
      json["expired"] = view.expired;
      row.insert(row.end(),
                 {std::to_string(view.record->packages),
                  std::to_string(view.record->version),
                  view.expired ? fmt::format(fmt::runtime(_("{} (expired)")), view.record->expires)
                               : view.record->expires,
                  view.key_id});
    } else {
      row.insert(row.end(), {"-", "-", "-", "-"});
    }
    row.push_back(view.location);
    all.push_back(std::move(json));
    rows.push_back(std::move(row));
  }
  if (context.options.json)
    context.print_json({{"registries", std::move(all)}});
  else
    context.out << render_table(
        {_("NAME"), _("KIND"), _("MODULES"), _("VERSION"), _("EXPIRES"), _("KEY"), _("LOCATION")},
        rows);
  return 0;
}

struct AddRequest {
  std::string name, url, key;
};

int add_registry(Context& context, const AddRequest& request) {
  const app::AddedRegistry result = app::add_registry(context.session,
                                                      request.name,
                                                      request.url,
                                                      request.key,
                                                      context.options.dry_run,
                                                      context.activity);
  const state::RegistryRecord& record = result.refreshed.record;
  if (!result.added) {
    context.unchanged(
        fmt::format(fmt::runtime(_("{} was added already, with this key.")), request.name));
    return 0;
  }
  const std::string what =
      fmt::format(fmt::runtime(_("{} (version {}, {} modules, expires {}, key {})")),
                  record.name,
                  record.version,
                  record.packages,
                  record.expires,
                  result.key_id);
  if (context.options.dry_run)
    return context.would_change(fmt::format(fmt::runtime(_("Would add {}.")), what));
  if (context.options.json) {
    ordered_json json = record_json(record);
    json["name"] = record.name;
    json["key_id"] = result.key_id;
    context.print_json({{"success", true},
                        {"changed", true},
                        {"registry", std::move(json)},
                        {"changes", changes_json(result.refreshed.changes)}});
    return 0;
  }
  context.note(fmt::format(fmt::runtime(_("Added {}.")), what));
  context.note(_("See what it has with: las search WORD"));
  return 0;
}

int remove_registry(Context& context, const std::string& name) {
  const bool dry_run = context.options.dry_run;
  app::remove_registry(context.session, name, dry_run, context.activity);
  if (dry_run)
    return context.would_change(fmt::format(fmt::runtime(_("Would forget {}.")), name));
  if (context.options.json)
    context.print_json({{"success", true}, {"changed", true}, {"name", name}});
  else
    context.note(
        fmt::format(fmt::runtime(_("Forgot {}. What was installed from it stays.")), name));
  return 0;
}

int run_trust(Context& context, const std::string& name, const std::string& key) {
  const app::TrustChange change = app::compare_key(context.session, name, key);
  if (!change.changes) {
    context.unchanged(fmt::format(fmt::runtime(_("{} has this key already.")), name));
    return 0;
  }
  context.note(fmt::format(fmt::runtime(_("Old key: {} ({})")), change.old_key, change.old_id));
  context.note(fmt::format(fmt::runtime(_("New key: {} ({})")), change.new_key, change.new_id));
  const bool dry_run = context.options.dry_run;
  if (!dry_run &&
      !context.confirm(fmt::format(
          fmt::runtime(_("Believe whatever the holder of the new key signs for {}?")), name))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  const registry::Refreshed refreshed =
      app::trust_key(context.session, name, key, dry_run, context.activity);
  if (dry_run)
    return context.would_change(fmt::format(fmt::runtime(_("Would change the key of {}.")), name));
  if (context.options.json)
    context.print_json({{"success", true},
                        {"changed", true},
                        {"name", name},
                        {"old_key", change.old_key},
                        {"new_key", change.new_key},
                        {"version", refreshed.record.version},
                        {"changes", changes_json(refreshed.changes)}});
  else
    context.note(fmt::format(fmt::runtime(_("{} is trusted with key {} now, at version {}.")),
                             name,
                             change.new_id,
                             refreshed.record.version));
  return 0;
}

ordered_json outcome_json(const Context& context, const app::UpdateOutcome& outcome) {
  const registry::Refreshed& refreshed = outcome.refreshed;
  ordered_json json = {{"name", outcome.name},
                       {"changed", refreshed.changed},
                       {"version_before", outcome.version_before},
                       {"version", refreshed.record.version},
                       {"expires", refreshed.record.expires},
                       {"changes", changes_json(refreshed.changes)},
                       {"objects_fetched", refreshed.objects_fetched},
                       {"bytes_fetched", refreshed.bytes_fetched.bytes()},
                       {"error", nullptr}};
  if (outcome.error)
    json["error"] = {{"kind", std::string(to_string(outcome.error->kind()))},
                     {"exit_status", exit_status(*outcome.error, context.activity.cancellation)},
                     {"message", outcome.error->message()},
                     {"subject", outcome.error->subject()},
                     {"cause", outcome.error->cause()},
                     {"hint", outcome.error->hint()}};
  return json;
}

void say(const Context& context, const app::UpdateOutcome& outcome) {
  const registry::Refreshed& refreshed = outcome.refreshed;
  if (outcome.error) {
    context.activity.warn("registry", outcome.name + ": " + outcome.error->what());
    if (!outcome.error->hint().empty())
      context.note(_("hint") + (": " + outcome.error->hint()));
  } else if (!refreshed.changed) {
    context.note(fmt::format(
        fmt::runtime(_("{}: nothing new, version {}")), outcome.name, refreshed.record.version));
  } else if (context.options.dry_run) {
    context.note(fmt::format(fmt::runtime(_("{}: version {} is there, {} is here")),
                             outcome.name,
                             refreshed.record.version,
                             outcome.version_before));
  } else {
    context.note(fmt::format(fmt::runtime(_("{}: version {} -> {}: {}")),
                             outcome.name,
                             outcome.version_before,
                             refreshed.record.version,
                             changes_text(refreshed)));
  }
}

// A refusal says more than a host that is down.
int worst_status(const Context& context, const std::vector<app::UpdateOutcome>& outcomes) {
  int worst = 0;
  for (const app::UpdateOutcome& outcome : outcomes) {
    if (!outcome.error)
      continue;
    const int status = exit_status(*outcome.error, context.activity.cancellation);
    if (worst == 0 || outcome.error->kind() == ErrorKind::Integrity)
      worst = status;
  }
  return worst;
}

int run_update(Context& context, const std::vector<std::string>& names, bool again) {
  const std::vector<app::UpdateOutcome> outcomes = app::update_registries(
      context.session, names, {context.options.dry_run, again}, context.activity);
  ordered_json all = ordered_json::array();
  bool changed = false;
  for (const app::UpdateOutcome& outcome : outcomes) {
    changed = changed || outcome.refreshed.changed;
    if (context.options.json)
      all.push_back(outcome_json(context, outcome));
    else
      say(context, outcome);
  }
  const int status = worst_status(context, outcomes);
  if (context.options.json)
    context.print_json({{"success", status == 0},
                        {"changed", changed && !context.options.dry_run},
                        {"registries", std::move(all)}});
  else if (outcomes.empty())
    context.note(_("No registry was added. What las ships and local folders need no update."));
  if (status == 0 && changed && context.options.dry_run && context.options.detailed_exit)
    return 10;
  return status;
}

CLI::Option* add_key(CLI::App& app, std::string& key) {
  return app.add_option("--key", key, _("public key: minisign's line, or a .pub file"))
      ->type_name(kind::kFile);
}

}  // namespace

Run setup_registry_list(CLI::App&) {
  return list_registries;
}

Run setup_registry_add(CLI::App& app) {
  auto request = std::make_shared<AddRequest>();
  app.add_option("name", request->name, _("what the registry calls itself"))
      ->required()
      ->type_name("NAME");
  app.add_option("url", request->url, _("https:// or file:/// address of its tree"))
      ->required()
      ->type_name("URL");
  add_key(app, request->key)->required();
  return [request](Context& context) { return add_registry(context, *request); };
}

Run setup_registry_remove(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("name", *name, _("of the registry"))->required()->type_name(kind::kRegistry);
  return [name](Context& context) { return remove_registry(context, *name); };
}

Run setup_registry_trust(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto key = std::make_shared<std::string>();
  app.add_option("name", *name, _("of the registry"))->required()->type_name(kind::kRegistry);
  add_key(app, *key)->required();
  return [name, key](Context& context) { return run_trust(context, *name, *key); };
}

Run setup_update(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto again = std::make_shared<bool>(false);
  app.add_option("registries", *names, _("only these"))->type_name(kind::kRegistry);
  app.add_flag("--again", *again, _("take nothing from the copy that is here"));
  return [names, again](Context& context) { return run_update(context, *names, *again); };
}

}  // namespace las::cli
