// SPDX-License-Identifier: Apache-2.0
// depends, rdepends, why, outdated: how modules hang together, and why they are as they are.
#include "las/app/relations.hpp"

#include "command.hpp"
#include "render.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

using resolve::Explanation;

ordered_json need_json(const app::Need& need) {
  return {{"kind", std::string(app::to_string(need.kind))},
          {"name", need.name},
          {"range", need.range},
          {"providers", strings_json(need.providers)},
          {"present", need.present ? ordered_json(*need.present) : ordered_json(nullptr)}};
}

std::string kind_name(app::Need::Kind kind) {
  switch (kind) {
    case app::Need::Kind::Module:
      return _("module");
    case app::Need::Kind::Capability:
      return _("capability");
    case app::Need::Kind::Tool:
      return _("tool");
    case app::Need::Kind::Package:
      return _("package");
    case app::Need::Kind::Optional:
      return _("suggested");
  }
  return {};
}

std::string presence(const app::Need& need) {
  if (!need.present)
    return need.kind == app::Need::Kind::Tool ? _("unknown") : "";
  if (need.kind == app::Need::Kind::Tool)
    return *need.present ? _("here") : _("missing");
  return *need.present ? _("installed") : "";
}

int run_depends(Context& context, const std::string& name, bool recursive) {
  const auto all = app::depends(context.session, name, recursive, context.activity);
  if (context.options.json) {
    ordered_json modules = ordered_json::array();
    for (const app::ModuleNeeds& module : all) {
      ordered_json needs = ordered_json::array();
      for (const app::Need& need : module.needs)
        needs.push_back(need_json(need));
      modules.push_back({{"name", module.name},
                         {"version", module.version},
                         {"installed", module.installed},
                         {"needs", std::move(needs)}});
    }
    context.print_json({{"modules", std::move(modules)}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const app::ModuleNeeds& module : all) {
    for (const app::Need& need : module.needs)
      rows.push_back({module.version.empty() ? module.name : module.name + " " + module.version,
                      kind_name(need.kind),
                      need.range.empty() ? need.name : need.name + " " + need.range,
                      text::join(need.providers, ", "),
                      presence(need)});
  }
  if (rows.empty())
    context.note(fmt::format(fmt::runtime(_("{} needs nothing.")), name));
  else
    context.out << render_table({_("MODULE"), _("KIND"), _("NEEDS"), _("FROM"), _("STATE")}, rows);
  return 0;
}

int run_rdepends(Context& context, const std::string& name, bool only_installed) {
  const auto users = app::rdepends(context.session, name, only_installed, context.activity);
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const app::User& user : users)
      all.push_back({{"name", user.name},
                     {"version", user.version},
                     {"installed", user.installed},
                     {"need", need_json(user.need)}});
    context.print_json({{"name", name}, {"users", std::move(all)}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const app::User& user : users)
    rows.push_back(
        {user.name,
         user.version,
         kind_name(user.need.kind),
         user.need.range.empty() ? user.need.name : user.need.name + " " + user.need.range,
         user.installed ? _("installed") : ""});
  if (rows.empty())
    context.note(fmt::format(fmt::runtime(only_installed ? _("Nothing installed needs {}.")
                                                         : _("Nothing in the catalog needs {}.")),
                             name));
  else
    context.out << render_table({_("MODULE"), _("VERSION"), _("KIND"), _("NEEDS"), _("STATE")},
                                rows);
  return 0;
}

ordered_json why_json(const app::Why& why, const GlobalOptions& options) {
  ordered_json needed_by = ordered_json::array();
  for (const resolve::Dependent& user : why.needed_by)
    needed_by.push_back({{"name", user.name}, {"optional", user.optional}});
  ordered_json document = {
      {"name", why.name},
      {"installed", why.installed},
      {"version", why.version},
      {"variant", why.variant},
      {"mode", why.mode},
      {"reason",
       why.installed ? ordered_json(std::string(state::to_string(why.reason)))
                     : ordered_json(nullptr)},
      {"held", why.held},
      {"chain", strings_json(why.chain)},
      {"needed_by", std::move(needed_by)},
      {"standing", why.standing ? standings_json({*why.standing})[0] : ordered_json(nullptr)},
      {"better_variants", reasons_json(why.better_variants)},
      {"would_be", why.would_be},
      {"cannot", nullptr}};
  if (why.cannot)
    document["cannot"] = {{"kind", std::string(resolve::to_string(why.cannot->kind))},
                          {"reasons", reasons_json(why.cannot->reasons)},
                          {"suggestion", in_scope(why.cannot->suggestion, options)}};
  return document;
}

void print_reasons(Context& context, const std::vector<Explanation::Reason>& reasons) {
  for (const auto& reason : reasons)
    context.out << "    " << shown(reason.subject) << " " << shown(reason.text) << "\n";
}

void print_hint(Context& context, const std::string& command) {
  if (!command.empty())
    context.note(_("hint") + ": " + command);
}

std::string build(const std::string& version, const std::string& variant) {
  return variant.empty() ? version : version + " (" + variant + ")";
}

void print_why_here(Context& context, const app::Why& why) {
  if (why.chain.size() == 1)
    context.out << "  " << _("you asked for it") << "\n";
  else if (!why.chain.empty())
    context.out << "  "
                << fmt::format(fmt::runtime(_("you asked for {}")), shown(why.chain.front()))
                << ": " << shown(text::join(why.chain, " -> ")) << "\n";
  else if (why.held)
    context.out << "  " << _("nothing needs it; only its hold keeps it") << "\n";
  else
    context.out << "  " << _("nothing needs it any more; las autoremove removes it") << "\n";
  for (const resolve::Dependent& user : why.needed_by)
    context.out << "  "
                << fmt::format(
                       fmt::runtime(user.optional ? _("suggested by {}") : _("needed by {}")),
                       shown(user.name))
                << "\n";
}

void print_why_version(Context& context, const app::Why& why) {
  if (why.held)
    context.out << "  " << _("held: neither changed nor removed") << "\n";
  if (!why.standing)
    return;
  const resolve::Standing& standing = *why.standing;
  if (standing.kept_back.empty() && !standing.upgradable()) {
    context.out << "  " << _("the newest release") << "\n";
    return;
  }
  if (standing.upgradable())
    context.out << "  "
                << fmt::format(fmt::runtime(_("{} is there: las upgrade {}")),
                               shown(build(standing.possible.text(), standing.possible_variant)),
                               shown(why.name))
                << "\n";
  if (!standing.newest.empty() && standing.possible < standing.newest)
    context.out << "  "
                << fmt::format(fmt::runtime(_("not the newest, {}:")),
                               shown(standing.newest.text()))
                << "\n";
  print_reasons(context, standing.kept_back);
}

int print_why(Context& context, const app::Why& why) {
  if (context.options.json) {
    context.print_json(why_json(why, context.options));
    return 0;
  }
  const std::string name = context.bold(why.name);
  if (why.installed) {
    context.out << fmt::format(fmt::runtime(_("{} {} is installed")),
                               name,
                               shown(build(why.version, why.variant)))
                << "\n";
    print_why_here(context, why);
    print_why_version(context, why);
    if (!why.better_variants.empty())
      context.out << "  " << _("not in another variant:") << "\n";
    print_reasons(context, why.better_variants);
    return 0;
  }
  if (why.cannot) {
    context.out << fmt::format(fmt::runtime(_("{} is not installed, and cannot be:")), name)
                << "\n";
    print_reasons(context, why.cannot->reasons);
    print_hint(context, why.cannot->suggestion);
    return 0;
  }
  context.out << fmt::format(fmt::runtime(_("{} is not installed; it would be {}:")),
                             name,
                             shown(build(why.version, why.variant)))
              << "\n    " << shown(why.would_be) << "\n";
  print_hint(context, "las install " + why.name);
  return 0;
}

// A version begins with a digit or is one of the module's; anything else is a variant.
resolve::Wish narrowed(const Context& context, resolve::Wish wish, const std::string& to) {
  const catalog::Manifest* manifest = context.session.catalog(context.activity).find(wish.name);
  const bool is_version = manifest != nullptr && manifest->find_release(Version(to)) != nullptr;
  const bool is_variant =
      manifest != nullptr &&
      std::any_of(manifest->releases.begin(), manifest->releases.end(), [&](const auto& release) {
        return std::any_of(release.variants.begin(), release.variants.end(), [&](const auto& v) {
          return v.name == to;
        });
      });
  if (is_variant || !is_version)
    wish.variant = to;
  else
    wish.range = resolve::parse_wish(wish.name + "=" + to).range;
  return wish;
}

int print_why_not(Context& context, const resolve::Wish& wish) {
  const resolve::WhyNot answer = app::why_not(context.session, wish, context.activity);
  if (context.options.json) {
    context.print_json({{"wish", resolve::to_argument(wish)},
                        {"possible", answer.possible},
                        {"reasons", reasons_json(answer.reasons)},
                        {"consequences", reasons_json(answer.consequences)},
                        {"suggestion", in_scope(answer.suggestion, context.options)}});
    return 0;
  }
  const std::string what = context.bold(resolve::to_argument(wish));
  context.out << fmt::format(fmt::runtime(answer.possible ? _("{} is possible, but:")
                                                          : _("{} cannot be had:")),
                             what)
              << "\n";
  print_reasons(context, answer.reasons);
  print_reasons(context, answer.consequences);
  print_hint(context, answer.suggestion);
  return 0;
}

int run_why(Context& context, const std::string& text, const std::string& other) {
  const resolve::Wish wish = resolve::parse_wish(text);
  if (!other.empty())
    return print_why_not(context, narrowed(context, wish, other));
  if (!wish.range.any())
    return print_why_not(context, wish);
  return print_why(context, app::why(context.session, wish.name, context.activity));
}

int run_outdated(Context& context) {
  std::vector<resolve::Standing> all = app::outdated(context.session, context.activity);
  all.erase(std::remove_if(all.begin(),
                           all.end(),
                           [](const resolve::Standing& one) {
                             return !one.upgradable() && one.kept_back.empty();
                           }),
            all.end());
  if (context.options.json) {
    context.print_json({{"modules", standings_json(all)}});
  } else if (all.empty()) {
    context.note(_("Everything is as new as it can be."));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const resolve::Standing& one : all) {
      std::vector<std::string> reasons;
      for (const auto& reason : one.kept_back)
        reasons.push_back(reason.subject + " " + reason.text);
      rows.push_back({one.name,
                      build(one.installed.text(), one.variant),
                      one.upgradable() ? build(one.possible.text(), one.possible_variant) : "-",
                      one.newest.empty() ? "-" : one.newest.text(),
                      reasons.empty() ? "" : reasons.front()});
    }
    context.out << render_table(
        {_("MODULE"), _("INSTALLED"), _("UPGRADE"), _("NEWEST"), _("KEPT BACK BECAUSE")}, rows);
  }
  return !all.empty() && context.options.detailed_exit ? 10 : 0;
}

}  // namespace

Run setup_depends(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto recursive = std::make_shared<bool>(false);
  app.add_option("name", *name, _("module"))->required()->type_name(kind::kModule);
  app.add_flag("-r,--recursive", *recursive, _("what those need, too"));
  return [name, recursive](Context& context) { return run_depends(context, *name, *recursive); };
}

Run setup_rdepends(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto installed = std::make_shared<bool>(false);
  app.add_option("name", *name, _("module"))->required()->type_name(kind::kModule);
  app.add_flag("-i,--installed", *installed, _("only what is installed"));
  return [name, installed](Context& context) { return run_rdepends(context, *name, *installed); };
}

Run setup_why(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto other = std::make_shared<std::string>();
  app.add_option("name", *name, _("module, or NAME=VERSION to ask why not that one"))
      ->required()
      ->type_name(kind::kModule);
  app.add_option("--not", *other, _("why it is not this version or variant"))->type_name("BUILD");
  return [name, other](Context& context) { return run_why(context, *name, *other); };
}

Run setup_outdated(CLI::App&) {
  return [](Context& context) { return run_outdated(context); };
}

}  // namespace las::cli
