// SPDX-License-Identifier: Apache-2.0
#include "help.hpp"

#include "las/app/verify.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::cli {

namespace {

constexpr std::size_t kWidth = 78;

std::string wrap(const std::string& text, std::size_t indent) {
  std::string out;
  std::size_t column = 0;
  for (const std::string& word : text::split(text, ' ')) {
    if (column > 0 && column + 1 + word.size() > kWidth) {
      out += "\n";
      column = 0;
    }
    if (column == 0) {
      out += std::string(indent, ' ');
      column = indent;
    } else {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

// A description's paragraphs are parted by an empty line.
std::vector<std::string> paragraphs(const std::string& text) {
  std::vector<std::string> out = {""};
  for (const std::string& line : text::split(text, '\n')) {
    if (line.empty())
      out.emplace_back();
    else
      out.back() += line;
  }
  return out;
}

// Without what a check appends to it (":INT in [1 - 65535]").
std::string type_name(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

std::string option_left(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames())
    names.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    names.push_back("--" + name);
  std::string left = text::join(names, ", ");
  if (option.get_expected_max() > 0)
    left += " " + type_name(option);
  return left;
}

std::string two_columns(const std::string& left, const std::string& right, std::size_t width) {
  std::string line = "  " + left;
  if (right.empty())
    return line + "\n";
  const std::string column = wrap(right, width + 2);
  if (left.size() + 2 > width)
    return line + "\n" + column;
  return line + column.substr(line.size());
}

bool is_option(const CLI::Option* option) {
  return !option->get_positional() && option->nonpositional();
}

std::string positionals(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options()) {
    if (option->nonpositional())
      continue;
    std::string name = type_name(*option);
    if (option->get_expected_max() > 1)
      name += "...";
    out += option->get_required() ? " " + name : " [" + name + "]";
  }
  return out;
}

std::string options_block(const CLI::App& app, bool with_help) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (!is_option(option) || (!with_help && option->check_lname("help")))
      continue;
    out += two_columns(option_left(*option), option->get_description(), 26);
  }
  return out;
}

std::string usage(const CommandSpec& spec, const CLI::App& command) {
  if (spec.setup == nullptr)
    return fmt::format("las {} COMMAND", spec.name);
  return fmt::format("las {}{} [OPTIONS]", spec.name, positionals(command));
}

// man(7): backslashes, and dots or quotes at the start of a line, have a meaning.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  if (!out.empty() && (out[0] == '.' || out[0] == '\''))
    out.insert(0, "\\&");
  return out;
}

}  // namespace

std::string render_overview(const Parser& parser) {
  std::string out =
      _("las - apt for a local AI workstation") + "\n\n" + _("Usage: las COMMAND [OPTIONS]") + "\n";
  std::string group;
  for (const CommandSpec& spec : command_table()) {
    if (spec.hidden || (spec.setup == nullptr))
      continue;
    if (group != spec.group) {
      group = spec.group;
      out += "\n" + _(spec.group) + ":\n";
    }
    out += two_columns(spec.name, _(spec.summary), 16);
  }
  out += "\n" + _("Options for every command") + ":\n" + options_block(*parser.app, true);
  out += "\n" + _("More about a command: las COMMAND --help. Everything: man las.") + "\n";
  return out;
}

std::string render_help(const CommandSpec& spec, const CLI::App& command, const CLI::App& root) {
  std::string out = _("Usage") + ": " + usage(spec, command) + "\n\n" + wrap(_(spec.summary), 0);
  if (spec.description[0] != '\0')
    for (const std::string& paragraph : paragraphs(_(spec.description)))
      out += "\n" + wrap(paragraph, 0);
  std::string arguments;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->nonpositional())
      arguments += two_columns(type_name(*option), option->get_description(), 26);
  }
  if (!arguments.empty())
    out += "\n" + _("Arguments") + ":\n" + arguments;
  const std::string options = options_block(command, false);
  if (!options.empty())
    out += "\n" + _("Options") + ":\n" + options;
  std::string children;
  for (const CLI::App* child : command.get_subcommands([](const CLI::App*) { return true; }))
    children += two_columns(child->get_name(), child->get_description(), 16);
  if (!children.empty())
    out += "\n" + _("Commands") + ":\n" + children;
  if (!spec.examples.empty()) {
    out += "\n" + _("Examples") + ":\n";
    for (const Example& example : spec.examples)
      out += two_columns(
          example.command, example.explanation[0] != '\0' ? _(example.explanation) : "", 42);
  }
  out += "\n" + _("Options for every command") + ":\n" + options_block(root, true);
  return out;
}

std::string render_manual(const Parser& parser) {
  std::string out =
      ".\\\" Generated by `las manual` from the command table; do not edit.\n"
      ".TH LAS 1 \"2026-11-23\" \"las " +
      app::version() +
      "\" \"User Commands\"\n"
      ".SH NAME\nlas \\- apt for a local AI workstation\n"
      ".SH SYNOPSIS\n.B las\n.I COMMAND\n.RI [ OPTIONS ]\n"
      ".SH DESCRIPTION\n"
      "las detects the hardware, evaluates policies, resolves what was asked for, shows a plan, "
      "and "
      "runs it as one transaction: either everything is as planned afterwards, or everything is as "
      "it "
      "was. It then exits; long\\-running services are systemd units that it generated (or, where "
      "no "
      "systemd runs, processes it started and records).\n"
      ".SH COMMANDS\n";
  for (const auto& spec : command_table()) {
    if (spec.hidden || spec.setup == nullptr)
      continue;
    const auto found = std::find_if(parser.commands.begin(),
                                    parser.commands.end(),
                                    [&](const auto& c) { return c.second.first == &spec; });
    const CLI::App& command = *found->first;
    out += ".SS \"" + roff(usage(spec, command)) + "\"\n";
    std::string summary = spec.summary;
    summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
    out += roff(summary) + ".\n";
    if (spec.description[0] != '\0')
      for (const std::string& paragraph : paragraphs(spec.description))
        out += ".PP\n" + roff(paragraph) + "\n";
    for (const CLI::Option* option : command.get_options()) {
      if (is_option(option) && !option->check_lname("help"))
        out +=
            ".TP\n.B " + roff(option_left(*option)) + "\n" + roff(option->get_description()) + "\n";
    }
    for (const Example& example : spec.examples)
      out += ".PP\n.RS\n.nf\n" + roff(example.command) + "\n.fi\n.RE\n";
  }
  out += ".SH OPTIONS\nThese work with every command, before or after its name.\n";
  for (const CLI::Option* option : parser.app->get_options()) {
    if (is_option(option))
      out +=
          ".TP\n.B " + roff(option_left(*option)) + "\n" + roff(option->get_description()) + "\n";
  }
  out +=
      ".SH EXIT STATUS\n"
      ".TP\n.B 0\ndone, or nothing to do\n"
      ".TP\n.B 1\nfailed; for verify, health and lint: something was found\n"
      ".TP\n.B 2\nthe command line is wrong\n"
      ".TP\n.B 3\na policy denies it on this machine\n"
      ".TP\n.B 4\nnothing satisfies the request\n"
      ".TP\n.B 5\nanother las, or another owner of the port, is busy\n"
      ".TP\n.B 6\nwrong digest or hostile content\n"
      ".TP\n.B 7\nthe network could not be used\n"
      ".TP\n.B 8\nfailed, and what had been changed was changed back\n"
      ".TP\n.B 10\nwith \\-\\-dry\\-run \\-\\-detailed\\-exitcode: something would change; "
      "apply \\-\\-check: something differs\n"
      ".TP\n.B 130, 143\ninterrupted by SIGINT, SIGTERM; never 0\n"
      ".SH FINDINGS\n"
      "What verify finds, and repair mends where it can. The names are stable.\n";
  for (const app::FindingKind& kind : app::finding_kinds())
    out += ".TP\n.B " + roff(kind.id) + "\n" + roff(_(kind.meaning)) + "\n";
  out +=
      ".SH FINDINGS\n"
      "What verify finds, and repair mends where it can. The names are stable.\n";
  for (const app::FindingKind& kind : app::finding_kinds())
    out += ".TP\n.B " + roff(kind.id) + "\n" + roff(_(kind.meaning)) + "\n";
  out +=
      ".SH FILES\n"
      ".TP\n.I /etc/las/config.yaml, /etc/las/config.d/*.yaml\nsettings of the machine\n"
      ".TP\n.I ~/.config/las/config.yaml\nsettings of the user\n"
      ".TP\n.I /etc/las/manifests.d, /etc/las/policies.d\nmanifests and policies of this site\n"
      ".TP\n.I /var/lib/las\nstate (db), immutable payloads (store), generations, models, data\n"
      ".TP\n.I /var/cache/las\ndownloads\n"
      ".TP\n.I /var/log/las\nlogs\n"
      ".PP\nWith \\-\\-root all of them lie below that folder; with \\-\\-user they follow the XDG "
      "base "
      "directories.\n"
      ".SH ENVIRONMENT\n"
      ".TP\n.B LAS_*\nevery setting in capitals: fetch.parallel is LAS_FETCH_PARALLEL\n"
      ".TP\n.B LAS_DATA_DIR\nwhere the built\\-in manifests and policies lie\n"
      ".TP\n.B NO_COLOR\nno colours when set\n"
      ".SH SETTINGS\n";
  for (const app::Setting& setting : app::settings()) {
    const std::string fallback = setting.default_value;
    out += ".TP\n.B " + roff(setting.key) + "\n" + roff(setting.description) +
           (fallback.empty() ? "" : " (default: " + roff(fallback) + ")") + "\n";
  }
  out += ".SH SEE ALSO\n.BR systemd.unit (5),\n.BR apt (8)\n";
  return out;
}

}  // namespace las::cli
