// SPDX-License-Identifier: Apache-2.0
#include "npm_cli.hpp"
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

constexpr const char* kAskNode =
    "process.stdout.write([process.versions.node,process.platform,process.arch].join(' '))";
/// Of the lock's format; older ones would read it as something else.
constexpr const char* kOldestNpm = "7";

struct Tools {
  fs::path npm;
  std::string path;  ///< PATH with which npm finds its node
  std::string node;  ///< version
  std::string npm_version;
  std::string platform;  ///< "linux x64", for which npm chooses packages
};

/// Either both programs, or why not.
struct Found {
  std::optional<Tools> tools;
  std::string why;
};

class Npm : public SourceKind {
 public:
  explicit Npm(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "npm"; }

  std::string unavailable(const catalog::Source& source, const Activity& activity) override;
  std::string describe(const catalog::Source& source) const override;
  catalog::Source bound_to(const catalog::Source& source,
                           const std::vector<InputArtifact>& artifacts) const override;
  Staged stage(const StageRequest& request, const Activity& activity) override;

 private:
  Found find_tools(const VersionRange& node, const Activity& activity) const;
  std::optional<std::string> ask(std::vector<std::string> argv,
                                 const std::string& path,
                                 const Activity& activity) const;
  void write(const fs::path& path, const std::string& content) const;
  platform::ProcessResult npm(const Tools& tools,
                              const fs::path& staging,
                              std::vector<std::string> arguments,
                              const Activity& activity) const;
  void build(const Tools& tools,
             const StageRequest& request,
             const catalog::NpmLock& lock,
             const Activity& activity) const;
  void run_scripts(const Tools& tools, const StageRequest& request, const Activity& activity) const;

  Surroundings around_;
};

const catalog::NpmSource& npm_of(const catalog::Source& source) {
  return std::get<catalog::NpmSource>(source.how);
}

/// The lock names every file with its hash, so its own digest stands for all of them.
InputArtifact lock_of(const catalog::NpmSource& how) {
  return {"package-lock.json",
          platform::digest_of(render_npm_lock(read_npm_lock(how.lock, how.lock_file), how.lock))};
}

catalog::Source Npm::bound_to(const catalog::Source& source,
                              const std::vector<InputArtifact>& artifacts) const {
  require_lock(artifacts, lock_of(npm_of(source)), describe(source));
  return source;
}

std::string Npm::describe(const catalog::Source& source) const {
  Diagnostics ignored;  // staging tells them
  const auto lock = catalog::parse_npm_lock(npm_of(source).lock, {}, ignored);
  if (!lock)
    return npm_of(source).lock_file;
  const std::string first = lock->wanted.front().name + "@" + lock->wanted.front().version;
  const std::size_t others = lock->packages.size() - 1;
  if (others == 0)
    return first;
  return fmt::format(
      fmt::runtime(LAS_N(
          "{} and {} more package", "{} and {} more packages", static_cast<unsigned long>(others))),
      first,
      others);
}

std::optional<std::string> Npm::ask(std::vector<std::string> argv,
                                    const std::string& path,
                                    const Activity& activity) const {
  platform::Command command;
  command.argv = std::move(argv);
  command.environment = npm_environment(around_.environment.variables);
  command.environment["PATH"] = path;
  command.environment["NPM_CONFIG_UPDATE_NOTIFIER"] = "false";
  command.working_directory = "/";  // a project's settings would be read where las was started
  const auto result = around_.processes.run(command, activity);
  if (!result.ok())
    return std::nullopt;
  return std::string(text::trim(result.out));
}

/// Those that las installed come first, then the distribution's, then what this user has.
Found Npm::find_tools(const VersionRange& range, const Activity& activity) const {
  std::string path = fmt::format("{}:{}:{}",
                                 (around_.layout.current() / "bin").string(),
                                 kSystemPath,
                                 around_.environment.get("PATH").value_or(kSystemPath));
  const auto node = around_.processes.find_program("node", path);
  if (!node)
    return {std::nullopt, _("node is missing (las install node, or apt install npm)")};
  const auto npm = around_.processes.find_program("npm", path);
  if (!npm)
    return {std::nullopt, _("npm is missing (las install node, or apt install npm)")};
  path = node->parent_path().string() + ":" + path;
  const auto words =
      text::split(ask({node->string(), "-e", kAskNode}, path, activity).value_or(""), ' ');
  const auto npm_version = ask({npm->string(), "--version"}, path, activity);
  if (words.size() != 3 || !npm_version)
    return {std::nullopt, _("npm does not run here (las install node, or apt install npm)")};
  if (!range.contains(Version(words[0])))
    return {
        std::nullopt,
        fmt::format(
            fmt::runtime(_("it needs node {}; this machine has {}")), range.to_string(), words[0])};
  if (Version(*npm_version) < Version(kOldestNpm))
    return {std::nullopt,
            fmt::format(fmt::runtime(_("it needs npm {}; this machine has {}")),
                        std::string(">=") + kOldestNpm,
                        *npm_version)};
  return {Tools{*npm, path, words[0], *npm_version, words[1] + " " + words[2]}, {}};
}

std::string Npm::unavailable(const catalog::Source& source, const Activity& activity) {
  return find_tools(npm_of(source).node, activity).why;
}

void Npm::write(const fs::path& path, const std::string& content) const {
  const auto writer = around_.files.create_file(path);
  writer->write(content);
  writer->close();
}

platform::ProcessResult Npm::npm(const Tools& tools,
                                 const fs::path& staging,
                                 std::vector<std::string> arguments,
                                 const Activity& activity) const {
  const fs::path temporary = staging / "tmp";
  platform::Command command;
  command.argv = {tools.npm.string()};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  for (const std::string& option : {std::string("--omit=dev"),
                                    std::string("--no-audit"),
                                    std::string("--no-fund"),
                                    std::string("--no-update-notifier"),
                                    std::string("--no-progress"),
                                    std::string("--no-global"),
                                    std::string("--logs-max=0"),
                                    std::string("--fetch-retries=2"),
                                    std::string("--fetch-retry-mintimeout=1000"),
                                    std::string("--fetch-retry-maxtimeout=5000"),
                                    "--userconfig=" + (temporary / "npmrc").string(),
                                    "--cache=" + (around_.layout.cache / "npm").string(),
                                    "--prefix=" + (staging / "payload").string()})
    command.argv.push_back(option);
  command.environment = npm_environment(around_.environment.variables);
  command.environment["PATH"] = tools.path;
  command.environment["HOME"] = temporary.string();
  command.environment["TMPDIR"] = temporary.string();
  command.environment["LC_ALL"] = "C.UTF-8";
  command.working_directory = staging / "payload";
  return around_.processes.run(command, activity, std::nullopt, [&](std::string_view line) {
    activity.debug("source", std::string(line));
  });
}

void Npm::build(const Tools& tools,
                const StageRequest& request,
                const catalog::NpmLock& lock,
                const Activity& activity) const {
  const fs::path payload = request.staging / "payload";
  around_.files.make_directories(payload);
  around_.files.make_directories(request.staging / "tmp");
  write(request.staging / "tmp/npmrc", "");
  write(payload / "package.json", render_package_json(lock));
  write(payload / "package-lock.json", render_npm_lock(lock, npm_of(*request.source).lock));
  const auto result = npm(tools, request.staging, {"ci", "--ignore-scripts"}, activity);
  if (!result.ok())
    throw npm_failure(result.out + "\n" + result.err,
                      _("npm cannot install the locked packages"),
                      describe(*request.source));
  run_scripts(tools, request, activity);
  // npm's own note of what it did, which may name this machine's registry.
  around_.files.remove_file(payload / "node_modules/.package-lock.json");
  around_.files.remove_tree(request.staging / "tmp");
}

void Npm::run_scripts(const Tools& tools,
                      const StageRequest& request,
                      const Activity& activity) const {
  const auto& allowed = npm_of(*request.source).allow_scripts;
  if (allowed.empty())
    return;
  std::vector<std::string> arguments = {
      "rebuild", "--ignore-scripts=false", "--foreground-scripts"};
  for (const auto& [package, why] : allowed) {
    activity.info(
        "source",
        fmt::format(fmt::runtime(_("running the install scripts of {}: {}")), package, why));
    arguments.push_back(package);
  }
  // npm 11 asks for a list of its own; older ones do not know the option.
  if (!(Version(tools.npm_version) < Version("11"))) {
    std::vector<std::string> names;
    for (const auto& [package, why] : allowed)
      names.push_back(package);
    arguments.push_back("--allow-scripts=" + text::join(names, ","));
  }
  const auto result = npm(tools, request.staging, arguments, activity);
  if (!result.ok())
    throw npm_failure(result.out + "\n" + result.err,
                      _("the install scripts of a package failed"),
                      describe(*request.source));
}

Staged Npm::stage(const StageRequest& request, const Activity& activity) {
  const catalog::Source& source = *request.source;
  const catalog::NpmSource& how = npm_of(source);
  const std::vector<PayloadFile> files =
      read_manifest_files(around_.files, source.files, request.manifest_directory);
  const catalog::NpmLock lock = read_npm_lock(how.lock, how.lock_file);
  const Found found = find_tools(how.node, activity);
  if (!found.tools)
    throw Error(ErrorKind::NotFound, found.why, request.module).hint("las install node");

  Staged staged;
  staged.payload = request.staging / "payload";
  // What npm unpacks is the same with every node; what scripts build is not.
  staged.identity = fmt::format(
      "npm {}\n{}{}", found.tools->platform, render_npm_lock(lock, how.lock), identity_of(files));
  for (const auto& [package, why] : how.allow_scripts)
    staged.identity += fmt::format("scripts {} node {}\n", package, found.tools->node);
  staged.store_name = make_store_name(request.module, request.version, staged.identity);
  staged.delivered = source.delivers;
  staged.detail = describe(source);
  staged.artifacts = {lock_of(how)};
  staged.executables = source.executables;

  const std::string event_id = "npm:" + request.module;
  activity.reporter.report(event::Started{
      event_id, fmt::format(fmt::runtime(_("Installing {}")), staged.detail), std::nullopt});
  try {
    build(*found.tools, request, lock, activity);
  } catch (...) {
    activity.reporter.report(event::Finished{event_id, false, {}});
    throw;
  }
  activity.reporter.report(event::Finished{event_id, true, {}});
  place_manifest_files(around_.files, files, staged.payload);
  check_executables(around_.files, source.executables, staged.payload);
  return staged;
}

}  // namespace

std::unique_ptr<SourceKind> make_npm_source(Surroundings surroundings) {
  return std::make_unique<Npm>(surroundings);
}

}  // namespace las::source
