// SPDX-License-Identifier: Apache-2.0
// history, log, diff, rollback, undo.
#include "las/app/history.hpp"

#include "command.hpp"
#include "render.hpp"

#include "las/app/install.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/plan/difference.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

ordered_json operation_json(const state::OperationRecord& operation) {
  return {{"id", operation.id},
          {"command", operation.command},
          {"user", operation.user},
          {"started_at", operation.started_at},
          {"ended_at", operation.ended_at},
          {"outcome", operation.outcome},
          {"error", operation.error},
          {"generation_before", operation.generation_before},
          {"generation_after", operation.generation_after},
          {"changes", strings_json(operation.changes)}};
}

std::string operation_lines(const Context& context, const state::OperationRecord& operation) {
  const std::string generations =
      operation.generation_before == operation.generation_after
          ? fmt::format(fmt::runtime(_("generation {}")), operation.generation_after)
          : fmt::format(fmt::runtime(_("generation {} -> {}")),
                        operation.generation_before,
                        operation.generation_after);
  std::string lines = fmt::format("{}  {}  {}  {}  {}\n",
                                  context.bold(operation.id),
                                  operation.outcome,
                                  generations,
                                  shown(operation.user),
                                  shown(operation.command));
  for (const std::string& change : operation.changes)
    lines += "    " + shown(change) + "\n";
  if (!operation.error.empty())
    lines += "    " + shown(operation.error) + "\n";
  return lines;
}

int run_history(Context& context) {
  ordered_json all;
  std::string lines;  // whoever reads them may be slow: the state is not held open so long
  std::uint64_t current = 0;
  context.session.store().read([&](const state::ReadTransaction& transaction) {
    current = transaction.current_generation();
    all = ordered_json::array();
    lines.clear();
    transaction.each_operation([&](const state::OperationRecord& operation) {
      if (context.options.json)
        all.push_back(operation_json(operation));
      else
        lines += operation_lines(context, operation);
    });
  });
  if (context.options.json) {
    context.print_json({{"current_generation", current}, {"operations", std::move(all)}});
    return 0;
  }
  if (lines.empty()) {
    context.note(_("Nothing was done yet."));
    return 0;
  }
  context.out << lines << fmt::format(fmt::runtime(_("Current generation: {}")), current) << "\n";
  return 0;
}

// Strict: an empty or negative argument of a script must never come to mean generation 0.
std::uint64_t parse_generation(const std::string& text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    throw Error(ErrorKind::Usage, _("not the number of a generation"), "'" + text + "'")
        .hint(_("see the generations with: las history"));
  return number;
}

int run_rollback(Context& context, std::optional<std::uint64_t> wanted) {
  state::Generation present, target;
  context.session.store().read([&](const state::ReadTransaction& transaction) {
    present = transaction.current();
    const std::uint64_t number = wanted.value_or(present.parent);
    if (const auto found = transaction.generation(number))
      target = *found;
    else
      throw Error(ErrorKind::NotFound, _("no such generation"), std::to_string(number))
          .hint(_("see the generations with: las history"));
  });
  if (present.number == 0 && !wanted)
    throw Error(ErrorKind::NotFound, _("there is no earlier generation to go back to"))
        .hint(_("see what happened with: las history"));
  if (target.number == present.number && !wanted) {
    context.unchanged(_("Nothing to do."));
    return 0;
  }
  std::string text = fmt::format(fmt::runtime(_("Switch from generation {} to generation {}:")),
                                 present.number,
                                 target.number) +
                     "\n";
  for (const std::string& line : plan::describe(plan::difference(present, target)))
    text += "  " + shown(line) + "\n";
  const auto moves =
      transaction::data_moves(context.session.surroundings(context.activity), present, target);
  for (const state::DataMove& move : moves)
    text += "  " + app::describe(move) + "\n";
  if (!context.options.json && !context.options.quiet)
    context.out << text << std::flush;
  if (context.options.dry_run) {
    if (context.options.json)
      context.print_json(
          {{"success", true}, {"changed", false}, {"from", present.number}, {"to", target.number}});
    return context.options.detailed_exit ? 10 : 0;
  }
  if (!context.confirm(_("Go on?"))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  const auto result =
      app::rollback(context.session, present.number, target.number, context.activity);
  if (context.options.json)
    context.print_json({{"success", true},
                        {"operation", result.operation_id},
                        {"generation", result.generation_after}});
  else
    context.note(
        fmt::format(fmt::runtime(_("Generation {} is current.")), result.generation_after));
  return 0;
}

void print_lines(Context& context, const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    context.out << "  " << shown(line) << "\n";
}

// ---- log

int run_log(Context& context, const std::string& id) {
  const state::OperationRecord operation = app::operation_named(context.session, id);
  if (context.options.json) {
    ordered_json steps = ordered_json::array();
    for (const state::OperationStep& step : operation.steps)
      steps.push_back({{"name", step.name}, {"ms", step.ms}});
    ordered_json all = operation_json(operation);
    all["sudo_user"] = operation.sudo_user;
    all["fetched_bytes"] = operation.fetched.bytes();
    all["stored_bytes"] = operation.stored.bytes();
    all["steps"] = std::move(steps);
    context.print_json(std::move(all));
    return 0;
  }
  const auto line = [&](const std::string& name, const std::string& value) {
    if (!value.empty())
      context.out << fmt::format("{:<12} ", name) << shown(value) << "\n";
  };
  line(_("operation"), operation.id);
  line(_("command"), operation.command);
  line(_("by"),
       operation.sudo_user.empty() || operation.sudo_user == operation.user
           ? operation.user
           : fmt::format(fmt::runtime(_("{} (sudo by {})")), operation.user, operation.sudo_user));
  line(_("begun"), operation.started_at);
  line(_("ended"), operation.ended_at);
  line(_("outcome"), operation.outcome);
  line(_("error"), operation.error);
  line(_("generation"),
       fmt::format("{} -> {}", operation.generation_before, operation.generation_after));
  line(_("fetched"), operation.fetched.to_string());
  line(_("stored"), operation.stored.to_string());
  for (const state::OperationStep& step : operation.steps)
    line(step.name, fmt::format("{} ms", step.ms));
  for (const std::string& change : operation.changes)
    context.out << "  " << shown(change) << "\n";
  return 0;
}

// ---- diff

int run_diff(Context& context, const std::string& from, const std::string& to) {
  const state::Generation a = app::generation_numbered(context.session, parse_generation(from));
  const state::Generation b = app::generation_numbered(context.session, parse_generation(to));
  const plan::Difference difference = plan::difference(a, b);
  if (context.options.json) {
    context.print_json({{"from", a.number},
                        {"to", b.number},
                        {"equal", difference.empty()},
                        {"changes", strings_json(plan::describe(difference))}});
  } else if (difference.empty()) {
    context.note(_("They hold the same."));
  } else {
    context.out << fmt::format(fmt::runtime(_("From generation {} to generation {}:")), from, to)
                << "\n";
    print_lines(context, plan::describe(difference));
  }
  return context.options.detailed_exit && !difference.empty() ? 10 : 0;
}

// ---- undo

int run_undo(Context& context, const std::string& id) {
  const app::PreparedUndo prepared = app::prepare_undo(context.session, id, context.activity);
  const std::vector<std::string> lines = plan::describe(prepared.undo.change);
  if (prepared.undo.change.empty()) {
    context.unchanged(_("Nothing to do: it is taken back already."));
    return 0;
  }
  if (!context.options.json && !context.options.quiet) {
    context.out << fmt::format(fmt::runtime(_("Undo {} ({}):")),
                               prepared.operation.id,
                               shown(prepared.operation.command))
                << "\n";
    print_lines(context, lines);
    print_lines(context, prepared.irreversible);
    context.out << std::flush;
  }
  if (context.options.dry_run) {
    if (context.options.json)
      context.print_json({{"success", true},
                          {"changed", false},
                          {"changes", strings_json(lines)},
                          {"irreversible", strings_json(prepared.irreversible)}});
    return context.options.detailed_exit ? 10 : 0;
  }
  if (!context.confirm(_("Go on?"))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  const auto result = app::execute(context.session, prepared, context.activity);
  if (context.options.json)
    context.print_json({{"success", true},
                        {"changed", true},
                        {"operation", result.operation_id},
                        {"generation", result.generation_after},
                        {"changes", strings_json(lines)}});
  else
    context.note(
        fmt::format(fmt::runtime(_("Generation {} is current.")), result.generation_after));
  return 0;
}

}  // namespace

Run setup_history(CLI::App&) {
  return [](Context& context) { return run_history(context); };
}

Run setup_rollback(CLI::App& app) {
  auto number = std::make_shared<std::string>();
  const CLI::Option* option =
      app.add_option("generation", *number, _("number of a generation; none: the one before"))
          ->type_name(kind::kGeneration);
  return [number, option](Context& context) {
    std::optional<std::uint64_t> wanted;
    if (option->count() > 0)
      wanted = parse_generation(*number);
    return run_rollback(context, wanted);
  };
}

Run setup_log(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  app.add_option("operation", *id, _("its id from las history, or how it begins"))
      ->required()
      ->type_name(kind::kOperation);
  return [id](Context& context) { return run_log(context, *id); };
}

Run setup_diff(CLI::App& app) {
  auto numbers = std::make_shared<std::pair<std::string, std::string>>();
  app.add_option("from", numbers->first, _("number of a generation"))
      ->required()
      ->type_name(kind::kGeneration);
  app.add_option("to", numbers->second, _("number of another"))
      ->required()
      ->type_name(kind::kGeneration);
  return [numbers](Context& context) { return run_diff(context, numbers->first, numbers->second); };
}

Run setup_undo(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  app.add_option("operation", *id, _("its id from las history, or how it begins"))
      ->required()
      ->type_name(kind::kOperation);
  return [id](Context& context) { return run_undo(context, *id); };
}

}  // namespace las::cli
