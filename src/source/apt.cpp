// SPDX-License-Identifier: Apache-2.0
#include "apt_output.hpp"
#include "payload.hpp"
#include "program_paths.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/source/source.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::source {

namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr const char* kLockTimeout = "DPkg::Lock::Timeout=120";

class Apt : public SourceKind {
 public:
  explicit Apt(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "apt"; }

  std::string unavailable(const catalog::Source& source, const Activity& activity) override;
  std::string describe(const catalog::Source& source) const override;
  Staged stage(const StageRequest& request, const Activity& activity) override;
  std::vector<std::string> absent(const catalog::Source& source, const Activity& activity) override;
  void undo_external(const std::string& before,
                     const std::string& wanted,
                     const std::vector<std::string>& wanted_by_others,
                     const Activity& activity) override;
  std::string inherited(const std::string& wanted, const std::string& needed_by) const override;
  std::map<std::string, std::string> versions(const std::string& wanted,
                                              const Activity& activity) override;
  std::vector<std::string> verify_external(const std::string& wanted,
                                           const Activity& activity) override;

 private:
  platform::ProcessResult run(Words argv, const Activity& activity) const;
  AptChanges simulate(Words verb_and_packages, const Activity& activity) const;
  AptChanges simulate_install(const Words& packages, const Activity& activity) const;
  void record(const Words& packages,
              const AptChanges& changes,
              Staged& staged,
              const Activity& activity) const;
  void install(const Words& packages,
               const StageRequest& request,
               Staged& staged,
               const Activity& activity) const;
  void act(Words options, const Words& packages, const Activity& activity) const;
  std::map<std::string, PackageStatus> status_of(const Words& packages,
                                                 const Activity& activity) const;
  Words undoable(const Json& before, const Json& wanted, const Activity& activity) const;
  Words removable(const Words& packages, const Activity& activity) const;
  void repair_dpkg(const Activity& activity) const;

  Surroundings around_;
};

const Words& packages_of(const catalog::Source& source) {
  return std::get<catalog::AptSource>(source.how).packages;
}

/// dpkg stopped half-way leaves a machine that the next apt call must repair first, so a change
/// that has begun is brought to its end; a wish to stop is obeyed right before and after.
Activity to_the_end(const Activity& activity) {
  static const Cancellation never;
  return {activity.reporter, never};
}

Json parse_record(const std::string& text) {
  Json record = Json::parse(text, nullptr, false);
  if (!record.is_object())
    throw Error(ErrorKind::CorruptState, _("the record of an apt change is damaged"));
  return record;
}

Words names_in(const Json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end())
    return {};
  if (!found->is_array() ||
      !std::all_of(found->begin(), found->end(), [](const Json& e) { return e.is_string(); }))
    throw Error(ErrorKind::CorruptState, _("the record of an apt change is damaged"), key);
  return found->get<Words>();
}

/// An installed package is left at its version (--no-upgrade): upgrades could not be taken back,
/// and they are the distribution's own business.
Words install_options(const Words& more) {
  Words options = {"install", "--no-install-recommends", "--no-upgrade"};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

Words remove_options() {
  return {"remove", "-o", "APT::Get::AutomaticRemove=false"};
}

std::string Apt::describe(const catalog::Source& source) const {
  return text::join(packages_of(source), " ");
}

Words Apt::absent(const catalog::Source& source, const Activity& activity) {
  Words missing;
  if (!around_.processes.find_program("dpkg-query", kAdministratorPath))
    return packages_of(source);
  const auto statuses = status_of(packages_of(source), activity);
  for (const std::string& package : packages_of(source)) {
    const auto found = statuses.find(package);
    if (found == statuses.end() || !found->second.installed())
      missing.push_back(package);
  }
  return missing;
}

platform::ProcessResult Apt::run(Words argv, const Activity& activity) const {
  platform::Command command;
  command.argv = std::move(argv);
  command.environment = around_.environment.variables;
  command.environment["PATH"] = kAdministratorPath;
  command.environment["LC_ALL"] = "C";
  command.environment["DEBIAN_FRONTEND"] = "noninteractive";
  command.environment["APT_LISTCHANGES_FRONTEND"] = "none";
  return around_.processes.run(command, activity, std::nullopt, [&](std::string_view line) {
    activity.debug("source", std::string(line));
  });
}

std::string Apt::unavailable(const catalog::Source& source, const Activity& activity) {
  if (around_.layout.root != "/")
    return _("the distribution's packages cannot be installed below --root");
  if (around_.layout.scope != platform::Scope::System)
    return _("the distribution's packages cannot be installed for one user");
  if (around_.environment.uid != 0)
    return _("installing the distribution's packages needs root");
  for (const char* program : {"apt-get", "apt-cache", "dpkg-query"}) {
    if (!around_.processes.find_program(program, kAdministratorPath))
      return fmt::format(fmt::runtime(_("this distribution has no {}")), program);
  }
  Words argv = {"apt-cache", "policy"};
  argv.insert(argv.end(), packages_of(source).begin(), packages_of(source).end());
  const auto candidates = parse_apt_candidates(run(argv, activity).out);
  for (const std::string& package : packages_of(source)) {
    if (!candidates.contains(package))
      return fmt::format(fmt::runtime(_("apt has no package {} (after apt-get update it may)")),
                         package);
  }
  return {};
}

AptChanges Apt::simulate(Words verb_and_packages, const Activity& activity) const {
  Words argv = {"apt-get", "-s", "-q", "-y"};
  argv.insert(argv.end(), verb_and_packages.begin(), verb_and_packages.end());
  const auto result = run(argv, activity);
  if (!result.ok())
    throw apt_failure(result.out + "\n" + result.err,
                      _("apt cannot do this"),
                      text::join(verb_and_packages, " "));
  return parse_apt_simulation(result.out);
}

void Apt::act(Words options, const Words& packages, const Activity& activity) const {
  Words argv = {"apt-get",
                "-q",
                "-y",
                "-o",
                kLockTimeout,
                "-o",
                "Dpkg::Use-Pty=0",
                "-o",
                "Dpkg::Options::=--force-confdef",
                "-o",
                "Dpkg::Options::=--force-confold"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.end(), packages.begin(), packages.end());
  const auto result = run(argv, activity);
  if (!result.ok())
    throw apt_failure(
        result.out + "\n" + result.err, _("apt-get failed"), text::join(packages, " "));
}

std::map<std::string, PackageStatus> Apt::status_of(const Words& packages,
                                                    const Activity& activity) const {
  if (packages.empty())
    return {};
  Words argv = {"dpkg-query", "-W", "-f", kDpkgFormat, "--"};
  argv.insert(argv.end(), packages.begin(), packages.end());
  const auto result = run(argv, activity);
  // 1 says that some package is unknown; the others are listed.
  if (result.status > 1)
    throw Error(ErrorKind::Io, _("cannot read the state of the distribution's packages"))
        .cause(std::string(text::trim(result.err)));
  return parse_dpkg_status(result.out);
}

/// What installing `packages` would change; Unsatisfiable if other packages would have to go.
AptChanges Apt::simulate_install(const Words& packages, const Activity& activity) const {
  Words argv = install_options({});
  argv.insert(argv.end(), packages.begin(), packages.end());
  AptChanges changes = simulate(argv, activity);
  if (changes.removed.empty())
    return changes;
  Words names;
  for (const auto& [name, version] : changes.removed)
    names.push_back(name);
  throw Error(ErrorKind::Unsatisfiable,
              _("the distribution's packages could only be installed by removing others"),
              text::join(packages, " "))
      .cause(text::join(names, " "));
}

/// Notes in `staged` what is there before and what the change brings.
void Apt::record(const Words& packages,
                 const AptChanges& changes,
                 Staged& staged,
                 const Activity& activity) const {
  Words brought;
  std::set<std::string> touched(packages.begin(), packages.end());
  Json upgraded = Json::object();
  for (const auto& [name, version] : changes.installed) {
    brought.push_back(name);
    touched.insert(name);
  }
  for (const auto& [name, upgrade] : changes.upgraded) {
    touched.insert(name);
    upgraded[name] = upgrade.to;
  }
  Json before = {{"versions", Json::object()}};
  const auto statuses = status_of({touched.begin(), touched.end()}, activity);
  for (const std::string& name : touched) {
    const auto found = statuses.find(name);
    const bool there = found != statuses.end() && found->second.present();
    before["versions"][name] = there ? found->second.version : "";
  }
  staged.external_before = before.dump();
  staged.external_wanted =
      Json{{"packages", packages}, {"installed", brought}, {"upgraded", upgraded}}.dump();
}

void Apt::install(const Words& packages,
                  const StageRequest& request,
                  Staged& staged,
                  const Activity& activity) const {
  const AptChanges changes = simulate_install(packages, activity);
  record(packages, changes, staged, activity);
  if (changes.installed.empty() && changes.upgraded.empty())
    return;

  // The download changes apt's cache only; after it the network can no longer fail the change.
  act(install_options({"--no-remove", "--download-only"}), packages, activity);
  activity.cancellation.throw_if_requested();
  if (request.journal_external)
    request.journal_external(*staged.external_before, *staged.external_wanted);
  act(install_options({"--no-remove", "--no-download"}), packages, to_the_end(activity));
  activity.cancellation.throw_if_requested();
}

Staged Apt::stage(const StageRequest& request, const Activity& activity) {
  const catalog::Source& source = *request.source;
  const Words& packages = packages_of(source);
  if (packages.empty())
    throw Error(ErrorKind::InvalidData, _("an apt source names no package"), request.module);
  if (!source.files.empty())
    throw Error(ErrorKind::InvalidData,
                _("an apt source has no payload to put files into"),
                request.module);

  Staged staged;
  staged.detail = describe(source);
  staged.identity = "apt\n" + text::join(packages, "\n") + "\n";
  staged.executables = source.executables;
  const std::string event_id = "apt:" + request.module;
  activity.reporter.report(
      event::Started{event_id,
                     fmt::format(fmt::runtime(_("Installing packages {}")), staged.detail),
                     std::nullopt});
  try {
    install(packages, request, staged, activity);
  } catch (...) {
    activity.reporter.report(event::Finished{event_id, false, {}});
    throw;
  }
  activity.reporter.report(event::Finished{event_id, true, {}});

  const auto statuses = status_of(packages, activity);
  for (const std::string& package : packages) {
    const auto found = statuses.find(package);
    if (found == statuses.end() || !found->second.installed())
      throw Error(ErrorKind::Io, _("apt-get left a package uninstalled"), package);
  }
  staged.delivered = statuses.at(packages.front()).version;
  for (const auto& [name, path] : source.executables) {
    if (!path.starts_with('/') || !is_executable(around_.files, path))
      throw Error(ErrorKind::InvalidData,
                  _("the packages lack an executable that the manifest names"),
                  name)
          .cause(path);
  }
  return staged;
}

/// The packages that `wanted` brought, that are still there, and that were not taken over by the
/// administrator since (`apt install` of a dependency marks it as wanted in its own right).
Words Apt::undoable(const Json& before, const Json& wanted, const Activity& activity) const {
  const Words requested = names_in(wanted, "packages");
  const Json versions = before.value("versions", Json::object());
  const auto statuses = status_of(names_in(wanted, "installed"), activity);
  Words argv = {"apt-mark", "showmanual"}, present;
  for (const std::string& name : names_in(wanted, "installed")) {
    const auto found = statuses.find(name);
    const bool was_there = !versions.value(name, "").empty();
    if (!was_there && found != statuses.end() && found->second.present())
      present.push_back(name);
  }
  if (present.empty())
    return {};
  argv.insert(argv.end(), present.begin(), present.end());
  std::set<std::string> manual;
  for (const std::string& line : text::lines(run(argv, activity).out))
    manual.insert(std::string(text::trim(line)));

  Words out;
  for (const std::string& name : present) {
    const bool asked_by_us = std::find(requested.begin(), requested.end(), name) != requested.end();
    const auto status = statuses.find(name);
    if (asked_by_us || !manual.contains(name) || !status->second.installed())
      out.push_back(name);
  }
  return out;
}

/// The largest part of `packages` that apt would remove without touching anything else.
Words Apt::removable(const Words& packages, const Activity& activity) const {
  const std::set<std::string> ours(packages.begin(), packages.end());
  const auto harmless = [&](const Words& chosen) {
    Words argv = remove_options();
    argv.insert(argv.end(), chosen.begin(), chosen.end());
    const AptChanges changes = simulate(argv, activity);
    return changes.installed.empty() && changes.upgraded.empty() &&
           std::all_of(changes.removed.begin(), changes.removed.end(), [&](const auto& removed) {
             return ours.contains(removed.first);
           });
  };
  if (harmless(packages))
    return packages;
  Words chosen;
  for (const std::string& name : packages) {
    chosen.push_back(name);
    if (harmless(chosen))
      continue;
    chosen.pop_back();
    activity.warn(
        "source",
        fmt::format(fmt::runtime(_("package {} stays: other packages need it now")), name));
  }
  return chosen;
}

/// A run that was killed in the middle of dpkg leaves apt refusing everything but this.
void Apt::repair_dpkg(const Activity& activity) const {
  if (run({"dpkg", "--audit"}, activity).out.empty() &&
      run({"apt-get", "check", "-q"}, activity).ok())
    return;
  activity.info("source", _("finishing an interrupted change of the distribution's packages"));
  run({"dpkg", "--configure", "-a", "--force-confdef", "--force-confold"}, activity);
}

void Apt::undo_external(const std::string& before,
                        const std::string& wanted,
                        const std::vector<std::string>& wanted_by_others,
                        const Activity& activity) {
  const Activity undoing = to_the_end(activity);
  Words packages = undoable(parse_record(before), parse_record(wanted), undoing);
  for (const std::string& other : wanted_by_others) {
    const Json record = parse_record(other);
    for (const Json& name : record.value("packages", Json::array()))
      std::erase(packages, name.get<std::string>());
  }
  if (packages.empty())
    return;
  repair_dpkg(undoing);
  packages = removable(packages, undoing);
  if (!packages.empty())
    act(remove_options(), packages, undoing);
}

std::string Apt::inherited(const std::string& wanted, const std::string& needed_by) const {
  const Json record = parse_record(wanted), needs = parse_record(needed_by);
  const Words needed = names_in(needs, "packages"), requested = names_in(record, "packages");
  Words shared, brought;
  for (const std::string& name : names_in(record, "installed")) {
    const bool is_shared = std::find(needed.begin(), needed.end(), name) != needed.end();
    if (is_shared)
      shared.push_back(name);
    // What came along with them may be what the shared ones stand on.
    if (is_shared || std::find(requested.begin(), requested.end(), name) == requested.end())
      brought.push_back(name);
  }
  if (shared.empty())
    return {};
  return Json{{"packages", shared}, {"installed", brought}, {"upgraded", Json::object()}}.dump();
}

std::map<std::string, std::string> Apt::versions(const std::string& wanted,
                                                 const Activity& activity) {
  const Words packages = names_in(parse_record(wanted), "packages");
  std::map<std::string, std::string> versions;
  if (packages.empty())
    return versions;
  const auto statuses = status_of(packages, activity);
  for (const std::string& package : packages) {
    const auto found = statuses.find(package);
    versions[package] =
        found != statuses.end() && found->second.present() ? found->second.version : "";
  }
  return versions;
}

std::vector<std::string> Apt::verify_external(const std::string& wanted, const Activity& activity) {
  const Json record = parse_record(wanted);
  // What the packages need is dpkg's to keep; a distribution upgrade may well exchange it.
  Words packages = names_in(record, "packages");
  if (packages.empty())
    packages = names_in(record, "installed");
  const auto statuses = status_of(packages, activity);
  std::vector<std::string> faults;
  for (const std::string& package : packages) {
    const auto found = statuses.find(package);
    const std::string status = found == statuses.end() ? "not-installed" : found->second.status;
    if (status != "installed")
      faults.push_back(
          fmt::format(fmt::runtime(_("package {} is {} in dpkg's records")), package, status));
  }
  return faults;
}

}  // namespace

std::unique_ptr<SourceKind> make_apt_source(Surroundings surroundings) {
  return std::make_unique<Apt>(surroundings);
}

}  // namespace las::source
