// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"
#include "command.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <map>

namespace las::cli {

namespace {

void add_global_options(CLI::App& app, GlobalOptions& options) {
  app.add_option("--root", options.root, _("work below this folder instead of /"))
      ->type_name(kind::kDirectory);
  app.add_flag("--user", options.user, _("work for this user only, without root"));
  app.add_flag("--json", options.json, _("print data as JSON"));
  app.add_flag("-y,--yes", options.yes, _("do not ask"));
  app.add_flag("-n,--dry-run", options.dry_run, _("show what would be done and stop"));
  app.add_flag("--detailed-exitcode",
               options.detailed_exit,
               _("with --dry-run: exit with 10 when something would change"));
  app.add_flag("-q,--quiet", options.quiet, _("errors and results only"));
  app.add_flag("-v,--verbose", options.verbose, _("show what happens inside; twice for more"));
  app.add_flag("--no-color", options.no_color, _("no colours (so does NO_COLOR)"));
  app.add_option(
         "--progress", options.progress, _("how to show progress: auto, bar, plain, json, none"))
      ->check(CLI::IsMember({"auto", "bar", "plain", "json", "none"}))
      ->type_name("WHEN");
  app.add_option("--log-format", options.log_format, _("log lines as text or json"))
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  app.add_option("--hardware", options.hardware, _("plan for the machine in this profile"))
      ->type_name(kind::kFile);
  app.add_option("--sysroot", options.sysroot, _("read hardware facts from a captured tree"))
      ->type_name(kind::kDirectory);
  app.add_option("--wait", options.config_wait, _("seconds to wait for another running las"))
      ->type_name("SECONDS");
}

// What is free text may be empty; so may the words that completion asks about.
bool may_be_empty(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type == kind::kText || type == kind::kValue;
}

void refuse_empty_arguments(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_expected_max() > 0 && !may_be_empty(*option))
      option->check(not_empty());
  }
}

template <typename Wanted>
Parser make_parser(GlobalOptions& options, Wanted&& wanted) {
  Parser parser;
  parser.app = std::make_unique<CLI::App>(_("apt for a local AI workstation"), "las");
  CLI::App& app = *parser.app;
  app.set_help_flag("-h,--help", _("show this help"));
  app.add_flag("--version", options.version, _("show the version and exit"));
  add_global_options(app, options);
  app.require_subcommand(0, 1);

  std::map<std::string, CLI::App*> parents;
  for (const CommandSpec& spec : command_table()) {
    const std::vector<std::string> words = text::split(spec.name, ' ');
    if (!wanted(words.front()))
      continue;
    CLI::App* parent = words.size() == 1 ? &app : parents.at(words.front());
    CLI::App* command = parent->add_subcommand(words.back(), _(spec.summary));
    command->fallthrough();
    parents[spec.name] = command;
    if (spec.setup == nullptr) {
      command->require_subcommand(1);
      parser.commands[command] = {&spec, {}};
      continue;
    }
    parser.commands[command] = {&spec, spec.setup(*command)};
    if (!spec.hidden)
      refuse_empty_arguments(*command);
  }
  refuse_empty_arguments(app);
  return parser;
}

}  // namespace

Parser make_parser(GlobalOptions& options) {
  return make_parser(options, [](const std::string&) { return true; });
}

Parser make_parser_for(const std::vector<std::string>& line, GlobalOptions& options) {
  return make_parser(options, [&](const std::string& word) {
    return std::find(line.begin(), line.end(), word) != line.end();
  });
}

}  // namespace las::cli
