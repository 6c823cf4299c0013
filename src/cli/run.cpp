// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"
#include "help.hpp"
#include "progress.hpp"
#include "render.hpp"

#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/platform/journal.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <fmt/format.h>

namespace las::cli {

namespace {

using nlohmann::ordered_json;

// The line goes into the log, the lock and the history: no user name and password of a URL does.
std::string without_credentials(std::string argument) {
  const std::size_t scheme = argument.find("://");
  if (scheme == std::string::npos)
    return argument;
  const std::size_t host = scheme + 3;
  const std::size_t end = std::min(argument.find_first_of("/?#", host), argument.size());
  const std::size_t at = argument.rfind('@', end);
  if (at != std::string::npos && at >= host && at < end)
    argument.erase(host, at + 1 - host);
  return argument;
}

std::string quoted_command(const std::vector<std::string>& arguments) {
  std::string line = "las";
  for (const std::string& argument : arguments)
    line += " " + text::shell_word(without_credentials(argument));
  return line;
}

// What to do next where the room that failed knew nothing better.
std::string hint_of(const Error& error) {
  if (!error.hint().empty())
    return error.hint();
  switch (error.kind()) {
    case ErrorKind::Usage:
      return "las --help";
    case ErrorKind::NotFound:
      return _("see what there is with: las list, las search WORD");
    case ErrorKind::InvalidData:
      return _("the file is damaged or not what it should be; nothing was changed");
    case ErrorKind::PolicyDenied:
    case ErrorKind::Unsatisfiable:
      return _("see what this machine can carry with: las detect");
    case ErrorKind::Network:
      return _("check the network and try again; nothing was changed");
    case ErrorKind::Integrity:
      return _(
          "this content must not be used; tell the author of the manifest, or choose another "
          "release");
    case ErrorKind::Busy:
      return _("try again later");
    case ErrorKind::Permission:
      return _("try it with sudo, or for yourself only: las --user ...");
    case ErrorKind::NoSpace:
      return _("free some space and try again; nothing was changed");
    case ErrorKind::Interrupted:
      return _("run the command again when you are ready");
    case ErrorKind::Io:
    case ErrorKind::CorruptState:
      return _("look for damage with: las verify");
  }
  return {};
}

// The parts one by one: a name of a thousand characters must not push the message away.
std::string sentence_of(const Error& error) {
  std::string line = shown(error.message());
  if (!error.subject().empty())
    line += ": " + text::printable(error.subject());
  if (!error.cause().empty())
    line += ": " + shown(error.cause());
  return line;
}

}  // namespace

ordered_json error_document(const Error& error, const GlobalOptions& options, int status) {
  return {{"schema", 1},
          {"success", false},
          {"error",
           {{"kind", std::string(to_string(error.kind()))},
            {"exit_status", status},
            {"message", error.message()},
            {"subject", error.subject()},
            {"cause", error.cause()},
            {"context", error.contexts()},
            {"hint", in_scope(hint_of(error), options)},
            {"rolled_back", error.was_rolled_back()},
            {"left_behind", strings_json(error.left_behind())}}}};
}

namespace {

void render_error(const Error& error,
                  const Streams& streams,
                  const GlobalOptions& options,
                  int status) {
  const std::string hint = in_scope(hint_of(error), options);
  if (options.json && streams.out) {
    streams.out << error_document(error, options, status)
                       .dump(2, ' ', false, ordered_json::error_handler_t::replace)
                << std::endl;
    return;
  }
  streams.err << "las: " << sentence_of(error) << "\n";
  for (const std::string& context : error.contexts())
    streams.err << "  " << shown(context) << "\n";
  for (const std::string& left : error.left_behind())
    streams.err << "  " << _("this could not be taken back") << ": " << shown(left) << "\n";
  if (error.was_rolled_back())
    streams.err << (error.left_behind().empty()
                        ? _("  everything is as it was before")
                        : _("  all else is as it was before; mend the rest with: las repair"))
                << "\n";
  streams.err << _("hint") << ": " << shown(hint) << "\n";
  streams.err.flush();
}

platform::Layout choose_layout(const GlobalOptions& options,
                               const platform::Environment& environment) {
  if (options.user && !options.root.empty())
    throw Error(ErrorKind::Usage, _("--user and --root exclude each other"));
  if (options.user)
    return platform::Layout::user(environment);
  std::string root = options.root;
  if (root.empty())
    root = environment.get("LAS_ROOT").value_or("/");
  if (std::error_code ignored;
      std::filesystem::exists(root, ignored) && !std::filesystem::is_directory(root, ignored))
    throw Error(ErrorKind::Usage, _("not a folder"), root);
  return platform::Layout::system(std::filesystem::absolute(root).lexically_normal());
}

// The words that may follow a command: "import" and others after "model", any command's after "".
std::vector<std::string> words_after(const std::string& command) {
  const std::string before = command.empty() ? "" : command + " ";
  std::vector<std::string> words;
  for (const CommandSpec& spec : command_table()) {
    const std::string name = spec.name;
    if (name.starts_with(before) && name.find(' ', before.size()) == std::string::npos)
      words.push_back(name.substr(before.size()));
  }
  return words;
}

// A word that is no command gets the nearest one; CLI11 would only say that it did not expect it.
void check_command_word(const std::vector<std::string>& arguments, const Parser& parser) {
  std::string command;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word.starts_with("-")) {
      const CLI::Option* option =
          word.find('=') == std::string::npos ? parser.app->get_option_no_throw(word) : nullptr;
      if (option != nullptr && option->get_expected_max() > 0)
        ++i;
      continue;
    }
    const std::vector<std::string> names = words_after(command);
    if (names.empty())
      return;  // arguments of the command
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      const std::string nearest = nearest_name(word, names);
      throw Error(ErrorKind::Usage, _("no such command"), word)
          .hint(nearest.empty() ? _("see the commands with: las --help")
                                : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
    }
    command += (command.empty() ? "" : " ") + word;
  }
}

const CLI::App* deepest(const CLI::App* app) {
  while (true) {
    const auto chosen = app->get_subcommands();
    if (chosen.empty())
      return app;
    app = chosen.front();
  }
}

// A terminal that obeys no escape codes.
bool is_dumb(const platform::Environment& environment) {
  return environment.get("TERM").value_or("dumb") == "dumb";
}

ProgressStyle choose_style(const GlobalOptions& options,
                           const platform::Environment& environment,
                           const Streams& streams) {
  if (options.progress == "json")
    return ProgressStyle::Json;
  if (options.quiet || options.progress == "none")
    return ProgressStyle::None;
  if (options.progress == "bar")
    return ProgressStyle::Bar;
  return options.progress == "auto" && streams.err_is_terminal && !is_dumb(environment)
             ? ProgressStyle::Bar
             : ProgressStyle::Plain;
}

bool choose_color(const GlobalOptions& options,
                  const app::Config& config,
                  const platform::Environment& environment,
                  bool is_terminal) {
  // https://no-color.org: "when present and not an empty string".
  if (options.no_color || environment.get("NO_COLOR"))
    return false;
  const std::string wish = config.text("color");
  return wish == "always" || (wish == "auto" && is_terminal && !is_dumb(environment));
}

Severity parse_severity(const std::string& text) {
  for (const Severity severity :
       {Severity::Debug, Severity::Info, Severity::Warning, Severity::Error}) {
    if (to_string(severity) == text)
      return severity;
  }
  return Severity::Info;
}

int run_command(const std::vector<std::string>& arguments,
                const Run& command,
                bool changes,
                const GlobalOptions& options,
                const app::Platform& platform,
                const Streams& streams,
                const Cancellation& cancellation) {
  app::SessionOptions session_options;
  session_options.layout = choose_layout(options, platform.environment);
  session_options.command_line = quoted_command(arguments);
  session_options.operation_id = platform::make_operation_id(platform.clock.now());
  if (!options.hardware.empty())
    session_options.hardware_file = options.hardware;
  if (!options.sysroot.empty())
    session_options.sysroot = options.sysroot;
  if (!options.config_wait.empty())
    session_options.config_flags["lock.wait"] = options.config_wait;
  if (!options.log_format.empty())
    session_options.config_flags["log.format"] = options.log_format;
  app::Session session(platform, session_options);

  const app::Config& config = session.config();
  const auto color_on = [&](bool is_terminal) {
    return choose_color(options, config, platform.environment, is_terminal);
  };
  const Severity least = options.verbose > 0 ? Severity::Debug
                         : options.quiet     ? Severity::Warning
                                             : Severity::Info;
  TeeReporter reporter;
  reporter.add(make_progress_reporter(streams,
                                      choose_style(options, platform.environment, streams),
                                      least,
                                      color_on(streams.err_is_terminal)));
  if (changes) {
    LogOptions log;
    log.file = session.layout().logs / "las.log";
    log.max_size = config.size("log.max-size").value_or(ByteSize::mib(10));
    log.json = config.text("log.format") == "json";
    log.journal = session.layout().root == "/" && platform::journal_available();
    log.least = parse_severity(config.text("log.level"));
    log.operation_id = session_options.operation_id;
    log.command = session_options.command_line;
    reporter.add(make_log_reporter(platform.files, platform.clock, std::move(log)));
  }
  const Activity activity{reporter, cancellation};
  Context context{
      session, activity, streams, options, streams.out, color_on(streams.out_is_terminal)};
  try {
    const int status = command(context);
    streams.out.flush();
    if (!streams.out)
      throw output_error(changes && status == 0);
    return status;
  } catch (const Error& error) {
    activity.debug("cli", fmt::format("error: {}", error.what()));
    throw;
  }
}

// Completion looks where the line that is being completed would look.
void adopt_scope(const std::vector<std::string>& words, GlobalOptions& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string root;
    if (words[i] == "--user")
      options.user = true;
    else if (words[i].starts_with("--root="))
      root = words[i].substr(words[i].find('=') + 1);
    else if (words[i] == "--root" && i + 1 < words.size())
      root = words[i + 1] == "=" && i + 2 < words.size() ? words[i + 2] : words[i + 1];
    // What is still being typed is no folder yet.
    if (std::error_code ignored; !root.empty() && std::filesystem::is_directory(root, ignored))
      options.root = root;
  }
}

int parse_and_run(const std::vector<std::string>& arguments,
                  GlobalOptions& options,
                  const app::Platform& platform,
                  const Streams& streams,
                  const Cancellation& cancellation) {
  const Parser parser = make_parser_for(arguments, options);
  try {
    check_command_word(arguments, parser);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    parser.app->parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* chosen = deepest(parser.app.get());
    if (chosen == parser.app.get())
      streams.out << render_overview(parser);
    else
      streams.out << render_help(*parser.commands.at(chosen).first, *chosen, *parser.app);
    return 0;
  } catch (const CLI::ParseError& error) {
    const CLI::App* chosen = deepest(parser.app.get());
    const std::string name =
        chosen == parser.app.get() ? "" : parser.commands.at(chosen).first->name;
    throw Error(ErrorKind::Usage, error.what())
        .hint(name.empty() ? "las --help" : fmt::format("las {} --help", name));
  }
  if (options.version) {
    streams.out << "las " << app::version() << "\n";
    return 0;
  }
  const CLI::App* chosen = deepest(parser.app.get());
  if (chosen == parser.app.get()) {
    streams.err << render_overview(parser);
    return 2;
  }
  const auto& [spec, command] = parser.commands.at(chosen);
  if (spec->setup == setup_complete)
    adopt_scope(arguments, options);
  const bool only_looks = options.dry_run || (spec->only_looks_with != nullptr &&
                                              chosen->count(spec->only_looks_with) > 0);
  return run_command(
      arguments, command, spec->changes && !only_looks, options, platform, streams, cancellation);
}

}  // namespace

int exit_status(const Error& error, const Cancellation& cancellation) {
  if (error.kind() == ErrorKind::Interrupted && cancellation.requested())
    return 128 + cancellation.signal_number();
  if (error.was_rolled_back())
    return 8;
  switch (error.kind()) {
    case ErrorKind::Usage:
      return 2;
    case ErrorKind::PolicyDenied:
      return 3;
    case ErrorKind::Unsatisfiable:
      return 4;
    case ErrorKind::Busy:
      return 5;
    case ErrorKind::Integrity:
      return 6;
    case ErrorKind::Network:
      return 7;
    case ErrorKind::Interrupted:
      return 130;
    case ErrorKind::NotFound:
    case ErrorKind::InvalidData:
    case ErrorKind::Permission:
    case ErrorKind::NoSpace:
    case ErrorKind::Io:
    case ErrorKind::CorruptState:
      return 1;
  }
  return 1;
}

int run(const std::vector<std::string>& arguments,
        const app::Platform& platform,
        const Streams& streams,
        const Cancellation& cancellation) {
  // Scripts ask for the version often; nothing else is needed for it.
  if (arguments.size() == 1 && arguments.front() == "--version") {
    streams.out << "las " << app::version() << "\n";
    return 0;
  }
  GlobalOptions options;
  // Errors of the parser itself are answered in the form that was asked for.
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  options.json = std::find(arguments.begin(), end, "--json") != end;
  const state::LastWords last_words([&](const Error& error) {
    const int status = exit_status(error, cancellation);
    render_error(error, streams, options, status);
    std::_Exit(status);
  });
  try {
    const int status = parse_and_run(arguments, options, platform, streams, cancellation);
    streams.out.flush();
    if (!streams.out)
      throw output_error(false);
    return status;
  } catch (const Error& error) {
    const int status = exit_status(error, cancellation);
    render_error(error, streams, options, status);
    return status;
  } catch (const std::exception& error) {
    const Error wrapped(ErrorKind::Io, _("internal error"), error.what());
    render_error(wrapped, streams, options, 1);
    return 1;
  }
}

}  // namespace las::cli
