// SPDX-License-Identifier: Apache-2.0
// search, show, list: what there is and what is here.
#include "command.hpp"
#include "render.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/resolve/resolve.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

// "zh_CN.UTF-8" → "zh": the language of localised descriptions.
std::string language(const Context& context) {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    if (const auto value = context.session.environment().get(name))
      return value->substr(0, value->find_first_of("_.@"));
  }
  return {};
}

state::Generation current(const Context& context) {
  state::Generation generation;
  context.session.store().read(
      [&](const state::ReadTransaction& transaction) { generation = transaction.current(); });
  return generation;
}

bool is_held(const state::Generation& generation, const std::string& name) {
  return std::any_of(generation.world.begin(), generation.world.end(), [&](const auto& entry) {
    return entry.held && entry.module == name;
  });
}

int run_search(Context& context, const std::vector<std::string>& words) {
  const auto hits = context.session.catalog(context.activity).search(text::join(words, " "));
  const state::Generation generation = current(context);
  const auto is_installed = [&](std::string_view name) {
    return generation.find(std::string(name)) != nullptr;
  };
  if (context.options.json) {
    ordered_json modules = ordered_json::array();
    for (const auto& hit : hits)
      modules.push_back({{"name", hit.brief->name},
                         {"version", hit.brief->version},
                         {"category", catalog::to_string(hit.brief->category)},
                         {"description", hit.brief->summary(language(context))},
                         {"installed", is_installed(hit.brief->name)}});
    context.print_json({{"modules", std::move(modules)}});
    return hits.empty() ? 1 : 0;
  }
  for (const auto& hit : hits) {
    context.out << context.bold(std::string(hit.brief->name)) << " "
                << shown(std::string(hit.brief->version)) << " ["
                << catalog::to_string(hit.brief->category) << "]"
                << (is_installed(hit.brief->name) ? " " + _("(installed)") : "") << "\n  "
                << shown(hit.brief->summary(language(context))) << "\n";
  }
  if (hits.empty())
    context.note(_("Nothing found. See everything with: las list --available"));
  return hits.empty() ? 1 : 0;
}

ordered_json source_json(const catalog::Source& source, const std::string& from) {
  return {{"kind", source.kind()},
          {"from", from},
          {"delivers", source.delivers},
          {"note", source.note}};
}

ordered_json installed_json(const state::Generation& generation, const std::string& name) {
  const state::InstalledModule* module = generation.find(name);
  if (module == nullptr)
    return nullptr;
  return {{"version", module->version},
          {"variant", module->variant},
          {"mode", module->mode},
          {"reason", std::string(state::to_string(module->reason))},
          {"held", is_held(generation, name)}};
}

ordered_json show_json(Context& context, const catalog::Manifest& manifest) {
  ordered_json releases = ordered_json::array();
  for (const catalog::Release& release : manifest.releases) {
    ordered_json variants = ordered_json::array();
    for (const catalog::Variant& variant : release.variants) {
      ordered_json sources = ordered_json::array();
      for (const catalog::Source& source : variant.sources)
        sources.push_back(
            source_json(source, context.session.sources().at(source.kind())->describe(source)));
      variants.push_back(
          {{"name", variant.name},
           {"unmet",
            resolve::unmet_needs(variant.needs, context.session.profile(context.activity))},
           {"sources", std::move(sources)}});
    }
    releases.push_back({{"version", release.version.text()},
                        {"date", release.date},
                        {"variants", std::move(variants)}});
  }
  return {{"name", manifest.name},
          {"category", std::string(catalog::to_string(manifest.category))},
          {"description", manifest.summary(language(context))},
          {"license", manifest.license},
          {"homepage", manifest.homepage},
          {"origin", manifest.origin},
          {"provides", manifest.provides},
          {"installed", installed_json(current(context), manifest.name)},
          {"releases", std::move(releases)}};
}

void print_release(Context& context, const catalog::Release& release) {
  const auto& profile = context.session.profile(context.activity);
  context.out << "\n"
              << context.bold(fmt::format(fmt::runtime(_("Release {}")), release.version.text()))
              << (release.date.empty() ? "" : " (" + shown(release.date) + ")") << "\n";
  for (const catalog::Variant& variant : release.variants) {
    const auto unmet = resolve::unmet_needs(variant.needs, profile);
    context.out << "  "
                << (unmet.empty() ? context.paint(_("fits"), 32) : context.paint(_("no"), 31))
                << "  " << shown(variant.name) << "\n";
    for (const std::string& reason : unmet)
      context.out << "        " << shown(reason) << "\n";
    if (!unmet.empty())
      continue;
    for (const catalog::Source& source : variant.sources) {
      if (!resolve::unmet_needs(source.needs, profile).empty())
        continue;  // for another machine
      context.out << "        " << source.kind() << ": "
                  << shown(context.session.sources().at(source.kind())->describe(source))
                  << (source.delivers.empty()
                          ? ""
                          : fmt::format(fmt::runtime(_(" (delivers {})")), shown(source.delivers)))
                  << "\n";
    }
  }
}

int run_show(Context& context, const std::vector<std::string>& names) {
  ordered_json all = ordered_json::array();
  for (const std::string& name : names) {
    const catalog::Manifest& manifest = context.session.catalog(context.activity).get(name);
    if (context.options.json) {
      all.push_back(show_json(context, manifest));
      continue;
    }
    const auto line = [&](const std::string& label, const std::string& value) {
      if (!value.empty())
        context.out << label << ": " << shown(value) << "\n";
    };
    context.out << _("Name") << ": " << context.bold(manifest.name) << "\n";
    line(_("Description"), manifest.summary(language(context)));
    line(_("Category"), std::string(catalog::to_string(manifest.category)));
    line(_("License"), manifest.license);
    line(_("Homepage"), manifest.homepage);
    line(_("Provides"), text::join(manifest.provides, ", "));
    line(_("From"), manifest.origin);
    const policy::Decision decision =
        context.session.verdict(context.activity).decide(manifest.name);
    line(_("Policy"),
         (decision.allowed ? _("allowed") : _("denied")) +
             (decision.explanation.empty() ? "" : ": " + decision.explanation));
    const state::Generation generation = current(context);
    if (const state::InstalledModule* installed = generation.find(name))
      line(_("Installed"),
           installed->version + " (" + installed->variant + "), " + _("from") + " " +
               installed->source_detail + (is_held(generation, name) ? ", " + _("held") : ""));
    for (const catalog::Release& release : manifest.releases)
      print_release(context, release);
    if (manifest.releases.empty())
      context.out << _("This manifest describes the module but names no way to install it.")
                  << "\n";
  }
  if (context.options.json)
    context.print_json({{"modules", std::move(all)}});
  return 0;
}

int list_available(Context& context) {
  ordered_json modules = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const catalog::Brief& module : context.session.catalog(context.activity).briefs()) {
    modules.push_back({{"name", module.name}, {"version", module.version}});
    rows.push_back({std::string(module.name),
                    std::string(module.version),
                    std::string(catalog::to_string(module.category)),
                    module.summary(language(context))});
  }
  if (context.options.json)
    context.print_json({{"modules", std::move(modules)}});
  else
    context.out << render_table({_("NAME"), _("VERSION"), _("CATEGORY"), _("DESCRIPTION")}, rows);
  return 0;
}

int run_list(Context& context, bool available) {
  if (available)
    return list_available(context);
  const state::Generation generation = current(context);
  if (context.options.json) {
    ordered_json modules = ordered_json::array();
    for (const state::InstalledModule& module : generation.modules)
      modules.push_back({{"name", module.name},
                         {"version", module.version},
                         {"delivered", module.delivered},
                         {"variant", module.variant},
                         {"mode", module.mode},
                         {"reason", std::string(state::to_string(module.reason))},
                         {"held", is_held(generation, module.name)},
                         {"source", module.source},
                         {"from", module.source_detail},
                         {"store", module.store_name},
                         {"size", module.size.bytes()},
                         {"installed_at", module.installed_at}});
    context.print_json({{"generation", generation.number}, {"modules", std::move(modules)}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const state::InstalledModule& module : generation.modules)
    rows.push_back({module.name,
                    module.version,
                    module.variant,
                    module.mode,
                    module.source,
                    module.size.to_string(),
                    std::string(state::to_string(module.reason)) +
                        (is_held(generation, module.name) ? ", " + _("held") : "")});
  if (rows.empty())
    context.note(_("Nothing is installed. Find something with: las search WORD"));
  else
    context.out << render_table(
        {_("NAME"), _("VERSION"), _("VARIANT"), _("MODE"), _("SOURCE"), _("SIZE"), _("REASON")},
        rows);
  return 0;
}

}  // namespace

Run setup_search(CLI::App& app) {
  auto words = std::make_shared<std::vector<std::string>>();
  app.add_option("words", *words, _("words that must all occur"))->required()->type_name("WORD");
  return [words](Context& context) { return run_search(context, *words); };
}

Run setup_show(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("names", *names, _("modules"))->required()->type_name(kind::kModule);
  return [names](Context& context) { return run_show(context, *names); };
}

Run setup_list(CLI::App& app) {
  auto available = std::make_shared<bool>(false);
  app.add_flag("-a,--available", *available, _("everything in the catalog"));
  return [available](Context& context) { return run_list(context, *available); };
}

}  // namespace las::cli
