// SPDX-License-Identifier: Apache-2.0
// model import, list, remove.
#include "command.hpp"
#include "render.hpp"

#include "las/app/models.hpp"
#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

ordered_json model_json(const state::ModelRecord& model) {
  return {{"name", model.name},
          {"format", model.format},
          {"digest", model.digest.to_string()},
          {"size", model.size.bytes()},
          {"architecture", model.architecture},
          {"quantization", model.quantization},
          {"parameters",
           model.parameters == 0 ? ordered_json(nullptr) : ordered_json(model.parameters)},
          {"context_length",
           model.context_length == 0 ? ordered_json(nullptr) : ordered_json(model.context_length)},
          {"license", model.license},
          {"note", model.note},
          {"source", model.source},
          {"imported_at", model.imported_at}};
}

std::string parameters_text(std::uint64_t count) {
  if (count == 0)
    return "?";
  if (count >= 1'000'000'000)
    return fmt::format("{:.1f}B", static_cast<double>(count) / 1e9);
  if (count >= 1'000'000)
    return fmt::format("{:.1f}M", static_cast<double>(count) / 1e6);
  return fmt::format("{:.0f}K", static_cast<double>(count) / 1e3);
}

int run_import(Context& context, const std::string& file, const std::string& name) {
  if (context.options.dry_run) {
    return context.would_change(fmt::format(fmt::runtime(_("Would import {}.")), file));
  }
  const auto result = app::import_model(context.session, file, name, context.activity);
  if (context.options.json) {
    context.print_json({{"success", true},
                        {"changed", !result.was_present},
                        {"model", model_json(result.record)}});
    return 0;
  }
  const state::ModelRecord& model = result.record;
  context.out << fmt::format(
                     fmt::runtime(result.was_present ? _("{} is in the library already: {}, {}, {}")
                                                     : _("{} is in the library now: {}, {}, {}")),
                     context.bold(model.name),
                     shown(model.architecture),
                     shown(model.quantization),
                     model.size.to_string())
              << "\n";
  if (!model.note.empty())
    context.out << "  " << shown(model.note) << "\n";
  context.note(fmt::format(fmt::runtime(_("Serve it with: las serve {}")), model.name));
  return 0;
}

int list_models(Context& context) {
  const std::vector<state::ModelRecord> models = app::models(context.session);
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const state::ModelRecord& model : models)
      all.push_back(model_json(model));
    context.print_json({{"models", std::move(all)}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const state::ModelRecord& model : models)
    rows.push_back({model.name,
                    model.format,
                    model.architecture,
                    parameters_text(model.parameters),
                    model.quantization,
                    model.size.to_string()});
  if (rows.empty())
    context.note(_("No models yet. Take one in with: las model import FILE"));
  else
    context.out << render_table(
        {_("NAME"), _("FORMAT"), _("ARCHITECTURE"), _("PARAMETERS"), _("TYPE"), _("SIZE")}, rows);
  return 0;
}

int remove_model(Context& context, const std::string& name) {
  (void)app::model_named(context.session,
                         name);  // an unknown name is said before anything is asked
  if (context.options.dry_run) {
    context.unchanged(fmt::format(fmt::runtime(_("Would remove the model {}.")), name));
    return 0;
  }
  if (!context.confirm(fmt::format(
          fmt::runtime(_("Remove the model {} and its file from the library?")), name))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  app::remove_model(context.session, name, context.activity);
  if (context.options.json)
    context.print_json({{"success", true}, {"changed", true}});
  else
    context.note(_("Done."));
  return 0;
}

}  // namespace

Run setup_model_import(CLI::App& app) {
  struct Options {
    std::string file, name;
  };

  auto options = std::make_shared<Options>();
  app.add_option("file", options->file, _("model file"))->required()->type_name(kind::kFile);
  app.add_option("--name", options->name, _("name in the library; default: from the file's name"))
      ->type_name("NAME");
  return [options](Context& context) { return run_import(context, options->file, options->name); };
}

Run setup_model_list(CLI::App&) {
  return [](Context& context) { return list_models(context); };
}

Run setup_model_remove(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("name", *name, _("model"))->required()->type_name(kind::kModel);
  return [name](Context& context) { return remove_model(context, *name); };
}

}  // namespace las::cli
