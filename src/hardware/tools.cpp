// SPDX-License-Identifier: Apache-2.0
#include "tools.hpp"

#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr std::chrono::milliseconds kPatience{3000};

class VersionAsker {
 public:
  VersionAsker(const platform::Environment& environment,
               platform::ProcessRunner& processes,
               const Activity& activity)
      : environment_(environment), processes_(processes), activity_(activity) {}

  Fact<Version> ask(const char* program) const {
    const auto found =
        processes_.find_program(program, environment_.get("PATH").value_or("/usr/bin:/bin"));
    if (!found)
      return Fact<Version>::missing(
          fmt::format(fmt::runtime(_("there is no {} in PATH")), program));
    platform::Command command;
    command.argv = {found->string(), "--version"};
    command.environment = environment_.variables;
    command.environment["LC_ALL"] = "C";
    const std::string origin = fmt::format("{} --version", program);
    try {
      const platform::ProcessResult result = processes_.run(command, activity_, kPatience);
      if (!result.ok())
        return Fact<Version>::missing(
            fmt::format(fmt::runtime(_("{} failed with status {}")), origin, result.status));
      if (const auto version = first_version(result.out))
        return Fact<Version>::known(*version, origin);
      return Fact<Version>::missing(fmt::format(fmt::runtime(_("{} names no version")), origin));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Interrupted)
        throw;
      return Fact<Version>::missing(printable(error.what()));
    }
  }

 private:
  const platform::Environment& environment_;
  platform::ProcessRunner& processes_;
  const Activity& activity_;
};

Fact<bool> systemd_running(const platform::FileReader& files) {
  // sd_booted(3)
  return Fact<bool>::known(files.exists("/run/systemd/system"), "/run/systemd/system");
}

}  // namespace

void read_tools(const platform::FileReader& files,
                const platform::Environment& environment,
                platform::ProcessRunner& processes,
                const Activity& activity,
                Tools& tools) {
  tools.systemd_running = systemd_running(files);
  const VersionAsker asker(environment, processes, activity);
  tools.systemd = asker.ask("systemctl");
  tools.podman = asker.ask("podman");
  tools.docker = asker.ask("docker");
  tools.python = asker.ask("python3");
}

void captured_tools(const platform::FileReader& files, Tools& tools) {
  tools.systemd_running = systemd_running(files);
  for (Fact<Version>* version : {&tools.systemd, &tools.podman, &tools.docker, &tools.python})
    *version = Fact<Version>::missing(_("no program is run for a captured machine"));
}

}  // namespace las::hardware
