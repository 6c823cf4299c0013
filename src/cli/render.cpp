// SPDX-License-Identifier: Apache-2.0
#include "render.hpp"

#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

std::string verb(plan::Action action) {
  switch (action) {
    case plan::Action::Install:
      return _("install");
    case plan::Action::Upgrade:
      return _("upgrade");
    case plan::Action::Downgrade:
      return _("downgrade");
    case plan::Action::Reinstall:
      return _("reinstall");
    case plan::Action::Remove:
      return _("remove");
    case plan::Action::Deploy:
      return _("serve");
    case plan::Action::Undeploy:
      return _("stop and remove service");
  }
  return {};
}

bool is_data(const app::PreparedPlan::PurgeLine& line) {
  return line.what == app::PreparedPlan::PurgeLine::What::Data;
}

using SourceLine = app::PreparedPlan::SourceLine;

// A plan may have thousands of actions.
std::map<std::string, std::vector<const SourceLine*>> by_subject(
    const std::vector<SourceLine>& lines) {
  std::map<std::string, std::vector<const SourceLine*>> out;
  for (const SourceLine& line : lines)
    out[line.subject].push_back(&line);
  return out;
}

std::string render_sources(const std::vector<const SourceLine*>& lines, const Context& context) {
  std::string out;
  for (const SourceLine* line : lines) {
    out += fmt::format("      {} {}: {}\n",
                       line == lines.front() ? _("from") : _("else"),
                       line->kind,
                       shown(line->from));
    if (!line->note.empty())
      out += "           " + context.dim(line->note) + "\n";
  }
  return out;
}

std::string sizes(const plan::PlannedAction& action) {
  return fmt::format(fmt::runtime(_("download {}, on disk {}")),
                     action.download_size ? action.download_size->to_string() : _("unknown"),
                     action.installed_size ? action.installed_size->to_string() : _("unknown"));
}

ordered_json size_json(const std::optional<ByteSize>& size) {
  return size ? ordered_json(size->bytes()) : ordered_json(nullptr);
}

}  // namespace

std::string render_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> lines = {header};
  lines.insert(lines.end(), rows.begin(), rows.end());
  std::vector<std::size_t> widths(header.size(), 0);
  for (auto& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = text::printable(cells[i]);
      widths[i] = std::max(widths[i], text::columns(cells[i]));
    }
  }
  std::string out;
  for (const auto& cells : lines) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      line += cells[i];
      if (i + 1 < cells.size())
        line += std::string(widths[i] - text::columns(cells[i]) + 2, ' ');
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string render_plan(const app::PreparedPlan& prepared, const Context& context) {
  const auto sources = by_subject(prepared.sources);
  std::string out = context.bold(_("The plan:")) + "\n";
  for (const plan::PlannedAction& action : prepared.plan.actions) {
    out += fmt::format("  {} {}", verb(action.action), context.bold(action.subject));
    if (!action.old_version.empty() && action.old_version != action.version &&
        !action.version.empty())
      out += " " + shown(action.old_version) + " ->";
    if (!action.version.empty())
      out += " " + shown(action.version);
    if (!action.variant.empty())
      out += fmt::format(" ({}, {})", shown(action.variant), action.mode);
    out += "\n";
    if (!action.why.empty())
      out += "      " + shown(action.why) + "\n";
    if (action.action != plan::Action::Remove && action.action != plan::Action::Deploy &&
        action.action != plan::Action::Undeploy)
      out += "      " + sizes(action) + "\n";
    if (const auto lines = sources.find(action.subject); lines != sources.end() && !action.service)
      out += render_sources(lines->second, context);
    for (const auto& [name, value] : action.system.sysctl)
      out += fmt::format(fmt::runtime(_("      kernel parameter {}: at least {}")), name, value) +
             "\n";
    for (const auto& [kind, names] : {std::pair(_("system group"), action.system.groups),
                                      std::pair(_("system account"), action.system.users)}) {
      for (const std::string& name : names)
        out += fmt::format("      {}: {}\n", kind, name);
    }
    if (!action.suggests.empty())
      out += "      " + _("suggests") + ": " + shown(text::join(action.suggests, ", ")) + "\n";
    if (action.unpinned)
      out += "      " +
             _("unpinned: the publisher's checksum is fetched and fixed at this install") + "\n";
    if (action.service)
      out += fmt::format("      {}:{}\n", action.service->host, action.service->port);
  }
  for (const auto& line : prepared.purge)
    out += fmt::format(
               fmt::runtime(is_data(line) ? _("  delete for good: {} ({}), the data of {}")
                                          : _("  delete for good: {} ({}), your settings for {}")),
               context.bold(line.folder.string()),
               line.size.to_string(),
               shown(line.service)) +
           "\n";
  for (const std::string& line : prepared.irreversible)
    out += "  " + context.paint(_("not to be undone"), 33) + ": " + shown(line) + "\n";
  for (const auto& line : prepared.overrides)
    out += "  " + context.paint(_("override"), 33) + ": " +
           fmt::format(fmt::runtime(_("{} rests on {} ({}); without it: {}")),
                       line.subject,
                       line.override_id,
                       line.reason,
                       line.denial) +
           "\n";
  for (const std::string& text : prepared.notes)
    out += "  " + _("note") + ": " + shown(text) + "\n";
  return out;
}

ordered_json plan_json(const app::PreparedPlan& prepared) {
  const auto sources = by_subject(prepared.sources);
  ordered_json actions = ordered_json::array();
  for (const plan::PlannedAction& action : prepared.plan.actions) {
    ordered_json item = {{"action", std::string(plan::to_string(action.action))},
                         {"subject", action.subject},
                         {"version", action.version},
                         {"old_version", action.old_version},
                         {"variant", action.variant},
                         {"mode", action.mode},
                         {"reason", std::string(state::to_string(action.reason))},
                         {"why", action.why},
                         {"unpinned", action.unpinned},
                         {"suggests", strings_json(action.suggests)},
                         {"download_size", size_json(action.download_size)},
                         {"installed_size", size_json(action.installed_size)}};
    item["sources"] = ordered_json::array();
    if (const auto lines = sources.find(action.subject); lines != sources.end()) {
      for (const SourceLine* line : lines->second)
        item["sources"].push_back(
            {{"kind", line->kind}, {"from", line->from}, {"note", line->note}});
    }
    item["system"] = {{"sysctl", action.system.sysctl},
                      {"groups", action.system.groups},
                      {"users", action.system.users}};
    item["service"] = action.service ? ordered_json{{"id", action.service->id},
                                                    {"model", action.service->model},
                                                    {"module", action.service->module},
                                                    {"host", action.service->host},
                                                    {"port", action.service->port}}
                                     : ordered_json(nullptr);
    actions.push_back(std::move(item));
  }
  ordered_json overrides = ordered_json::array();
  for (const auto& line : prepared.overrides)
    overrides.push_back({{"subject", line.subject},
                         {"capability", line.capability},
                         {"id", line.override_id},
                         {"reason", line.reason},
                         {"denial", line.denial}});
  ordered_json purge = ordered_json::array();
  for (const auto& line : prepared.purge)
    purge.push_back({{"module", line.module},
                     {"service", line.service},
                     {"what", is_data(line) ? "data" : "settings"},
                     {"folder", line.folder.string()},
                     {"size", line.size.bytes()}});
  return {{"actions", std::move(actions)},
          {"kept_back", standings_json(prepared.kept_back)},
          {"purge", std::move(purge)},
          {"irreversible", strings_json(prepared.irreversible)},
          {"overrides", std::move(overrides)},
          {"notes", strings_json(prepared.notes)}};
}

ordered_json reasons_json(const std::vector<resolve::Explanation::Reason>& reasons) {
  ordered_json all = ordered_json::array();
  for (const auto& reason : reasons)
    all.push_back({{"subject", reason.subject}, {"text", reason.text}});
  return all;
}

ordered_json standings_json(const std::vector<resolve::Standing>& standings) {
  ordered_json all = ordered_json::array();
  for (const resolve::Standing& one : standings)
    all.push_back(
        {{"name", one.name},
         {"installed", one.installed.text()},
         {"variant", one.variant},
         {"possible", one.possible.text()},
         {"possible_variant", one.possible_variant},
         {"newest", one.newest.empty() ? ordered_json(nullptr) : ordered_json(one.newest.text())},
         {"held", one.held},
         {"reasons", reasons_json(one.kept_back)}});
  return all;
}

int refuse(Context& context, const resolve::Explanation& explanation) {
  const Error error = resolve::to_error(explanation);
  const int status = exit_status(error, context.activity.cancellation);
  ordered_json document = error_document(error, context.options, status);
  if (context.options.json) {
    document["error"]["explanation"] = {
        {"kind", std::string(resolve::to_string(explanation.kind))},
        {"wanted", explanation.wanted},
        {"reasons", reasons_json(explanation.reasons)},
        {"suggestion", in_scope(explanation.suggestion, context.options)},
        {"denied", strings_json(explanation.denied)}};
    context.print_json(std::move(document));
    return status;
  }
  if (explanation.reasons.size() < 2)
    throw error;
  context.activity.debug("cli", error.what());
  std::ostream& err = context.streams.err;
  err << "las: " << shown(error.message()) << ": " << shown(explanation.wanted) << "\n";
  for (const auto& reason : explanation.reasons)
    err << "  " << shown(reason.subject) << " " << shown(reason.text) << "\n";
  err << _("hint") << ": " << shown(document["error"]["hint"].get<std::string>()) << "\n"
      << std::flush;
  return status;
}

ordered_json strings_json(const std::vector<std::string>& items) {
  ordered_json array = ordered_json::array();
  for (const std::string& item : items)
    array.push_back(item);
  return array;
}

int show_lint(Context& context, const app::LintResult& result) {
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const Diagnostic& item : result.diagnostics.items())
      all.push_back({{"severity", std::string(to_string(item.severity))},
                     {"file", item.file},
                     {"line", item.line},
                     {"column", item.column},
                     {"key", item.key_path},
                     {"message", item.message},
                     {"suggestion", item.suggestion}});
    context.print_json({{"checked", result.checked}, {"diagnostics", std::move(all)}});
  } else {
    for (const Diagnostic& item : result.diagnostics.items())
      context.out << shown(item.to_string()) << "\n";
    context.note(fmt::format(
        fmt::runtime(LAS_N(
            "{} document checked, {} faults.", "{} documents checked, {} faults.", result.checked)),
        result.checked,
        result.diagnostics.items().size()));
  }
  return result.diagnostics.has_errors() ? 1 : 0;
}

namespace {

// Told before all else: it is what did not happen.
std::string render_kept_back(const app::PreparedPlan& prepared, const Context& context) {
  std::string out;
  for (const resolve::Standing& one : prepared.kept_back) {
    const std::string what =
        one.newest.empty()
            ? fmt::format(fmt::runtime(_("stays at {}")), one.possible.text())
            : fmt::format(
                  fmt::runtime(_("stays at {}, not {}")), one.possible.text(), one.newest.text());
    out += context.paint(_("kept back"), 33) + ": " + context.bold(one.name) + " " + shown(what) +
           "\n";
    for (const auto& reason : one.kept_back)
      out += "      " + shown(reason.subject) + " " + shown(reason.text) + "\n";
  }
  return out;
}

}  // namespace

int show_and_execute(Context& context, const app::PreparedPlan& prepared, const std::string& done) {
  const bool json = context.options.json;
  if (!json && !context.options.quiet)
    context.out << render_kept_back(prepared, context);
  if (prepared.plan.empty()) {
    // Recording a wish changes no module, so there is nothing to ask about.
    if (prepared.only_world_changes && context.options.dry_run) {
      if (json)
        context.print_json({{"success", true},
                            {"changed", false},
                            {"message", _("Would record it as wished for; nothing is installed.")},
                            {"plan", plan_json(prepared)}});
      else
        context.note(_("Would record it as wished for; nothing is installed."));
      return context.options.detailed_exit ? 10 : 0;
    }
    if (!json) {
      for (const std::string& note : prepared.notes)
        context.note(note);
    }
    const bool record = prepared.only_world_changes;
    if (record)
      app::execute(context.session, prepared, context.activity);
    if (json)
      context.print_json({{"success", true}, {"changed", record}, {"plan", plan_json(prepared)}});
    else
      context.note(record ? _("It was there already; it is recorded as wished for now.")
                          : _("Nothing to do."));
    return 0;
  }
  if (context.options.dry_run) {
    if (json)
      context.print_json({{"success", true}, {"changed", false}, {"plan", plan_json(prepared)}});
    else
      context.out << render_plan(prepared, context);
    return context.options.detailed_exit ? 10 : 0;
  }
  if (!json && !context.options.quiet)
    context.out << render_plan(prepared, context) << std::flush;
  if (!context.confirm(_("Go on?"))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  const transaction::Result result = app::execute(context.session, prepared, context.activity);
  if (json)
    context.print_json({{"success", true},
                        {"changed", true},
                        {"operation", result.operation_id},
                        {"generation", result.generation_after},
                        {"plan", plan_json(prepared)}});
  else if (!done.empty())
    context.note(done);
  return 0;
}

}  // namespace las::cli
