// SPDX-License-Identifier: Apache-2.0
// config list, get, set, unset.
#include "las/app/config.hpp"

#include "command.hpp"
#include "render.hpp"

#include "las/app/service_options.hpp"
#include "las/app/services.hpp"
#include "las/base/diagnostics.hpp"
#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

int list_settings(Context& context, bool origin) {
  const app::Config& config = context.session.config();
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const auto& [key, value] : config.values())
      all.push_back({{"key", key}, {"value", value.text}, {"origin", value.origin}});
    context.print_json({{"settings", std::move(all)}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const app::Setting& setting : app::settings()) {
    const auto& value = config.get(setting.key);
    rows.push_back({setting.key,
                    value.text.empty() ? "-" : value.text,
                    origin ? value.origin : _(setting.description)});
  }
  context.out << render_table({_("KEY"), _("VALUE"), origin ? _("ORIGIN") : _("DESCRIPTION")},
                              rows);
  return 0;
}

int list_service(Context& context, const std::string& service, bool origin) {
  const auto options = app::service_options(context.session, service, context.activity);
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const app::ServiceOption& option : options)
      all.push_back({{"key", option.key},
                     {"value", option.value},
                     {"default", option.default_value},
                     {"set", option.set}});
    context.print_json({{"service", service}, {"settings", std::move(all)}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const app::ServiceOption& option : options)
    rows.push_back({option.key,
                    option.value.empty() ? "-" : option.value,
                    origin ? (option.set ? _("set") : _("default")) : option.description});
  context.out << render_table({_("KEY"), _("VALUE"), origin ? _("ORIGIN") : _("DESCRIPTION")},
                              rows);
  return 0;
}

// "store.memory": a setting of las itself goes first.
std::optional<app::OptionKey> service_key(Context& context, const std::string& key) {
  for (const app::Setting& setting : app::settings()) {
    if (key == setting.key)
      return std::nullopt;
  }
  return app::parse_option_key(context.session, key);
}

int get_service(Context& context, const app::OptionKey& key) {
  const auto options = app::service_options(context.session, key.service, context.activity);
  const std::string wanted = key.service + "." + key.option;
  std::vector<std::string> known;
  for (const app::ServiceOption& option : options) {
    known.push_back(option.key);
    if (option.key != wanted)
      continue;
    if (context.options.json)
      context.print_json({{"key", option.key},
                          {"value", option.value},
                          {"origin", option.set ? "set" : "default"}});
    else
      context.out << option.value << "\n";
    return 0;
  }
  Error error(ErrorKind::NotFound, _("unknown setting"), wanted);
  if (const std::string nearest = nearest_name(wanted, known); !nearest.empty())
    error.hint(fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  throw error;
}

int configure_service(Context& context,
                      const app::OptionKey& key,
                      const std::optional<std::string>& value) {
  context.take_turn();
  const app::PreparedPlan prepared = app::prepare_configure(
      context.session, {key.service}, {{key.option, value}}, context.activity);
  return show_and_execute(
      context, prepared, fmt::format(fmt::runtime(_("{} runs with it.")), key.service));
}

int write(Context& context, const std::string& key, const std::optional<std::string>& value) {
  if (const auto service = service_key(context, key))
    return configure_service(context, *service, value);
  if (value)
    app::check_setting(key, *value);
  if (context.options.dry_run) {
    return context.would_change(fmt::format(fmt::runtime(_("Would write {}.")), key));
  }
  const auto file = app::write_setting(
      context.session.files(), context.session.layout(), context.session.environment(), key, value);
  if (context.options.json)
    context.print_json({{"success", true}, {"file", file.string()}});
  else
    context.note(fmt::format(fmt::runtime(_("Written to {}.")), file.string()));
  return 0;
}

}  // namespace

Run setup_config_list(CLI::App& app) {
  struct Options {
    std::string service;
    bool origin = false;
  };

  auto options = std::make_shared<Options>();
  app.add_option("service", options->service, _("of this service; none: of las itself"))
      ->type_name(kind::kService);
  app.add_flag("--origin", options->origin, _("where each value came from"));
  return [options](Context& context) {
    if (options->service.empty())
      return list_settings(context, options->origin);
    app::services(context.session, {options->service});  // an unknown name gets its own error
    return list_service(context, options->service, options->origin);
  };
}

Run setup_config_get(CLI::App& app) {
  auto key = std::make_shared<std::string>();
  app.add_option("key", *key, _("setting"))->required()->type_name(kind::kSetting);
  return [key](Context& context) {
    if (const auto service = service_key(context, *key))
      return get_service(context, *service);
    const auto& value = context.session.config().get(*key);
    if (context.options.json)
      context.print_json({{"key", *key}, {"value", value.text}, {"origin", value.origin}});
    else
      context.out << value.text << "\n";
    return 0;
  };
}

Run setup_config_set(CLI::App& app) {
  struct Options {
    std::string key, value;
  };

  auto options = std::make_shared<Options>();
  app.add_option("key", options->key, _("setting"))->required()->type_name(kind::kSetting);
  app.add_option("value", options->value, _("new value"))->required()->type_name(kind::kValue);
  return [options](Context& context) { return write(context, options->key, options->value); };
}

Run setup_config_unset(CLI::App& app) {
  auto key = std::make_shared<std::string>();
  app.add_option("key", *key, _("setting"))->required()->type_name(kind::kSetting);
  return [key](Context& context) { return write(context, *key, std::nullopt); };
}

}  // namespace las::cli
