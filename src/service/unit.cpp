// SPDX-License-Identifier: Apache-2.0
#include "las/service/unit.hpp"

#include "addresses.hpp"
#include "sandbox.hpp"
#include "signals.hpp"
#include "unit_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::service {
namespace {

namespace fs = std::filesystem;
using platform::Scope;

/// Dynamic users can write only where systemd made the place for them, and that is below here.
constexpr std::string_view kStateDirectoryBase = "/var/lib";

std::string state_directory_word(const fs::path& data_directory) {
  const auto relative = data_directory.lexically_normal().lexically_relative(kStateDirectoryBase);
  if (relative.empty() || relative == "." || *relative.begin() == "..")
    throw Error(ErrorKind::InvalidData,
                fmt::format(fmt::runtime(_("the data of a systemd service must lie below {}")),
                            kStateDirectoryBase),
                data_directory.string());
  return escape_path_word(relative.string());
}

std::string command_line(const state::ServiceInstance& instance) {
  if (instance.argv.empty() || !instance.argv.front().starts_with('/'))
    throw Error(ErrorKind::InvalidData,
                _("the command of a service must begin with an absolute path"),
                instance.id);
  // systemd takes the program's path as it stands, but '$' in argv[0] as a variable: no spelling
  // means the same to both.
  if (instance.argv.front().find('$') != std::string::npos)
    throw Error(ErrorKind::InvalidData,
                _("the path of a service's program must not contain '$'"),
                instance.argv.front());
  std::vector<std::string> words;
  for (const std::string& word : instance.argv)
    words.push_back(escape_exec_word(word));
  return text::join(words, " ");
}

void add_unit_section(UnitFile& unit, const UnitInput& input) {
  const std::string description = escape_description(input.description);
  UnitSection& section = unit.section("Unit");
  section.add("Description", description.empty() ? input.instance.id : description);
  section.add("Documentation", "man:las(1)");
  // User managers have no network targets; and only an outside address has to be there first.
  if (input.scope == Scope::System && is_loopback(input.instance.host))
    section.add("After", "network.target");
  else if (input.scope == Scope::System)
    section.add("Wants", "network-online.target").add("After", "network-online.target");
  std::vector<std::string> mounts{escape_path_word(input.data_directory.string())};
  for (const fs::path& path : input.readable)
    mounts.push_back(escape_path_word(path.string()));
  section.add("RequiresMountsFor", text::join(mounts, " "));
  section.add("StartLimitIntervalSec", "300").add("StartLimitBurst", "5");
}

void add_command(UnitSection& section, const UnitInput& input) {
  const state::ServiceInstance& instance = input.instance;
  section.add("Type", "exec").add("ExecStart", command_line(instance));
  section.add("WorkingDirectory", escape_line(input.data_directory.string()));
  // Engines keep caches and settings in HOME; a dynamic user's is "/".
  if (!instance.environment.contains("HOME"))
    section.add("Environment", escape_environment("HOME", input.data_directory.string()));
  for (const auto& [name, value] : instance.environment)
    section.add("Environment", escape_environment(name, value));
}

void add_life(UnitSection& section, const state::ServiceInstance& instance) {
  signal_number(instance.stop_signal);
  section.add("KillSignal", instance.stop_signal);
  section.add("TimeoutStopSec", std::to_string(instance.stop_timeout_s));
  section.add("TimeoutStartSec", std::to_string(instance.start_period_s));
  section.add("Restart", "on-failure").add("RestartSec", "2");
  section.add("OOMPolicy", "stop");
}

std::string drop_in_pattern(const UnitInput& input) {
  const std::string unit = unit_name(input.instance.id);
  return input.scope == Scope::System ? fmt::format("/etc/systemd/system/{}.d/*.conf", unit)
                                      : fmt::format("~/.config/systemd/user/{}.d/*.conf", unit);
}

}  // namespace

std::string unit_name(std::string_view service_id) {
  if (!text::is_name(service_id))
    throw Error(ErrorKind::InvalidData, _("not a name for a service"), std::string(service_id));
  // Of the characters of a name, '+' is the one that unit names lack: systemd.unit(5), "STRING
  // ESCAPING FOR INCLUSION IN UNIT NAMES".
  std::string escaped;
  for (const char c : service_id)
    escaped += c == '+' ? std::string("\\x2b") : std::string(1, c);
  return fmt::format("las-{}.service", escaped);
}

std::string without_comments(std::string_view unit_text) {
  std::string out;
  for (const std::string& line : text::lines(unit_text)) {
    if (!line.starts_with('#'))
      out += line + "\n";
  }
  return out;
}

std::string render_unit(const UnitInput& input) {
  const std::string module =
      input.instance.module.empty() ? input.instance.id : input.instance.module;
  UnitFile unit(
      {fmt::format(
           "Generated by las {} from {} {}.", input.las_version, module, input.module_version),
       fmt::format("Do not edit: changes belong into {}", drop_in_pattern(input))});
  add_unit_section(unit, input);

  UnitSection& section = unit.section("Service");
  add_command(section, input);
  add_life(section, input.instance);
  if (input.scope == Scope::System)
    section.add("DynamicUser", "yes")
        .add("StateDirectory", state_directory_word(input.data_directory))
        .add("StateDirectoryMode", "0700");
  add_sandbox(section, input);

  unit.section("Install").add(
      "WantedBy", input.scope == Scope::System ? "multi-user.target" : "default.target");
  return unit.render();
}

}  // namespace las::service
