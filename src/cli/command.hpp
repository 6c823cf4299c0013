// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/cli/cli.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace las::cli {

/// Options that every command understands, before or after its name.
struct GlobalOptions {
  std::string root, hardware, sysroot, color, log_format, progress = "auto", config_wait;
  bool user = false, json = false, yes = false, dry_run = false, detailed_exit = false;
  int verbose = 0;
  bool quiet = false, no_color = false, version = false;
};

/// What a command gets. Results go to `out`; `note` is for everything else.
struct Context {
  app::Session& session;
  const Activity& activity;
  const Streams& streams;
  const GlobalOptions& options;
  std::ostream& out;
  bool color = false;

  /// Before a plan is made: whoever is willing to wait for another las plans on what that one
  /// leaves, so the state is taken for writing now. Nothing without --wait, and in a dry run.
  void take_turn() const;
  /// A line for the person on stderr, made safe to show; silent with --quiet.
  void note(const std::string& line) const;
  /// A JSON document on stdout: {"schema": 1, ...}.
  void print_json(nlohmann::ordered_json document) const;
  /// Says `line` (as JSON: {"success": …, "changed": false}) for a command that changed nothing.
  void unchanged(const std::string& line, bool success = true) const;
  /// The same for a dry run that found something to do; the exit status of that.
  int would_change(const std::string& line) const;
  /// Asks [Y/n] on the terminal. --yes answers; without a terminal it is a Usage error. Io when
  /// what the question is about could not be written.
  bool confirm(const std::string& question) const;
  /// The text, safe to show, in bold (dim, colour) where colours are wanted.
  std::string bold(const std::string& text) const;
  std::string dim(const std::string& text) const;
  std::string paint(const std::string& text, int ansi_color) const;
};

/// Names, descriptions and messages of others as part of a line for a person. Names are bounded
/// where they are printed alone (table cells, subjects of errors); a sentence may be long.
std::string shown(std::string_view text);

/// Advice with the commands in it as they must be typed here: "las start x" becomes
/// "las --user start x" in a run with --user, and so with --root.
std::string in_scope(std::string_view text, const GlobalOptions& options);

/// An error as {"schema": 1, "success": false, "error": ...}; `status`: the exit status it leads
/// to.
nlohmann::ordered_json error_document(const Error& error, const GlobalOptions& options, int status);

/// What a full disk or a closed reader behind standard output is reported as. `is_done`: what the
/// command was to change is changed all the same.
Error output_error(bool is_done);

using Run = std::function<int(Context&)>;

struct Example {
  const char* command;
  const char* explanation;  ///< marked for translation
};

/// One command. The table of these makes parsing, --help, the man page and the completions.
struct CommandSpec {
  const char* name;         ///< "install", or "model import" for a nested one
  const char* group;        ///< heading in `las --help`; marked for translation
  const char* summary;      ///< one line, marked for translation
  const char* description;  ///< paragraphs, marked for translation; may be ""
  std::vector<Example> examples;
  /// Declares arguments and options; returns what runs. nullptr for a mere parent ("model").
  Run (*setup)(CLI::App&);
  bool changes = false;  ///< writes to the state: logged to the file and the journal
  bool hidden = false;
  const char* only_looks_with = nullptr;  ///< the option with which it changes nothing
};

/// All commands, in the order of the help text.
const std::vector<CommandSpec>& command_table();

/// The command line as CLI11 sees it, and what runs each command.
struct Parser {
  std::unique_ptr<CLI::App> app;
  std::map<const CLI::App*, std::pair<const CommandSpec*, Run>> commands;
};

/// Of all commands. `options` must outlive the parser.
Parser make_parser(GlobalOptions& options);
/// Of those commands alone whose first word is on `line`, which is enough to parse it: to declare
/// them all takes a fifth of the time of a short command.
Parser make_parser_for(const std::vector<std::string>& line, GlobalOptions& options);

/// Type names of arguments double as completion kinds: what `las complete` offers for them.
namespace kind {
inline constexpr const char* kModule = "MODULE";
inline constexpr const char* kInstalled = "INSTALLED";
inline constexpr const char* kModel = "MODEL";
inline constexpr const char* kService = "SERVICE";
inline constexpr const char* kFile = "FILE";
inline constexpr const char* kDirectory = "DIR";
inline constexpr const char* kGeneration = "GENERATION";
inline constexpr const char* kOperation = "OPERATION";
inline constexpr const char* kSetting = "KEY";
inline constexpr const char* kCapability = "CAPABILITY";
inline constexpr const char* kOverride = "OVERRIDE";
inline constexpr const char* kRegistry = "REGISTRY";
inline constexpr const char* kText = "TEXT";    ///< may be empty
inline constexpr const char* kValue = "VALUE";  ///< may be empty
}  // namespace kind

// Marks a static text for translation; _() translates it where it is shown.
#define N_(text) text

// --- commands/*.cpp; one function per command, listed in command_table.cpp ---
Run setup_apply(CLI::App& app);
Run setup_audit(CLI::App& app);
Run setup_audit_verify(CLI::App& app);
Run setup_autoremove(CLI::App& app);
Run setup_chat(CLI::App& app);
Run setup_clean(CLI::App& app);
Run setup_complete(CLI::App& app);
Run setup_completion(CLI::App& app);
Run setup_config_get(CLI::App& app);
Run setup_config_list(CLI::App& app);
Run setup_config_set(CLI::App& app);
Run setup_config_unset(CLI::App& app);
Run setup_depends(CLI::App& app);
Run setup_detect(CLI::App& app);
Run setup_diff(CLI::App& app);
Run setup_doctor(CLI::App& app);
Run setup_gc(CLI::App& app);
Run setup_health(CLI::App& app);
Run setup_history(CLI::App& app);
Run setup_hold(CLI::App& app);
Run setup_install(CLI::App& app);
Run setup_lint(CLI::App& app);
Run setup_list(CLI::App& app);
Run setup_lock(CLI::App& app);
Run setup_log(CLI::App& app);
Run setup_logs(CLI::App& app);
Run setup_manual(CLI::App& app);
Run setup_metrics(CLI::App& app);
Run setup_model_import(CLI::App& app);
Run setup_model_list(CLI::App& app);
Run setup_model_remove(CLI::App& app);
Run setup_outdated(CLI::App& app);
Run setup_override_add(CLI::App& app);
Run setup_override_list(CLI::App& app);
Run setup_override_log(CLI::App& app);
Run setup_override_revert(CLI::App& app);
Run setup_plan(CLI::App& app);
Run setup_policy_explain(CLI::App& app);
Run setup_policy_lint(CLI::App& app);
Run setup_policy_list(CLI::App& app);
Run setup_policy_show(CLI::App& app);
Run setup_policy_test(CLI::App& app);
Run setup_registry_add(CLI::App& app);
Run setup_registry_build(CLI::App& app);
Run setup_registry_keygen(CLI::App& app);
Run setup_registry_list(CLI::App& app);
Run setup_registry_remove(CLI::App& app);
Run setup_registry_trust(CLI::App& app);
Run setup_registry_verify(CLI::App& app);
Run setup_purge(CLI::App& app);
Run setup_rdepends(CLI::App& app);
Run setup_repair(CLI::App& app);
Run setup_remove(CLI::App& app);
Run setup_rollback(CLI::App& app);
Run setup_search(CLI::App& app);
Run setup_serve(CLI::App& app);
Run setup_show(CLI::App& app);
Run setup_start(CLI::App& app);
Run setup_status(CLI::App& app);
Run setup_stop(CLI::App& app);
Run setup_restart(CLI::App& app);
Run setup_enable(CLI::App& app);
Run setup_disable(CLI::App& app);
Run setup_expose(CLI::App& app);
Run setup_unexpose(CLI::App& app);
Run setup_edit(CLI::App& app);
Run setup_secret(CLI::App& app);
Run setup_top(CLI::App& app);
Run setup_update(CLI::App& app);
Run setup_undo(CLI::App& app);
Run setup_unhold(CLI::App& app);
Run setup_upgrade(CLI::App& app);
Run setup_verify(CLI::App& app);
Run setup_why(CLI::App& app);

}  // namespace las::cli
