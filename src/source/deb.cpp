// SPDX-License-Identifier: Apache-2.0
#include "apt_output.hpp"
#include "deb_packages.hpp"
#include "payload.hpp"
#include "program_paths.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/hasher.hpp"
#include "las/source/source.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::source {

namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

constexpr const char* kStatus = "/var/lib/dpkg/status";
/// Where in the payload the launchers of its executables lie.
constexpr const char* kLaunchers = ".bin";

/// A package that goes into the payload.
struct Package {
  std::string name, version, digest;

  std::string asked() const { return name + "=" + version; }
};

class Deb : public SourceKind {
 public:
  explicit Deb(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "deb"; }

  std::string unavailable(const catalog::Source& source, const Activity& activity) override;
  std::string describe(const catalog::Source& source) const override;
  std::string newest(const catalog::Source& source, const Activity& activity) override;
  catalog::Source bound_to(const catalog::Source& source,
                           const std::vector<InputArtifact>& artifacts) const override;
  Staged stage(const StageRequest& request, const Activity& activity) override;

 private:
  platform::ProcessResult run(Words argv,
                              const Activity& activity,
                              const fs::path& directory = {}) const;
  std::map<std::string, std::string> candidates(const Words& packages,
                                                const Activity& activity) const;
  std::vector<Package> choose(const catalog::DebSource& source,
                              const fs::path& staging,
                              const Activity& activity) const;
  void add_digests(std::vector<Package>& packages, const Activity& activity) const;
  void unpack(const std::vector<Package>& packages,
              const fs::path& staging,
              const fs::path& payload,
              const Activity& activity) const;
  void take_away_rights(const fs::path& folder) const;
  Words library_folders(const fs::path& payload, const fs::path& final_place) const;

  Surroundings around_;
};

const catalog::DebSource& deb_of(const catalog::Source& source) {
  return std::get<catalog::DebSource>(source.how);
}

platform::ProcessResult Deb::run(Words argv,
                                 const Activity& activity,
                                 const fs::path& directory) const {
  platform::Command command;
  command.argv = std::move(argv);
  command.environment = around_.environment.variables;
  command.environment["PATH"] = kAdministratorPath;
  command.environment["LC_ALL"] = "C";
  command.working_directory = directory;
  return around_.processes.run(command, activity, std::nullopt, [&](std::string_view line) {
    activity.debug("source", std::string(line));
  });
}

std::string Deb::describe(const catalog::Source& source) const {
  return text::join(deb_of(source).packages, " ");
}

std::map<std::string, std::string> Deb::candidates(const Words& packages,
                                                   const Activity& activity) const {
  Words argv = {"apt-cache", "policy"};
  argv.insert(argv.end(), packages.begin(), packages.end());
  return parse_apt_candidates(run(argv, activity).out);
}

std::string Deb::unavailable(const catalog::Source& source, const Activity& activity) {
  for (const char* program : {"apt-get", "apt-cache", "dpkg-deb"}) {
    if (!around_.processes.find_program(program, kAdministratorPath))
      return fmt::format(fmt::runtime(_("this distribution has no {}")), program);
  }
  const auto known = candidates(deb_of(source).packages, activity);
  for (const std::string& package : deb_of(source).packages) {
    if (!known.contains(package))
      return fmt::format(fmt::runtime(_("apt has no package {} (after apt-get update it may)")),
                         package);
  }
  return {};
}

std::string Deb::newest(const catalog::Source& source, const Activity& activity) {
  const Words& packages = deb_of(source).packages;
  if (packages.empty() || !around_.processes.find_program("apt-cache", kAdministratorPath))
    return {};
  const auto known = candidates({packages.front()}, activity);
  const auto found = known.find(packages.front());
  return found == known.end() ? std::string() : found->second;
}

/// What apt would install on a bare machine, less what the manifest can do without.
std::vector<Package> Deb::choose(const catalog::DebSource& source,
                                 const fs::path& staging,
                                 const Activity& activity) const {
  std::vector<Package> chosen;
  if (!source.versions.empty()) {
    for (const auto& [name, version] : source.versions)
      chosen.push_back({name, version, {}});
    return chosen;
  }
  const fs::path status = staging / "status";
  around_.files.make_directories(staging);
  around_.files.replace_file(status,
                             bare_machine(around_.files.read_file(kStatus, ByteSize::mib(256))));
  Words argv = {"apt-get",
                "-s",
                "-q",
                "-o",
                "Dir::State::status=" + status.string(),
                // Made for another list of packages than the machine's, it would be kept for it.
                "-o",
                "Dir::Cache::pkgcache=",
                "-o",
                "Dir::Cache::srcpkgcache=",
                "--no-install-recommends",
                "install"};
  argv.insert(argv.end(), source.packages.begin(), source.packages.end());
  const auto result = run(argv, activity);
  if (!result.ok())
    throw apt_failure(
        result.out + "\n" + result.err, _("apt cannot do this"), text::join(source.packages, " "));
  for (const auto& [name, version] : parse_apt_simulation(result.out).installed) {
    if (!matches_any(name, source.without))
      chosen.push_back({name, version, {}});
  }
  around_.files.remove_file(status);
  // On a machine so bare that even this is a part of it there is nothing to bring.
  for (const std::string& package : source.packages) {
    if (std::none_of(
            chosen.begin(), chosen.end(), [&](const Package& one) { return one.name == package; }))
      throw Error(ErrorKind::Unsatisfiable,
                  _("apt counts this package as a part of every machine"),
                  package);
  }
  return chosen;
}

void Deb::add_digests(std::vector<Package>& packages, const Activity& activity) const {
  // Else it tells the strongest of its index, which is another one where the archive has more.
  Words argv = {"apt-get", "-q", "download", "--print-uris", "-o", "Acquire::ForceHash=SHA256"};
  for (const Package& package : packages)
    argv.push_back(package.asked());
  const auto result = run(argv, activity);
  if (!result.ok())
    throw apt_failure(
        result.out + "\n" + result.err, _("apt cannot do this"), packages.front().asked());
  // Files are called PACKAGE_VERSION_ARCHITECTURE.deb: deb(5) and apt-get(8).
  std::map<std::string, std::string> by_package;
  for (const DebFile& file : parse_print_uris(result.out))
    by_package[file.name.substr(0, file.name.find('_'))] = file.digest;
  for (Package& package : packages) {
    package.digest = by_package[package.name];
    if (package.digest.empty())
      throw Error(ErrorKind::Io, _("apt does not say what the package's file has to be"))
          .cause(package.asked());
  }
}

void Deb::unpack(const std::vector<Package>& packages,
                 const fs::path& staging,
                 const fs::path& payload,
                 const Activity& activity) const {
  const fs::path downloads = staging / "debs";
  around_.files.make_directories(downloads);
  Words argv = {"apt-get", "-q", "download"};
  for (const Package& package : packages)
    argv.push_back(package.asked());
  const auto fetched = run(argv, activity, downloads);
  if (!fetched.ok())
    throw apt_failure(
        fetched.out + "\n" + fetched.err, _("apt-get failed"), packages.front().asked());
  activity.cancellation.throw_if_requested();

  std::map<std::string, fs::path> by_digest;
  for (const std::string& name : around_.files.list_directory(downloads))
    by_digest[platform::digest_of_file(downloads / name).hex()] = downloads / name;
  around_.files.make_directories(payload);
  for (const Package& package : packages) {
    const auto file = by_digest.find(package.digest);
    if (file == by_digest.end())
      throw Error(ErrorKind::Integrity,
                  _("what apt fetched is not the file that its index names"),
                  package.asked());
    const auto unpacked =
        run({"dpkg-deb", "-x", file->second.string(), payload.string()}, activity);
    if (!unpacked.ok())
      throw Error(ErrorKind::Io, _("a package cannot be unpacked"), package.asked())
          .cause(std::string(text::trim(unpacked.err)));
    activity.cancellation.throw_if_requested();
  }
  around_.files.remove_tree(downloads);
}

/// What a package may do to a machine, a payload may not: its programs run with nobody's rights but
/// the caller's.
void Deb::take_away_rights(const fs::path& folder) const {
  constexpr std::uint32_t kSpecial = 07000, kReadable = 0444, kEnterable = 0555;
  for (const std::string& name : around_.files.list_directory(folder)) {
    const fs::path path = folder / name;
    const auto status = around_.files.status(path);
    if (!status || status->kind == platform::FileKind::Symlink)
      continue;
    const bool is_folder = status->kind == platform::FileKind::Directory;
    const std::uint32_t wanted = (status->mode & ~kSpecial) | (is_folder ? kEnterable : kReadable);
    if (wanted != status->mode)
      around_.files.set_mode(path, wanted);
    if (is_folder)
      take_away_rights(path);
  }
}

/// The folders of the payload where the loader has to look, at their final place.
Words Deb::library_folders(const fs::path& payload, const fs::path& final_place) const {
  Words folders;
  for (const char* base : {"usr/lib", "lib"}) {
    if (!around_.files.exists(payload / base))
      continue;
    for (const std::string& name : around_.files.list_directory(payload / base)) {
      // Debian's folders of one architecture: x86_64-linux-gnu, arm-linux-gnueabihf.
      if (name.find("-linux-gnu") != std::string::npos)
        folders.push_back((final_place / base / name).string());
    }
  }
  return folders;
}

/// What a lock names is fetched, no more and no less: its packages with their versions.
catalog::Source Deb::bound_to(const catalog::Source& source,
                              const std::vector<InputArtifact>& artifacts) const {
  catalog::Source bound = source;
  auto& deb = std::get<catalog::DebSource>(bound.how);
  deb.versions.clear();
  deb.digests.clear();
  for (const InputArtifact& artifact : artifacts) {
    const auto equals = artifact.from.find('=');
    if (equals == std::string::npos)
      throw Error(ErrorKind::Unsatisfiable, _("the lock names no package there"), artifact.from);
    const std::string name = artifact.from.substr(0, equals);
    deb.versions[name] = artifact.from.substr(equals + 1);
    deb.digests[name] = artifact.digest.hex();
  }
  for (const std::string& package : deb.packages) {
    if (!deb.versions.contains(package))
      throw Error(ErrorKind::Unsatisfiable, _("the lock lacks a package"), package);
  }
  return bound;
}

Staged Deb::stage(const StageRequest& request, const Activity& activity) {
  const catalog::Source& source = *request.source;
  const catalog::DebSource& deb = deb_of(source);
  const std::vector<PayloadFile> files =
      read_manifest_files(around_.files, source.files, request.manifest_directory);
  std::vector<Package> packages = choose(deb, request.staging, activity);
  add_digests(packages, activity);

  Staged staged;
  staged.detail = describe(source);
  staged.identity = "deb\n";
  for (const Package& package : packages) {
    const auto bound = deb.digests.find(package.name);
    if (bound != deb.digests.end() && bound->second != package.digest)
      throw Error(ErrorKind::Integrity, _("apt has other bytes for this version"), package.asked());
    staged.identity += fmt::format("{} {}\n", package.asked(), package.digest);
    staged.artifacts.push_back({package.asked(), *Digest::parse("sha256:" + package.digest)});
    if (!deb.packages.empty() && package.name == deb.packages.front())
      staged.delivered = package.version;
  }
  for (const auto& [name, path] : source.executables) {
    staged.identity += fmt::format("{} {}\n", name, path);
    staged.executables[name] = std::string(kLaunchers) + "/" + name;
  }
  staged.identity += identity_of(files);
  staged.store_name = make_store_name(request.module,
                                      staged.delivered.empty() ? request.version : staged.delivered,
                                      staged.identity);
  if (request.in_store && request.in_store(staged.store_name))
    return staged;

  staged.payload = request.staging / "payload";
  const std::string event_id = "deb:" + request.module;
  activity.reporter.report(
      event::Started{event_id,
                     fmt::format(fmt::runtime(_("Unpacking packages {}")), staged.detail),
                     std::nullopt});
  try {
    unpack(packages, request.staging, staged.payload, activity);
  } catch (...) {
    activity.reporter.report(event::Finished{event_id, false, {}});
    throw;
  }
  activity.reporter.report(event::Finished{event_id, true, {}});
  take_away_rights(staged.payload);
  check_executables(around_.files, source.executables, staged.payload);

  const fs::path final_place = around_.layout.store() / staged.store_name;
  std::vector<PayloadFile> placed = files;
  const Words libraries = library_folders(staged.payload, final_place);
  for (const auto& [name, path] : source.executables)
    placed.push_back(
        {staged.executables.at(name), launcher((final_place / path).string(), libraries), true});
  place_manifest_files(around_.files, placed, staged.payload);
  return staged;
}

}  // namespace

std::unique_ptr<SourceKind> make_deb_source(Surroundings surroundings) {
  return std::make_unique<Deb>(surroundings);
}

}  // namespace las::source
