// SPDX-License-Identifier: Apache-2.0
// config list, get, set, unset.
#include "las/app/config.hpp"

#include "command.hpp"
#include "render.hpp"

#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

int run_list(Context& context, bool origin) {
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

int write(Context& context, const std::string& key, const std::optional<std::string>& value) {
  if (value)
    app::check_setting(key, *value);
  if (context.options.dry_run) {
    context.unchanged(fmt::format(fmt::runtime(_("Would write {}.")), key));
    return context.options.detailed_exit ? 10 : 0;
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
  auto origin = std::make_shared<bool>(false);
  app.add_flag("--origin", *origin, _("where each value came from"));
  return [origin](Context& context) { return run_list(context, *origin); };
}

Run setup_config_get(CLI::App& app) {
  auto key = std::make_shared<std::string>();
  app.add_option("key", *key, _("setting"))->required()->type_name(kind::kSetting);
  return [key](Context& context) {
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
