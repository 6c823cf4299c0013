// SPDX-License-Identifier: Apache-2.0
// The engines are stand-ins here: scripts of what podman 4.3 and docker 20.10 said. The real ones
// run in the jobs about containers.
#include "oci_bench.hpp"
#include "source_bench.hpp"
#include "support/catch.hpp"
#include "support/faulty_file_system.hpp"

#include <nlohmann/json.hpp>

using namespace las;
using Json = nlohmann::json;

namespace {

constexpr const char* kName = "host:5000/cache";
const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kOther = "sha256:" + std::string(64, 'b');

/// Files of this machine, but for what systemd and the control groups are.
class FilesOfMachine : public test::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;

  std::optional<platform::FileStatus> status(const platform::fs::path& path) const override {
    const bool is_systemd = path == "/run/systemd/system";
    if (!is_systemd && path != "/sys/fs/cgroup/cgroup.controllers")
      return FaultyFileSystem::status(path);
    return (is_systemd ? systemd : version_2) ? std::optional(platform::FileStatus{})
                                              : std::nullopt;
  }

  bool systemd = true, version_2 = true;
};

struct Bench : test::SourceBench {
  FilesOfMachine machine{*files};
  std::string engine;
  catalog::ImageSource image{kName, "1", Digest::parse(kDigest), {}};
  std::string before, intent;

  Bench() {
    environment.uid = 0;
    layout.root = "/";
    request.module = "cache";
    request.journal_external = [this](const std::string& was, const std::string& wanted) {
      before = was;
      intent = wanted;
    };
  }

  std::unique_ptr<source::SourceKind> kind() {
    source.how = image;
    return source::make_image_source({machine, processes, fetcher, environment, layout, engine});
  }

  void say(const std::string& part, int status, const std::string& out, const std::string& err) {
    processes.answers.push_back({part, {status, out, err}, true});
  }

  std::string unavailable() { return kind()->unavailable(source, activity); }

  source::Staged stage() { return kind()->stage(request, activity); }

  bool ran(const std::string& line) const {
    return std::find(processes.log.begin(), processes.log.end(), line) != processes.log.end();
  }
};

}  // namespace

TEST_CASE_METHOD(Bench,
                 "images go into the first engine that is here, or into the one that is meant") {
  CHECK(unavailable() == "neither podman nor docker is here (apt install podman)");
  processes.programs = {"docker"};
  CHECK(unavailable().empty());
  engine = "podman";
  CHECK(unavailable() == "podman is missing, which containers.engine names");
  processes.programs = {"docker", "podman"};
  CHECK(unavailable().empty());
  image.archive = "cache.tar";
  CHECK(unavailable().empty());
  engine = "docker";
  CHECK(unavailable().empty());
}

TEST_CASE_METHOD(Bench, "a daemon's containers are not a user's own") {
  layout.scope = platform::Scope::User;
  environment.uid = 1000;
  processes.programs = {"docker"};
  CHECK(unavailable() == "podman is missing (apt install podman)");
  engine = "docker";
  CHECK(unavailable() == "docker, which containers.engine names, is missing, or not a user's own");
  engine = "";
  processes.programs = {"docker", "podman"};
  CHECK(unavailable().empty());
  machine.version_2 = false;
  CHECK(unavailable() ==
        "without root podman needs control groups of version 2 (boot with "
        "systemd.unified_cgroup_hierarchy=1)");
  machine.systemd = false;
  CHECK(unavailable().empty());
  machine.systemd = true;
  layout.scope = platform::Scope::System;
  environment.uid = 0;
  CHECK(unavailable().empty());
}

TEST_CASE_METHOD(Bench, "docker's image is known by the digest of its name among others") {
  processes.programs = {"docker"};
  say("image inspect", 1, "\n", "Error: No such image: host:5000/cache@...");
  say("pull -q", 0, "host:5000/cache@...\n", "");
  say("image inspect",
      0,
      "sha256:0156 elsewhere/cache@" + kOther + " host:5000/cache@" + kDigest + "\n",
      "");
  const auto staged = stage();
  const std::string reference = std::string(kName) + "@" + kDigest;
  CHECK(ran("docker pull -q " + reference));
  CHECK(staged.detail == reference);
  CHECK(Json::parse(*staged.external_wanted) ==
        Json{{"engine", "docker"}, {"reference", reference}, {"id", "sha256:0156"}});
  CHECK(Json::parse(before) == Json{{"present", false}});
  // A run that is cut short while it pulls must know whom to ask to remove it.
  CHECK(Json::parse(intent)["engine"] == "docker");
  CHECK(source::image_engine(*staged.external_wanted) == "docker");
  CHECK(source::image_to_run(*staged.external_wanted) == reference);
}

TEST_CASE_METHOD(Bench,
                 "docker is given an OCI archive as it takes it, and runs what was in it by id") {
  processes.programs = {"docker"};
  test::OciArchive oci;
  const Json descriptor = oci.image({"layer"}, "{}");
  oci.index(test::OciArchive::index_of({descriptor}));
  test::write_file(folder / "beside/cache.tar", oci.bytes());
  request.manifest_directory = (folder / "beside").string();
  request.staging = folder.path();
  image.archive = "cache.tar";
  const Digest digest = test::digest_in(descriptor);
  const std::string id = platform::digest_of("{}").to_string();
  const std::string tag = "localhost/las:sha256-" + digest.hex();

  image.digest = Digest::parse(kOther);
  CHECK(test::error_of([&] { stage(); }).kind() == ErrorKind::Integrity);
  CHECK(processes.log.empty());

  image.digest.reset();
  say("image inspect", 1, "\n", "Error: No such image: " + tag);
  say("load", 0, "Loaded image: " + tag + "\n", "");
  SECTION("it is what is there afterwards") {
    say("image inspect", 0, id + "\n", "");
    const auto staged = stage();
    const auto file = (folder / "image.tar").string();
    CHECK(ran("docker load -q -i " + file));
    CHECK_FALSE(files->exists(file));
    CHECK(staged.detail == kName + ("@" + digest.to_string()));
    CHECK(staged.newly_pinned.at("host:5000/cache:1") == digest);
    CHECK(Json::parse(*staged.external_wanted) ==
          Json{{"engine", "docker"}, {"reference", tag}, {"id", id}});
    CHECK(source::image_to_run(*staged.external_wanted) == id);
  }
  SECTION("where images are kept by their manifests, too") {
    say("image inspect", 0, digest.to_string() + "\n", "");
    CHECK(source::image_to_run(*stage().external_wanted) == digest.to_string());
  }
  SECTION("something else is what is there afterwards") {
    say("image inspect", 0, kOther + "\n", "");
    const Error error = test::error_of([&] { stage(); });
    CHECK(error.kind() == ErrorKind::Integrity);
    CHECK(error.hint() == "docker rmi " + tag);
  }
}

TEST_CASE_METHOD(Bench, "what a tag means at the first install is the digest of its own name") {
  processes.programs = {"docker"};
  image.digest.reset();
  say("image inspect", 1, "\n", "Error: No such image: host:5000/cache:1");
  say("pull -q", 0, "", "");
  say("image inspect",
      0,
      "sha256:0156 elsewhere/cache@" + kOther + " host:5000/cache@" + kDigest + "\n",
      "");
  const auto staged = stage();
  CHECK(staged.newly_pinned.at("host:5000/cache:1").to_string() == kDigest);
  CHECK(staged.detail == std::string(kName) + "@" + kDigest);
}

TEST_CASE_METHOD(Bench, "another image than the manifest names is refused") {
  processes.programs = {"podman"};
  processes.answers = {
      {"image inspect", {0, "0156 " + kOther + " host:5000/cache@" + kOther + "\n", ""}, false}};
  const Error error = test::error_of([&] { stage(); });
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.cause() == kOther + " instead of " + kDigest);
}

TEST_CASE_METHOD(Bench, "the engines' words say what went wrong") {
  const auto kind_of = [&](const char* program, const std::string& words) {
    processes.programs = {program};
    processes.answers.clear();
    say("image inspect", 1, "", "Error: No such image: x");
    say("pull -q", 1, "", words);
    return test::error_of([&] { stage(); }).kind();
  };
  const std::string daemon = "Error response from daemon: ";
  CHECK(
      kind_of("docker", daemon + "manifest for x not found: manifest unknown: manifest unknown") ==
      ErrorKind::NotFound);
  CHECK(kind_of("docker", "manifest verification failed for digest sha256:1") ==
        ErrorKind::Integrity);
  CHECK(kind_of("docker", "image config verification failed for digest sha256:1") ==
        ErrorKind::Integrity);
  CHECK(
      kind_of("docker", daemon + "Get \"http://x/v2/\": dial tcp x: connect: connection refused") ==
      ErrorKind::Network);
  CHECK(kind_of("docker", "write /var/lib: no space left on device") == ErrorKind::NoSpace);
  CHECK(kind_of("podman", "Error: initializing source: Digest did not match, expected a, got b") ==
        ErrorKind::Integrity);
}

TEST_CASE_METHOD(Bench, "a daemon that does not run is named, with what starts it") {
  processes.programs = {"docker"};
  say("image inspect",
      1,
      "\n",
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
      "running?");
  const Error error = test::error_of([&] { stage(); });
  CHECK(error.kind() == ErrorKind::Io);
  CHECK(error.hint() == "sudo systemctl start docker");
  CHECK(processes.log.size() == 1);

  say("image inspect",
      1,
      "\n",
      "Cannot connect to the Docker daemon. Is the docker daemon running?");
  const Error unseen = test::error_of([&] {
    kind()->verify_external(Json{{"engine", "docker"}, {"reference", "a@b"}, {"id", "1"}}.dump(),
                            activity);
  });
  CHECK(unseen.hint() == "sudo systemctl start docker");
}

TEST_CASE_METHOD(Bench,
                 "an image is removed from the engine that has it, unless others need it there") {
  const std::string absent = R"({"present": false})";
  const auto record = [](const char* name) {
    return Json{{"engine", name}, {"reference", "a@b"}, {"id", "1"}}.dump();
  };
  processes.answers = {{"rmi", {0, "", ""}, false}};
  kind()->undo_external(absent, record("docker"), {record("docker")}, activity);
  kind()->undo_external(R"({"present": true})", record("docker"), {}, activity);
  CHECK(processes.log.empty());
  kind()->undo_external(absent, record("docker"), {record("podman")}, activity);
  kind()->undo_external(absent, record("podman"), {}, activity);
  kind()->undo_external(absent, R"({"reference": "a@b", "id": "1"})", {}, activity);
  CHECK(processes.log ==
        std::vector<std::string>{"docker rmi a@b", "podman rmi 1", "podman rmi 1"});
}

TEST_CASE_METHOD(Bench, "an image that is gone already is no failure, one in use is") {
  const std::string absent = R"({"present": false})";
  const std::string wanted = R"({"engine": "docker", "reference": "a@b", "id": "1"})";
  say("rmi", 1, "", "Error: No such image: a@b");
  CHECK_NOTHROW(kind()->undo_external(absent, wanted, {}, activity));
  say("rmi", 1, "", "Error response from daemon: conflict: unable to remove repository reference");
  CHECK_THROWS_AS(kind()->undo_external(absent, wanted, {}, activity), Error);
}
