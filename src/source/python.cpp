// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"
#include "pip.hpp"
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
using platform::FileKind;

namespace {

constexpr std::string_view kPythonLine = "#!python";
/// What the artefact of a python payload is called.
constexpr const char* kLockName = "requirements";
// In the system scope services run as users who cannot enter an administrator's home folder, where
// the first python3 of PATH may lie.
constexpr const char* kAskVersion =
    "import ensurepip, venv, platform; print(platform.python_version())";

struct Interpreter {
  fs::path path;
  std::string version;  ///< "" when ensurepip or venv is missing
};

class Python : public SourceKind {
 public:
  explicit Python(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "python"; }

  std::string unavailable(const catalog::Source& source, const Activity& activity) override;
  std::string describe(const catalog::Source& source) const override;
  catalog::Source bound_to(const catalog::Source& source,
                           const std::vector<InputArtifact>& artifacts) const override;
  Staged stage(const StageRequest& request, const Activity& activity) override;

 private:
  std::optional<Interpreter> find_interpreter(const VersionRange& range,
                                              const Activity& activity) const;
  std::map<std::string, std::string> environment(const fs::path& staging) const;
  void build(const Interpreter& interpreter,
             const StageRequest& request,
             const std::string& lock,
             const fs::path& payload,
             const Activity& activity) const;
  void remove_installer(const fs::path& payload,
                        const std::vector<std::string>& requirements,
                        const std::map<std::string, std::string>& variables,
                        const Activity& activity) const;
  platform::ProcessResult run(std::vector<std::string> argv,
                              const std::map<std::string, std::string>& variables,
                              const Activity& activity) const;
  void move_in_text(const fs::path& file, const std::string& from, const std::string& to) const;
  void relocate(const fs::path& payload, const fs::path& final_place) const;

  Surroundings around_;
};

const catalog::PythonSource& python_of(const catalog::Source& source) {
  return std::get<catalog::PythonSource>(source.how);
}

std::string Python::describe(const catalog::Source& source) const {
  const auto& requirements = python_of(source).requirements;
  if (requirements.empty())
    return {};
  const std::string first = requirement_name(requirements.front());
  if (requirements.size() == 1)
    return first;
  return fmt::format(fmt::runtime(LAS_N("{} and {} more package",
                                        "{} and {} more packages",
                                        static_cast<unsigned long>(requirements.size() - 1))),
                     first,
                     requirements.size() - 1);
}

platform::ProcessResult Python::run(std::vector<std::string> argv,
                                    const std::map<std::string, std::string>& variables,
                                    const Activity& activity) const {
  platform::Command command;
  command.argv = std::move(argv);
  command.environment = variables;
  return around_.processes.run(command, activity, std::nullopt, [&](std::string_view line) {
    activity.debug("source", std::string(line));
  });
}

/// The first python3 that can make environments and is in `range`; failing that, the nearest to it.
std::optional<Interpreter> Python::find_interpreter(const VersionRange& range,
                                                    const Activity& activity) const {
  std::vector<std::string> search;
  if (around_.layout.scope == platform::Scope::System)
    search.emplace_back(kSystemPath);
  search.push_back(around_.environment.get("PATH").value_or(kSystemPath));
  std::optional<Interpreter> nearest;
  for (const std::string& path : search) {
    const auto found = around_.processes.find_program("python3", path);
    if (!found || (nearest && nearest->path == *found))
      continue;
    const auto result = run({found->string(), "-c", kAskVersion}, environment({}), activity);
    const std::string version = result.ok() ? std::string(text::trim(result.out)) : "";
    if (!version.empty() && range.contains(Version(version)))
      return Interpreter{*found, version};
    if (!nearest || nearest->version.empty())
      nearest = Interpreter{*found, version};
  }
  return nearest;
}

/// Ours, so that proxies, certificates and pip's own settings reach pip, without what would lead
/// the environment out of its folder.
std::map<std::string, std::string> Python::environment(const fs::path& staging) const {
  auto variables = around_.environment.variables;
  for (const char* name : {"PYTHONPATH",
                           "PYTHONHOME",
                           "PYTHONSTARTUP",
                           "VIRTUAL_ENV",
                           "PIP_TARGET",
                           "PIP_PREFIX",
                           "PIP_ROOT",
                           "PIP_PYTHON"})
    variables.erase(name);
  variables["PIP_USER"] = "0";  // a configuration file may say otherwise
  variables["PYTHONDONTWRITEBYTECODE"] = "1";
  variables["PYTHONNOUSERSITE"] = "1";
  variables["LC_ALL"] = "C.UTF-8";
  // Wheels can be larger than a /tmp in memory; and what a killed pip leaves goes with the staging.
  if (!staging.empty())
    variables["TMPDIR"] = (staging / "tmp").string();
  if (!around_.environment.get("PIP_CACHE_DIR"))
    variables["PIP_CACHE_DIR"] = (around_.layout.cache / "pip").string();
  return variables;
}

std::string Python::unavailable(const catalog::Source& source, const Activity& activity) {
  const VersionRange& range = python_of(source).python;
  const auto interpreter = find_interpreter(range, activity);
  if (!interpreter)
    return _("python3 is missing (apt install python3-venv)");
  if (interpreter->version.empty())
    return _("python3 cannot make environments (apt install python3-venv)");
  if (!range.contains(Version(interpreter->version)))
    return fmt::format(fmt::runtime(_("it needs python {}; this machine has {}")),
                       range.to_string(),
                       interpreter->version);
  return {};
}

void Python::build(const Interpreter& interpreter,
                   const StageRequest& request,
                   const std::string& lock,
                   const fs::path& payload,
                   const Activity& activity) const {
  const auto variables = environment(request.staging);
  around_.files.make_directories(request.staging / "tmp");
  const auto venv =
      run({interpreter.path.string(), "-m", "venv", payload.string()}, variables, activity);
  if (!venv.ok())
    throw Error(ErrorKind::Io, _("cannot make a python environment"), request.module)
        .cause(std::string(text::trim(venv.err.empty() ? venv.out : venv.err)))
        .hint("apt install python3-venv");

  const fs::path lock_file = payload / "requirements.lock";
  const auto writer = around_.files.create_file(lock_file);
  writer->write(lock);
  writer->close();
  const auto pip = run({(payload / "bin/python3").string(),
                        "-m",
                        "pip",
                        "install",
                        "--require-hashes",
                        "--no-deps",
                        "--only-binary",
                        ":all:",
                        "--no-compile",
                        "--no-input",
                        "--disable-pip-version-check",
                        "--progress-bar",
                        "off",
                        "-r",
                        lock_file.string()},
                       variables,
                       activity);
  if (!pip.ok())
    throw pip_failure(pip.out + "\n" + pip.err,
                      _("pip cannot install the locked packages"),
                      describe(*request.source));
  remove_installer(payload, python_of(*request.source).requirements, variables, activity);
  around_.files.remove_tree(request.staging / "tmp");
}

/// The lock names every file with its hash, so its own digest stands for all of them.
catalog::Source Python::bound_to(const catalog::Source& source,
                                 const std::vector<InputArtifact>& artifacts) const {
  require_lock(artifacts,
               {kLockName, platform::digest_of(render_lock(python_of(source).requirements))},
               describe(source));
  return source;
}

/// What installed the packages is no part of the payload, unless the lock names it.
void Python::remove_installer(const fs::path& payload,
                              const std::vector<std::string>& requirements,
                              const std::map<std::string, std::string>& variables,
                              const Activity& activity) const {
  std::vector<std::string> argv = {(payload / "bin/python3").string(),
                                   "-m",
                                   "pip",
                                   "--disable-pip-version-check",
                                   "uninstall",
                                   "-q",
                                   "-y"};
  const std::size_t fixed = argv.size();
  for (const char* project : {"setuptools", "pip"}) {
    if (std::none_of(requirements.begin(), requirements.end(), [&](const std::string& line) {
          return requires_project(line, project);
        }))
      argv.emplace_back(project);
  }
  if (argv.size() == fixed)
    return;
  const auto result = run(argv, variables, activity);
  if (!result.ok())
    throw pip_failure(
        result.out + "\n" + result.err, _("pip cannot remove itself"), payload.string());
}

void Python::move_in_text(const fs::path& file,
                          const std::string& from,
                          const std::string& to) const {
  const auto status = around_.files.status(file);
  if (!status || status->kind != FileKind::Regular || status->size > ByteSize::mib(4).bytes())
    return;
  std::string content = around_.files.read_file(file);
  if (content.find('\0') != std::string::npos || content.find(from) == std::string::npos)
    return;
  for (std::size_t at = content.find(from); at != std::string::npos;
       at = content.find(from, at + to.size()))
    content.replace(at, from.size(), to);
  around_.files.replace_file(file, content, status->mode);
}

/// An environment knows its own place, in the first line of its programs and its activation
/// scripts; they are told the place in the store.
void Python::relocate(const fs::path& payload, const fs::path& final_place) const {
  move_in_text(payload / "pyvenv.cfg", payload.string(), final_place.string());
  for (const std::string& name : around_.files.list_directory(payload / "bin"))
    move_in_text(payload / "bin" / name, payload.string(), final_place.string());
}

std::vector<PayloadFile> with_interpreter(std::vector<PayloadFile> files, const fs::path& python) {
  for (PayloadFile& file : files) {
    const std::string first_line = file.content.substr(0, file.content.find('\n'));
    if (file.executable && text::trim(first_line) == kPythonLine)
      // -B: a payload in the store never changes, so nothing may write byte code beside it.
      file.content.replace(0, first_line.size(), "#!" + python.string() + " -B");
  }
  return files;
}

Staged Python::stage(const StageRequest& request, const Activity& activity) {
  const catalog::Source& source = *request.source;
  const std::vector<PayloadFile> files =
      read_manifest_files(around_.files, source.files, request.manifest_directory);
  const std::string lock = render_lock(python_of(source).requirements);
  const auto interpreter = find_interpreter(python_of(source).python, activity);
  if (!interpreter || interpreter->version.empty())
    throw Error(ErrorKind::NotFound, _("python3 cannot make environments"), request.module)
        .hint("apt install python3-venv");

  Staged staged;
  staged.payload = request.staging / "payload";
  staged.identity = fmt::format("python {}\n{}{}", interpreter->version, lock, identity_of(files));
  staged.store_name = make_store_name(request.module, request.version, staged.identity);
  staged.delivered = source.delivers;
  staged.detail = describe(source);
  staged.artifacts = {{kLockName, platform::digest_of(lock)}};
  staged.executables = source.executables;

  const std::string event_id = "python:" + request.module;
  activity.reporter.report(event::Started{
      event_id, fmt::format(fmt::runtime(_("Installing {}")), staged.detail), std::nullopt});
  try {
    build(*interpreter, request, lock, staged.payload, activity);
  } catch (...) {
    activity.reporter.report(event::Finished{event_id, false, {}});
    throw;
  }
  activity.reporter.report(event::Finished{event_id, true, {}});

  const fs::path final_place = around_.layout.store() / staged.store_name;
  relocate(staged.payload, final_place);
  place_manifest_files(
      around_.files, with_interpreter(files, final_place / "bin/python3"), staged.payload);
  check_executables(around_.files, source.executables, staged.payload);
  return staged;
}

}  // namespace

std::unique_ptr<SourceKind> make_python_source(Surroundings surroundings) {
  return std::make_unique<Python>(surroundings);
}

}  // namespace las::source
