// SPDX-License-Identifier: Apache-2.0
// verify, repair, doctor.
#include "command.hpp"
#include "render.hpp"

#include "las/app/doctor.hpp"
#include "las/app/verify.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

ordered_json findings_json(const std::vector<app::Finding>& findings,
                           const GlobalOptions& options) {
  ordered_json all = ordered_json::array();
  for (const app::Finding& finding : findings)
    all.push_back({{"id", finding.id},
                   {"subject", finding.subject},
                   {"evidence", finding.evidence},
                   {"mend", in_scope(finding.mend, options)}});
  return all;
}

void print_findings(Context& context, const std::vector<app::Finding>& findings) {
  for (const app::Finding& finding : findings)
    context.out << shown(finding.id + (finding.subject.empty() ? "" : " " + finding.subject) +
                         ": " + finding.evidence)
                << "\n    " << _("mend it with") << ": "
                << shown(in_scope(finding.mend, context.options)) << "\n";
}

std::string count(std::size_t findings) {
  return fmt::format(fmt::runtime(LAS_N("{} finding.", "{} findings.", findings)), findings);
}

int run_verify(Context& context, const std::vector<std::string>& names, bool deep) {
  const auto findings = app::verify(
      context.session, names, deep ? app::Depth::Deeply : app::Depth::Full, context.activity);
  if (context.options.json) {
    context.print_json(
        {{"clean", findings.empty()}, {"findings", findings_json(findings, context.options)}});
    return findings.empty() ? 0 : 1;
  }
  print_findings(context, findings);
  context.note(findings.empty() ? std::string(_("Everything is as recorded."))
                                : count(findings.size()));
  return findings.empty() ? 0 : 1;
}

int run_repair(Context& context) {
  std::vector<app::Finding> findings =
      app::verify(context.session, {}, app::Depth::Deeply, context.activity);
  if (findings.empty()) {
    context.unchanged(_("Everything is as recorded."));
    return 0;
  }
  const bool mendable = std::any_of(findings.begin(), findings.end(), [](const auto& finding) {
    return finding.by != app::Mend::ByHand;
  });
  if (!context.options.json && !context.options.quiet) {
    print_findings(context, findings);
    context.out << std::flush;
  }
  if (context.options.dry_run || !mendable) {
    if (context.options.json)
      context.print_json({{"success", context.options.dry_run},
                          {"changed", false},
                          {"findings", findings_json(findings, context.options)}});
    else if (!mendable)
      context.note(_("Nothing of this can be mended by las itself."));
    if (!context.options.dry_run)
      return 1;
    return context.options.detailed_exit ? 10 : 0;
  }
  if (!context.confirm(_("Mend what can be mended?"))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  const app::RepairResult result = app::repair(context.session, findings, context.activity);
  if (context.options.json) {
    context.print_json({{"success", result.left.empty()},
                        {"changed", !result.mended.empty()},
                        {"mended", findings_json(result.mended, context.options)},
                        {"left", findings_json(result.left, context.options)},
                        {"notes", strings_json(result.notes)}});
    return result.left.empty() ? 0 : 1;
  }
  for (const std::string& note : result.notes)
    context.note(note);
  if (result.left.empty()) {
    context.note(_("Everything is as recorded again."));
    return 0;
  }
  context.out << _("What is left:") << "\n";
  print_findings(context, result.left);
  return 1;
}

int run_doctor(Context& context, const std::string& bundle) {
  if (!bundle.empty()) {
    const std::size_t files = app::write_bundle(context.session, bundle, context.activity);
    if (context.options.json)
      context.print_json({{"success", true}, {"bundle", bundle}, {"files", files}});
    else
      context.note(fmt::format(
          fmt::runtime(
              _("{} files in {}. Names, addresses and credentials are replaced; look at it "
                "before you send it: tar -xOf {} | less")),
          files,
          bundle,
          bundle));
    return 0;
  }
  const std::vector<app::Check> checks = app::doctor(context.session, context.activity);
  const bool bad = std::any_of(checks.begin(), checks.end(), [](const app::Check& check) {
    return check.outcome == app::Check::Outcome::Bad;
  });
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const app::Check& check : checks)
      all.push_back({{"id", check.id},
                     {"outcome", std::string(app::to_string(check.outcome))},
                     {"subject", check.subject},
                     {"evidence", check.evidence},
                     {"mend", in_scope(check.mend, context.options)}});
    context.print_json({{"well", !bad}, {"checks", std::move(all)}});
    return bad ? 1 : 0;
  }
  for (const app::Check& check : checks) {
    context.out << fmt::format("{:<8} {:<10} ", app::to_string(check.outcome), check.id)
                << shown(check.subject.empty() ? check.evidence
                                               : check.subject + ": " + check.evidence)
                << "\n";
    if (!check.mend.empty())
      context.out << "    " << shown(in_scope(check.mend, context.options)) << "\n";
  }
  context.note(bad ? std::string(_("Something is wrong."))
                   : std::string(_("Nothing is wrong as far as can be seen.")));
  return bad ? 1 : 0;
}

}  // namespace

Run setup_verify(CLI::App& app) {
  struct Options {
    std::vector<std::string> names;
    bool deep = false;
  };

  auto options = std::make_shared<Options>();
  app.add_option("names", options->names, _("installed modules; none: everything"))
      ->type_name(kind::kInstalled);
  app.add_flag("--deep", options->deep, _("hash the models too"));
  return [options](Context& context) { return run_verify(context, options->names, options->deep); };
}

Run setup_repair(CLI::App&) {
  return [](Context& context) { return run_repair(context); };
}

Run setup_doctor(CLI::App& app) {
  auto bundle = std::make_shared<std::string>();
  app.add_option("--bundle", *bundle, _("write what a bug report needs into a tar archive instead"))
      ->type_name(kind::kFile);
  return [bundle](Context& context) { return run_doctor(context, *bundle); };
}

}  // namespace las::cli
