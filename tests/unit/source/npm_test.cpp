// SPDX-License-Identifier: Apache-2.0
#include "npm_cli.hpp"
#include "source_bench.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace las;
using las::test::error_of;
using las::test::read_file;
using las::test::write_file;
using Lines = std::vector<std::string>;

namespace {

const std::string kIntegrity = "sha512-" + std::string(86, 'A') + "==";

/// "tool" wants "part", which has an install script.
const std::string kLock =
    R"({"name": "top", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
  "": {"name": "top", "version": "1.0.0", "dependencies": {"tool": "2.0.0"}},
  "node_modules/part": {"version": "1.5.0", "hasInstallScript": true, "integrity": ")" +
    kIntegrity + R"("},
  "node_modules/tool": {"version": "2.0.0", "dependencies": {"part": "^1"}, "integrity": ")" +
    kIntegrity + "\"}}}";

/// The npm source with a stand-in for node and npm, which installs one program.
struct Bench : test::SourceBench {
  std::filesystem::path payload;

  Bench() {
    layout.state = folder / "state";
    layout.cache = folder / "cache";
    environment.variables = {{"PATH", "/opt/bin:/usr/bin"},
                             {"HOME", "/home/ada"},
                             {"NODE_OPTIONS", "--require=/home/ada/spy.js"},
                             {"npm_config_prefix", "/usr"},
                             {"NPM_CONFIG_IGNORE_SCRIPTS", "false"},
                             {"npm_config_registry", "https://mirror.example.org/npm"},
                             {"npm_config_//mirror.example.org/:_authToken", "secret"}};
    request.module = "tool";
    request.version = "2.0";
    request.manifest_directory = (folder / "manifest").string();
    request.staging = layout.staging() / "op";
    payload = request.staging / "payload";
    std::filesystem::create_directories(request.staging);
    processes.programs = {"node", "npm"};
    processes.answers = {{"process.versions.node", {0, "24.21.0 linux x64", ""}, false},
                         {"npm --version", {0, "11.19.1\n", ""}, false},
                         {"npm ci", {0, "added 2 packages\n", ""}, false},
                         {"npm rebuild", {0, "rebuilt\n", ""}, false}};
    processes.on_run = [this](const std::string& line) {
      if (line.find(" ci ") == std::string::npos)
        return;
      write_file(payload / "node_modules/tool/cli", "#!/bin/sh\n");
      std::filesystem::permissions(payload / "node_modules/tool/cli",
                                   std::filesystem::perms::owner_all);
      write_file(payload / "node_modules/.package-lock.json", "names the registry");
    };
    source.how = catalog::NpmSource{"package-lock.json", kLock, *VersionRange::parse(">=20"), {}};
    source.executables = {{"tool", "node_modules/tool/cli"}};
  }

  std::unique_ptr<source::SourceKind> npm() { return source::make_npm_source(surroundings()); }

  source::Staged stage() { return npm()->stage(request, activity); }

  std::string unavailable() { return npm()->unavailable(source, activity); }
};

Error failure(const std::string& output) {
  return source::npm_failure(output, "npm failed", "tool@2.0.0");
}

}  // namespace

TEST_CASE("npm is offered only where a node of the right version runs it", "[source]") {
  Bench bench;
  CHECK(bench.unavailable().empty());
  bench.processes.answers[0].result.out = "18.20.4 linux x64";
  CHECK(bench.unavailable() == "it needs node >=20; this machine has 18.20.4");
  bench.processes.answers[0].result = {1, "", "GLIBC_2.38 not found"};
  CHECK(bench.unavailable() == "npm does not run here (las install node, or apt install npm)");
  bench.processes.answers[0].result = {0, "24.21.0 linux x64", ""};
  bench.processes.answers[1].result.out = "6.14.18\n";
  CHECK(bench.unavailable() == "it needs npm >=7; this machine has 6.14.18");
  bench.processes.programs = {"node"};
  CHECK(bench.unavailable() == "npm is missing (las install node, or apt install npm)");
  bench.processes.programs = {};
  CHECK(bench.unavailable() == "node is missing (las install node, or apt install npm)");
}

TEST_CASE("an npm source is described by what the root wants", "[source]") {
  Bench bench;
  CHECK(bench.npm()->kind() == "npm");
  CHECK(bench.npm()->describe(bench.source) == "tool@2.0.0 and 1 more package");
  bench.source.how = catalog::NpmSource{"package-lock.json", "", {}, {}};
  CHECK(bench.npm()->describe(bench.source) == "package-lock.json");
}

TEST_CASE("an npm source is bound by the digest of its lock", "[source]") {
  Bench bench;
  const auto npm = bench.npm();
  const std::vector<source::InputArtifact> made_of = bench.stage().artifacts;
  REQUIRE(made_of.size() == 1);
  CHECK(made_of.front().from == "package-lock.json");
  CHECK(npm->bound_to(bench.source, made_of) == bench.source);
  const auto refused = [&](const std::vector<source::InputArtifact>& artifacts) {
    return error_of([&] { (void)npm->bound_to(bench.source, artifacts); }).kind();
  };
  CHECK(refused({}) == ErrorKind::Unsatisfiable);
  CHECK(refused({{"requirements", made_of.front().digest}}) == ErrorKind::Unsatisfiable);
  CHECK(refused({{"package-lock.json", platform::digest_of("x")}}) == ErrorKind::Integrity);
}

TEST_CASE("the locked packages are staged without running anything of theirs", "[source]") {
  Bench bench;
  bench.source.files = {{"settings.json", "settings.json", false}};
  write_file(bench.folder / "manifest/settings.json", "{}");
  const source::Staged staged = bench.stage();

  CHECK(staged.payload == bench.payload);
  CHECK(staged.detail == "tool@2.0.0 and 1 more package");
  CHECK(staged.identity.starts_with("npm linux x64\n{"));
  CHECK(staged.identity.find(kIntegrity) != std::string::npos);
  CHECK(staged.store_name == "tool-2.0-" + platform::digest_of(staged.identity).short_hex());
  CHECK(test::listing(bench.payload).size() == 6);
  CHECK(read_file(bench.payload / "settings.json") == "{}");
  CHECK_FALSE(std::filesystem::exists(bench.payload / "node_modules/.package-lock.json"));
  CHECK_FALSE(std::filesystem::exists(bench.request.staging / "tmp"));

  // npm is given what was checked, under a name of ours.
  const auto package = nlohmann::json::parse(read_file(bench.payload / "package.json"));
  CHECK(package == nlohmann::json{{"name", "payload"},
                                  {"private", true},
                                  {"dependencies", {{"tool", "2.0.0"}}}});
  const auto lock = nlohmann::json::parse(read_file(bench.payload / "package-lock.json"));
  CHECK(lock.at("packages").at("") == package);
  CHECK(lock.at("packages").at("node_modules/tool").at("dependencies").at("part") == "^1");
  CHECK(lock.at("packages").size() == 3);

  const std::string tmp = (bench.request.staging / "tmp").string();
  CHECK(bench.processes.log.size() == 3);
  CHECK(bench.processes.log.back() ==
        "/usr/bin/npm ci --ignore-scripts --omit=dev --no-audit --no-fund --no-update-notifier "
        "--no-progress --no-global --logs-max=0 --fetch-retries=2 --fetch-retry-mintimeout=1000 "
        "--fetch-retry-maxtimeout=5000 --userconfig=" +
            tmp + "/npmrc --cache=" + (bench.folder / "cache/npm").string() +
            " --prefix=" + bench.payload.string());
  const platform::Command& command = bench.processes.commands.back();
  CHECK(command.working_directory == bench.payload);
  CHECK(command.environment.at("HOME") == tmp);
  CHECK(command.environment.at("PATH").starts_with(
      "/usr/bin:" + (bench.folder / "state/current/bin").string() + ":"));
  CHECK(command.environment.at("npm_config_registry") == "https://mirror.example.org/npm");
  CHECK(command.environment.contains("npm_config_//mirror.example.org/:_authToken"));
  for (const char* name : {"NODE_OPTIONS", "npm_config_prefix", "NPM_CONFIG_IGNORE_SCRIPTS"})
    CHECK_FALSE(command.environment.contains(name));
  CHECK(bench.reporter.lines ==
        Lines{"started npm:tool: Installing tool@2.0.0 and 1 more package", "finished npm:tool"});
}

TEST_CASE("install scripts run for the packages that the manifest names, and are told",
          "[source]") {
  Bench bench;
  const std::string plain = bench.stage().identity;
  std::filesystem::remove_all(bench.payload);
  bench.processes.log.clear();
  std::get<catalog::NpmSource>(bench.source.how).allow_scripts = {{"part", "it is compiled"}};
  const source::Staged staged = bench.stage();
  CHECK(staged.identity == plain + "scripts part node 24.21.0\n");
  CHECK(bench.processes.log.back().starts_with(
      "/usr/bin/npm rebuild --ignore-scripts=false --foreground-scripts part "
      "--allow-scripts=part --omit=dev "));
  CHECK(bench.reporter.lines.at(3) == "running the install scripts of part: it is compiled");

  std::filesystem::remove_all(bench.payload);
  bench.processes.answers[1].result.out = "9.2.0\n";
  bench.stage();
  CHECK(bench.processes.log.back().find("--allow-scripts") == std::string::npos);

  std::filesystem::remove_all(bench.payload);
  bench.processes.answers[3].result = {1, "", "npm ERR! code 1\nnpm ERR! gyp failed\n"};
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Io);
  CHECK(error.message() == "the install scripts of a package failed");
  CHECK(error.cause() == "gyp failed");
}

TEST_CASE("an npm that cannot reach its registry lets the next source be tried", "[source]") {
  Bench bench;
  bench.processes.answers[2].result = {
      1,
      "",
      "npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error errno ENOTFOUND\n"
      "npm error network request to https://example.org/tool failed\n"};
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.message() == "npm cannot install the locked packages");
  CHECK(error.subject() == "tool@2.0.0 and 1 more package");
  CHECK(error.cause() == "network request to https://example.org/tool failed");
  CHECK(bench.reporter.lines.back() == "failed npm:tool");
}

TEST_CASE("what npm says it failed of becomes what the caller can do", "[source]") {
  CHECK(failure("npm error code EINTEGRITY\nnpm error sha512-… wanted\n").kind() ==
        ErrorKind::Integrity);
  CHECK(failure("npm error code EINTEGRITY\nnpm error sha512-… wanted\n").cause() ==
        "npm was given bytes that do not match the lock");
  CHECK(failure("npm ERR! code EINTEGRITY\n").kind() == ErrorKind::Integrity);
  CHECK(failure("npm error code E404\nnpm error 404 Not Found\n").kind() == ErrorKind::NotFound);
  CHECK(failure("npm error code ETARGET\n").kind() == ErrorKind::NotFound);
  CHECK(failure("npm error code E503\n").kind() == ErrorKind::Network);
  CHECK(failure("npm error code EAI_AGAIN\n").kind() == ErrorKind::Network);
  CHECK(failure("npm error code ENOSPC\n").kind() == ErrorKind::NoSpace);
  CHECK(failure("npm error code EUSAGE\n").kind() == ErrorKind::InvalidData);
  CHECK(failure("npm error code EACCES\n").kind() == ErrorKind::Permission);
  CHECK(failure("npm error code 1\n").kind() == ErrorKind::Io);
  CHECK(failure("code ENOTFOUND\n").kind() == ErrorKind::Io);
}

TEST_CASE("a lock of npm that is none is refused before anything runs", "[source]") {
  Bench bench;
  std::get<catalog::NpmSource>(bench.source.how).lock = "{}";
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::InvalidData);
  CHECK(error.message() == "the lock of an npm source cannot be used");
  CHECK(bench.processes.log.empty());
}

TEST_CASE("a payload without the program that the manifest names is refused", "[source]") {
  Bench bench;
  bench.source.executables = {{"tool", "node_modules/.bin/tool"}};
  CHECK(error_of([&] { bench.stage(); }).message() ==
        "the payload lacks an executable that the manifest names");
}
