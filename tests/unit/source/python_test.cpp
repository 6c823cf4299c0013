// SPDX-License-Identifier: Apache-2.0
#include "archive_writer.hpp"
#include "source_bench.hpp"
#include "support/catch.hpp"

using namespace las;
using las::test::error_of;
using las::test::read_file;
using las::test::write_file;
using Lines = std::vector<std::string>;

namespace {

/// The python source in user scope; packages come from a folder, never from an index.
struct Bench : test::SourceBench {
  std::unique_ptr<platform::ProcessRunner> real = platform::make_posix_process_runner();

  Bench() {
    environment = platform::read_environment();
    layout.scope = platform::Scope::User;
    layout.state = folder / "state";
    layout.cache = folder / "cache";
    environment.variables["HOME"] = folder.path().string();
    environment.variables["PYTHONPATH"] = (folder / "astray").string();
    environment.variables["PIP_CONFIG_FILE"] = "/dev/null";
    environment.variables["PIP_NO_INDEX"] = "1";
    environment.variables["PIP_FIND_LINKS"] = (folder / "wheels").string();
    for (const char* name : {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CACHE_DIR", "PIP_USER"})
      environment.variables.erase(name);
    request.module = "tiny";
    request.version = "1.0";
    request.manifest_directory = (folder / "manifest").string();
    request.staging = layout.staging() / "op";
    std::filesystem::create_directories(request.staging);
    std::filesystem::create_directories(folder / "wheels");
  }

  /// A wheel of one file with one program, as its requirement line.
  std::string make_wheel() {
    const std::string info = "tinypkg-1.0.dist-info/";
    const auto wheel = folder / "wheels/tinypkg-1.0-py3-none-any.whl";
    test::write_archive(
        wheel,
        "zip",
        "none",
        {{"tinypkg/__init__.py", "def main():\n    print('tiny speaks')\n"},
         {info + "METADATA", "Metadata-Version: 2.1\nName: tinypkg\nVersion: 1.0\n"},
         {info + "WHEEL",
          "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
         {info + "entry_points.txt", "[console_scripts]\ntiny = tinypkg:main\n"},
         {info + "RECORD",
          "tinypkg/__init__.py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info +
              "entry_points.txt,,\n" + info + "RECORD,,\n"}});
    return "tinypkg==1.0 --hash=sha256:" + platform::digest_of_file(wheel).hex();
  }

  std::unique_ptr<source::SourceKind> python(platform::ProcessRunner& runner) {
    return source::make_python_source({*files, runner, fetcher, environment, layout});
  }

  source::Staged stage() { return python(*real)->stage(request, activity); }

  std::string unavailable() { return python(processes)->unavailable(source, activity); }
};

Lines names_in(const std::filesystem::path& folder) {
  Lines out;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

const std::string kWrongHash = "tinypkg==1.0 --hash=sha256:" + std::string(64, '0');

}  // namespace

TEST_CASE("python is offered only where it can make environments of the right version",
          "[source]") {
  Bench bench;
  bench.source.how = catalog::PythonSource{{kWrongHash}, *VersionRange::parse(">=3.10,<3.13")};
  CHECK(bench.unavailable() == "python3 is missing (apt install python3-venv)");
  bench.processes.programs = {"python3"};
  bench.processes.answers = {{"import ensurepip, venv", {1, "", "ModuleNotFoundError"}, false}};
  CHECK(bench.unavailable() == "python3 cannot make environments (apt install python3-venv)");
  bench.processes.answers = {{"import ensurepip, venv", {0, "3.9.2\n", ""}, false}};
  CHECK(bench.unavailable() == "it needs python >=3.10,<3.13; this machine has 3.9.2");
  bench.processes.answers = {{"import ensurepip, venv", {0, "3.11.7\n", ""}, false}};
  CHECK(bench.unavailable().empty());
  CHECK_FALSE(bench.processes.commands.back().environment.contains("PYTHONPATH"));
}

TEST_CASE("a python source is described by its first requirement", "[source]") {
  Bench bench;
  const auto python = bench.python(bench.processes);
  CHECK(python->kind() == "python");
  bench.source.how = catalog::PythonSource{{kWrongHash}, {}};
  CHECK(python->describe(bench.source) == "tinypkg==1.0");
  bench.source.how = catalog::PythonSource{{kWrongHash, kWrongHash, kWrongHash}, {}};
  CHECK(python->describe(bench.source) == "tinypkg==1.0 and 2 more packages");
}

TEST_CASE("a locked environment works from its place in the store", "[source][python]") {
  Bench bench;
  const std::string requirement = bench.make_wheel();
  bench.source.how = catalog::PythonSource{{requirement}, {}};
  bench.source.executables = {{"tiny", "bin/tiny"}, {"launch", "bin/launch"}};
  bench.source.files = {{"launch.py", "bin/launch", true}};
  write_file(bench.folder / "manifest/launch.py",
             "#!python\nimport tinypkg, sys\ntinypkg.main()\nprint(sys.prefix)\n");

  const source::Staged staged = bench.stage();
  CHECK(staged.identity.find("\n" + requirement + "\nfile bin/launch executable sha256:") !=
        std::string::npos);
  CHECK(staged.store_name == "tiny-1.0-" + platform::digest_of(staged.identity).short_hex());
  CHECK(staged.detail == "tinypkg==1.0");
  CHECK(names_in(bench.request.staging) == Lines{"payload"});
  CHECK(read_file(staged.payload / "requirements.lock") == requirement + "\n");

  const auto place = bench.layout.store() / staged.store_name;
  for (const std::string name : {"bin/tiny", "bin/launch", "bin/activate", "pyvenv.cfg"}) {
    CAPTURE(name);
    CHECK(read_file(staged.payload / name).find(bench.request.staging.string()) ==
          std::string::npos);
  }
  CHECK(read_file(staged.payload / "bin/launch")
            .starts_with("#!" + place.string() + "/bin/python3 -B\n"));

  std::filesystem::rename(staged.payload, place);
  Lines packages;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place / "lib")) {
    if (entry.path().parent_path().filename() == "site-packages")
      packages.push_back(entry.path().filename().string());
    CHECK(entry.path().extension() != ".pyc");
  }
  std::sort(packages.begin(), packages.end());
  CHECK(packages == Lines{"tinypkg", "tinypkg-1.0.dist-info"});
  CHECK(names_in(place / "bin") == Lines{"Activate.ps1",
                                         "activate",
                                         "activate.csh",
                                         "activate.fish",
                                         "launch",
                                         "python",
                                         "python3",
                                         "python3." + staged.identity.substr(9, 2),
                                         "tiny"});
  CHECK(bench.real->run({{(place / "bin/tiny").string()}, {}, {}, {}}, bench.activity).out ==
        "tiny speaks\n");
  CHECK(bench.real->run({{(place / "bin/launch").string()}, {}, {}, {}}, bench.activity).out ==
        "tiny speaks\n" + place.string() + "\n");
}

TEST_CASE("a wheel that does not match the lock is refused", "[source][python]") {
  Bench bench;
  bench.make_wheel();
  bench.source.how = catalog::PythonSource{{kWrongHash}, {}};
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(std::string(error.what()) ==
        "pip cannot install the locked packages: tinypkg==1.0: pip was given bytes that do not "
        "match the lock");
  CHECK(bench.reporter.lines ==
        Lines{"started python:tiny: Installing tinypkg==1.0", "failed python:tiny"});
}

TEST_CASE("an index that cannot be reached lets the next source be tried", "[source]") {
  Bench bench;
  bench.source.how = catalog::PythonSource{{kWrongHash}, {}};
  const auto payload = bench.request.staging / "payload";
  const std::string in_payload = (payload / "bin/python3").string() + " -m pip ";
  bench.processes.programs = {"python3"};
  bench.processes.on_run = [&](const std::string& line) {
    if (line.find("-m venv") != std::string::npos)
      std::filesystem::create_directories(payload / "bin");
  };
  bench.processes.answers = {
      {"import ensurepip", {0, "3.11.7\n", ""}, false},
      {"-m venv", {0, "", ""}, false},
      {in_payload + "install",
       {1,
        "",
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(…)'"},
       false}};
  const auto python = bench.python(bench.processes);
  const Error error = error_of([&] { python->stage(bench.request, bench.activity); });
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.message() == "pip cannot install the locked packages");
  CHECK(error.cause().starts_with("Retrying ("));
  CHECK(bench.processes.log ==
        Lines{bench.processes.log.front(),
              "/usr/bin/python3 -m venv " + payload.string(),
              in_payload +
                  "install --require-hashes --no-deps --only-binary :all: --no-compile --no-input "
                  "--disable-pip-version-check --progress-bar off -r " +
                  (payload / "requirements.lock").string()});
  const auto& variables = bench.processes.commands.back().environment;
  CHECK(variables.at("PIP_FIND_LINKS") == (bench.folder / "wheels").string());
  CHECK(variables.at("PIP_CACHE_DIR") == (bench.folder / "cache/pip").string());
  CHECK(variables.at("TMPDIR") == (bench.request.staging / "tmp").string());
  CHECK(variables.at("PIP_USER") == "0");
}

TEST_CASE("a lock that is not one is refused before anything runs", "[source]") {
  Bench bench;
  bench.source.how = catalog::PythonSource{{"tinypkg>=1"}, {}};
  const auto python = bench.python(bench.processes);
  const Error error = error_of([&] { python->stage(bench.request, bench.activity); });
  CHECK(error.kind() == ErrorKind::InvalidData);
  CHECK(bench.processes.log.empty());
}

TEST_CASE("a python source is bound by the digest of its requirements, in any order", "[source]") {
  Bench bench;
  const auto python = bench.python(bench.processes);
  const std::string other = "other==2 --hash=sha256:" + std::string(64, '1');
  bench.source.how = catalog::PythonSource{{kWrongHash, other}, {}};
  const source::InputArtifact lock{"requirements",
                                   platform::digest_of(other + "\n" + kWrongHash + "\n")};
  CHECK(python->bound_to(bench.source, {lock}) == bench.source);
  const auto refused = [&](const std::vector<source::InputArtifact>& artifacts) {
    return test::error_of([&] { (void)python->bound_to(bench.source, artifacts); }).kind();
  };
  CHECK(refused({}) == ErrorKind::Unsatisfiable);
  CHECK(refused({{"https://host/x", lock.digest}}) == ErrorKind::Unsatisfiable);
  bench.source.how = catalog::PythonSource{{kWrongHash}, {}};
  CHECK(refused({lock}) == ErrorKind::Integrity);
}
