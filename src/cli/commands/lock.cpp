// SPDX-License-Identifier: Apache-2.0
// lock, apply.
#include "las/app/lock.hpp"

#include "command.hpp"
#include "render.hpp"

#include "las/app/apply.hpp"
#include "las/app/document.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

ordered_json difference_json(const lockfile::Difference& difference) {
  return {{"kind", std::string(lockfile::to_string(difference.kind))},
          {"subject", difference.subject},
          {"what", difference.what},
          {"wanted", difference.wanted},
          {"present", difference.present},
          {"drift", difference.is_drift}};
}

ordered_json differences_json(const std::vector<lockfile::Difference>& differences) {
  ordered_json all = ordered_json::array();
  for (const lockfile::Difference& difference : differences)
    all.push_back(difference_json(difference));
  return all;
}

std::string render_differences(const std::vector<lockfile::Difference>& differences) {
  std::string out;
  for (const lockfile::Difference& difference : differences) {
    const std::string sentence = shown(lockfile::describe(difference));
    out += (difference.is_drift ? sentence : fmt::format("{}: {}", _("note"), sentence)) + "\n";
  }
  return out;
}

// What the transaction's plan does not show.
std::string render_steps(const app::PreparedApply& prepared) {
  std::string out;
  for (const app::ModelImport& model : prepared.imports)
    out += fmt::format(fmt::runtime(_("  take in model {} from {} ({})")),
                       shown(model.name),
                       shown(model.path.string()),
                       model.size.to_string()) +
           "\n";
  for (const std::string& name : prepared.stop)
    out += fmt::format(fmt::runtime(_("  stop {}")), shown(name)) + "\n";
  for (const std::string& name : prepared.start)
    out += fmt::format(fmt::runtime(_("  start {}")), shown(name)) + "\n";
  for (const std::string& name : prepared.forget)
    out +=
        fmt::format(fmt::runtime(_("  forget model {} and its file in the library")), shown(name)) +
        "\n";
  for (const lockfile::Difference& difference : prepared.comparison.differences) {
    if (prepared.plan.only_world_changes && difference.kind != lockfile::Difference::Kind::Model &&
        difference.kind != lockfile::Difference::Kind::Service && difference.is_drift)
      out += "  " + _("record") + ": " + shown(lockfile::describe(difference)) + "\n";
  }
  return out;
}

std::string render_apply(const app::PreparedApply& prepared, const Context& context) {
  const std::string steps = render_steps(prepared);
  return prepared.plan.plan.empty() ? context.bold(_("The plan:")) + "\n" + steps
                                    : render_plan(prepared.plan, context) + steps;
}

ordered_json apply_json(const app::PreparedApply& prepared) {
  ordered_json imports = ordered_json::array();
  for (const app::ModelImport& model : prepared.imports)
    imports.push_back({{"name", model.name},
                       {"path", model.path.string()},
                       {"digest", model.digest.to_string()},
                       {"size", model.size.bytes()}});
  return {{"differences", differences_json(prepared.comparison.differences)},
          {"models", std::move(imports)},
          {"plan", plan_json(prepared.plan)},
          {"start", strings_json(prepared.start)},
          {"stop", strings_json(prepared.stop)},
          {"forget", strings_json(prepared.forget)}};
}

ordered_json with(ordered_json first, const ordered_json& second) {
  first.update(second);
  return first;
}

int run_check(Context& context, const app::ApplyRequest& request) {
  const app::Comparison found = app::compare(context.session, request, context.activity);
  const bool drift = lockfile::has_drift(found.differences);
  if (context.options.json)
    context.print_json({{"drift", drift}, {"differences", differences_json(found.differences)}});
  else
    context.out << render_differences(found.differences);
  if (!context.options.json && !drift)
    context.note(_("This machine is as the file says."));
  return drift ? 10 : 0;
}

// What was asked for is done, and yet something is not as the file says.
Error not_reached(const app::Applied& applied) {
  std::vector<std::string> sentences;
  for (const lockfile::Difference& difference : applied.remaining) {
    if (difference.is_drift)
      sentences.push_back(lockfile::describe(difference));
  }
  return Error(ErrorKind::Io,
               _("all was done, and something is still not as the file says"),
               text::join(sentences, "; "))
      .hint(_("see the services with: las status; and compare again with: las apply --check FILE"));
}

int run_apply(Context& context, const app::ApplyRequest& request) {
  context.take_turn();
  const app::PreparedApply prepared =
      app::prepare_apply(context.session, request, context.activity);
  const bool json = context.options.json;
  if (prepared.empty()) {
    if (json)
      context.print_json(with({{"success", true}, {"changed", false}}, apply_json(prepared)));
    else
      context.note(_("Nothing to do."));
    return 0;
  }
  if (context.options.dry_run) {
    if (json)
      context.print_json(with({{"success", true}, {"changed", false}}, apply_json(prepared)));
    else
      context.out << render_apply(prepared, context);
    return context.options.detailed_exit ? 10 : 0;
  }
  if (!json && !context.options.quiet)
    context.out << render_apply(prepared, context) << std::flush;
  if (!context.confirm(_("Go on?"))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  const app::Applied applied = app::apply(context.session, request, prepared, context.activity);
  if (lockfile::has_drift(applied.remaining))
    throw not_reached(applied);
  if (json) {
    ordered_json head = {{"success", true}, {"changed", true}};
    if (applied.transaction) {
      head["operation"] = applied.transaction->operation_id;
      head["generation"] = applied.transaction->generation_after;
    }
    context.print_json(with(std::move(head), apply_json(prepared)));
  } else {
    context.note(_("Done: this machine is as the file says."));
  }
  return 0;
}

int run_lock(Context& context, const std::string& file) {
  const lockfile::Document lock =
      app::make_lock(context.session, app::ServiceState::AsWished, context.activity);
  const std::string text = lockfile::render(lock);
  if (file.empty()) {
    if (context.options.json)
      context.print_json({{"lock", ordered_json::parse(lockfile::to_json(lock))}});
    else
      context.out << text;
    return 0;
  }
  if (context.options.dry_run) {
    context.unchanged(fmt::format(fmt::runtime(_("Would write {}.")), file));
    return 0;
  }
  app::write_document(context.session, file, text);
  if (context.options.json)
    context.print_json({{"success", true}, {"file", file}});
  else
    context.note(fmt::format(fmt::runtime(_("Written: {}")), file));
  return 0;
}

}  // namespace

Run setup_lock(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.add_option("-o,--output", *file, _("write to this file; default: standard output"))
      ->type_name(kind::kFile);
  return [file](Context& context) { return run_lock(context, *file); };
}

Run setup_apply(CLI::App& app) {
  struct Options {
    std::string file;
    std::vector<std::string> models;
    bool check = false, prune = false;
  };

  auto options = std::make_shared<Options>();
  app.add_option("file", options->file, _("a lock, or a las.yaml"))
      ->required()
      ->type_name(kind::kFile);
  app.add_flag(
      "--check", options->check, _("only say what differs; exit with 10 when anything does"));
  app.add_flag("--prune",
               options->prune,
               _("what the file does not name leaves: also models, and modules and services of a "
                 "las.yaml"));
  app.add_option("--models", options->models, _("a folder where files of models lie; repeatable"))
      ->allow_extra_args(false)
      ->type_name(kind::kDirectory);
  return [options](Context& context) {
    app::ApplyRequest request;
    request.file = options->file;
    request.prune = options->prune ? lockfile::Prune::Yes : lockfile::Prune::No;
    request.model_folders.assign(options->models.begin(), options->models.end());
    return options->check ? run_check(context, request) : run_apply(context, request);
  };
}

}  // namespace las::cli
