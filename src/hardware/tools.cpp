// SPDX-License-Identifier: Apache-2.0
#include "tools.hpp"

#include "cdi.hpp"
#include "packages.hpp"
#include "parse.hpp"
#include "rootless.hpp"
#include "toolkits.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr std::chrono::milliseconds kPatience{3000};

/// Versions of programs: from the distribution's records where the program is the distribution's,
/// because starting each one takes longer than everything else that is detected; otherwise by
/// running `PROGRAM --version`.
class VersionAsker {
 public:
  VersionAsker(const platform::FileReader& files,
               const platform::Environment& environment,
               platform::ProcessRunner& processes,
               ProgramVersions* known,
               const Activity& activity)
      : files_(files),
        environment_(environment),
        processes_(processes),
        known_(known),
        activity_(activity),
        search_(environment.get("PATH").value_or("")),
        packages_(files.try_read(kPackages).value_or("")) {
    // What las installs for the whole machine cannot use a program in somebody's own folder.
    search_.insert(0, search_.empty() ? kSystemPath : std::string(kSystemPath) + ":");
  }

  /// `owners`: packages that bring /usr/bin/`program`.
  Fact<Version> ask(const char* program, std::initializer_list<const char*> owners) const {
    const auto found = processes_.find_program(program, search_);
    if (!found)
      return Fact<Version>::missing(
          fmt::format(fmt::runtime(_("there is no {} in PATH")), program));
    if (found->parent_path() == "/usr/bin" || found->parent_path() == "/bin") {
      for (const char* owner : owners) {
        if (const auto version = installed_package(packages_, owner))
          return Fact<Version>::known(*version, kPackages);
      }
    }
    const auto identity = known_ != nullptr ? identity_of(*found) : std::nullopt;
    const std::string origin = fmt::format("{} --version", program);
    if (identity) {
      if (const auto before = known_->versions.find(*identity); before != known_->versions.end())
        return Fact<Version>::known(Version(before->second), origin);
    }
    Fact<Version> version = run(origin, *found);
    if (identity && version.is_known()) {
      known_->versions[*identity] = version.value->text();
      known_->changed = true;
    }
    return version;
  }

 private:
  static constexpr const char* kPackages = "/var/lib/dpkg/status";
  static constexpr const char* kSystemPath = "/usr/local/bin:/usr/bin:/bin";

  // What changes whenever the program does. A small one may be a script that starts another, which
  // can change without it.
  std::optional<std::string> identity_of(const std::filesystem::path& path) const {
    constexpr std::uint64_t kLargestScript = 1U << 20;
    std::error_code failure;
    const std::filesystem::path real = std::filesystem::canonical(path, failure);
    const auto status = failure ? std::nullopt : files_.status(real);
    if (!status || status->kind != platform::FileKind::Regular || status->size <= kLargestScript)
      return std::nullopt;
    return fmt::format("{} {} {} {} {}",
                       real.string(),
                       status->device,
                       status->inode,
                       status->size,
                       status->modified);
  }

  Fact<Version> run(const std::string& origin, const std::filesystem::path& path) const {
    platform::Command command;
    command.argv = {path.string(), "--version"};
    command.environment = environment_.variables;
    command.environment["LC_ALL"] = "C";
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

  const platform::FileReader& files_;
  const platform::Environment& environment_;
  platform::ProcessRunner& processes_;
  ProgramVersions* known_;
  const Activity& activity_;
  std::string search_;
  std::string packages_;
};

Fact<bool> systemd_running(const platform::FileReader& files) {
  // sd_booted(3)
  return Fact<bool>::known(files.exists("/run/systemd/system"), "/run/systemd/system");
}

void read_kits(const platform::FileReader& files, Tools& tools) {
  tools.systemd_running = systemd_running(files);
  tools.cuda_toolkit = read_cuda_toolkit(files);
  tools.rocm = read_rocm(files);
  tools.cdi_specs = read_cdi_specs(files);
}

// What makes no sense without the program.
Fact<bool> only_with(const Fact<Version>& program, Fact<bool> fact) {
  return program.is_known() ? fact : Fact<bool>::missing(program.unknown);
}

}  // namespace

void read_tools(const platform::FileReader& files,
                const platform::Environment& environment,
                platform::ProcessRunner& processes,
                ProgramVersions* known,
                const Activity& activity,
                Tools& tools) {
  read_kits(files, tools);
  const VersionAsker asker(files, environment, processes, known, activity);
  tools.systemd = asker.ask("systemctl", {"systemd"});
  tools.podman = asker.ask("podman", {"podman"});
  tools.docker = asker.ask("docker", {"docker-ce-cli", "docker-cli", "docker.io"});
  tools.python = asker.ask("python3", {"python3-minimal"});
  tools.systemd_user = read_systemd_user(files, environment);
  tools.podman_rootless =
      only_with(tools.podman, read_podman_rootless(files, environment, processes));
  tools.docker_rootless = only_with(tools.docker, read_docker_rootless(files, environment));
}

void captured_tools(const platform::FileReader& files, Tools& tools) {
  read_kits(files, tools);
  for (Fact<Version>* version : {&tools.systemd, &tools.podman, &tools.docker, &tools.python})
    *version = Fact<Version>::missing(_("no program is run for a captured machine"));
  for (Fact<bool>* fact : {&tools.systemd_user, &tools.podman_rootless, &tools.docker_rootless})
    *fact = Fact<bool>::missing(_("a captured machine has no user"));
}

}  // namespace las::hardware
