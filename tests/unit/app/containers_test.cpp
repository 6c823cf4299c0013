// SPDX-License-Identifier: Apache-2.0
#include "containers.hpp"

#include "image_user.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

#include <algorithm>

using las::app::container_placeholders;
using las::app::container_run;
using las::app::ContainerPlaces;

namespace {

las::state::ServiceInstance instance() {
  las::state::ServiceInstance service;
  service.id = "cache";
  service.port = 6400;
  service.data_directory = "/var/lib/las/data/cache";
  service.stop_signal = "SIGTERM";
  service.stop_timeout_s = 20;
  return service;
}

las::catalog::ContainerTemplate plain() {
  las::catalog::ContainerTemplate run;
  run.port = 6379;
  return run;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

las::state::ContainerRun run_of(const las::state::ServiceInstance& service,
                                const las::catalog::ContainerTemplate& run,
                                const ContainerPlaces& places = {},
                                const char* engine = "podman",
                                unsigned cores = 2,
                                const std::optional<std::set<std::string>>& controllers = {}) {
  return container_run(las::platform::container_engine(engine),
                       service,
                       run,
                       places,
                       container_placeholders(service, run, places),
                       "host/name@sha256:1",
                       cores,
                       controllers);
}

}  // namespace

TEST_CASE("a container gets no capability, no new privilege and nothing to write but its data") {
  const auto run = run_of(instance(), plain());
  CHECK(has(run.options, "--cap-drop=all"));
  CHECK(has(run.options, "--security-opt=no-new-privileges"));
  CHECK(has(run.options, "--read-only"));
  CHECK(has(run.options, "--volume=/var/lib/las/data/cache:/data:rw,U"));
  CHECK(has(run.options, "--pull=never"));
  CHECK(run.image == "host/name@sha256:1");
}

TEST_CASE("only the service's port is reached, and only from this machine") {
  CHECK(has(run_of(instance(), plain()).options, "--publish=127.0.0.1:6400:6379"));
  auto exposed = instance();
  exposed.host = "0.0.0.0";
  CHECK(has(run_of(exposed, plain()).options, "--publish=0.0.0.0:6400:6379"));
}

TEST_CASE("behind its socket a container listens where the socket hands on to") {
  auto service = instance();
  service.host = "0.0.0.0";
  service.on_demand = las::state::OnDemand{11501, 600};
  CHECK(has(run_of(service, plain()).options, "--publish=127.0.0.1:11501:6379"));
}

TEST_CASE("limits of a service are its container's") {
  auto service = instance();
  service.limits.memory = las::ByteSize::mib(100);
  service.limits.cpu_percent = 150;
  service.limits.tasks = 7;
  const auto run = run_of(service, plain());
  CHECK(has(run.options, "--memory=104857600b"));
  CHECK(has(run.options, "--memory-swap=104857600b"));
  CHECK(has(run.options, "--cpus=1.50"));
  CHECK(has(run.options, "--pids-limit=7"));
}

TEST_CASE("a limit of a user's container that nothing would keep is refused") {
  using Controllers = std::set<std::string>;
  auto service = instance();
  const auto options = [&](const Controllers& controllers) {
    return run_of(service, plain(), {}, "podman", 2, controllers).options;
  };
  CHECK(has(options({"pids"}), "--pids-limit=4096"));
  // Nobody asked for this one.
  const auto without = options({});
  CHECK(std::none_of(without.begin(), without.end(), [](const std::string& word) {
    return word.starts_with("--pids-limit");
  }));
  service.limits.memory = las::ByteSize::mib(100);
  CHECK(has(options({"memory"}), "--memory=104857600b"));
  const auto refused = [&](const Controllers& controllers) {
    return las::test::error_of([&] { return options(controllers); }).value();
  };
  CHECK(refused({"cpu", "pids"}).kind() == las::ErrorKind::Unsatisfiable);
  CHECK(refused({"cpu", "pids"}).message().find("'memory'") != std::string::npos);
  service.limits = {};
  service.limits.cpu_percent = 50;
  CHECK(refused({"memory"}).message().find("'cpu'") != std::string::npos);
  service.limits = {};
  service.limits.cpus = "0-1";
  CHECK(refused({"memory", "cpu"}).message().find("'cpuset'") != std::string::npos);
  service.limits.numa_nodes = "0";
  CHECK(has(options({"cpuset"}), "--cpuset-mems=0"));
  service.limits.cpus = {};
  CHECK(refused({"memory", "cpu"}).message().find("'cpuset'") != std::string::npos);
  service.limits = {};
  service.limits.tasks = 7;
  CHECK(refused({"memory", "cpu"}).message().find("'pids'") != std::string::npos);
}

TEST_CASE("a GPU is given to a container by its name to the engine, or by its files") {
  auto service = instance();
  CHECK_FALSE(has(run_of(service, plain()).options, "--device=amd.com/gpu=0"));
  service.gpus = {{"amd", "0000:03:00.0", {"/dev/kfd", "/dev/dri/renderD128"}, {105}, {}},
                  {"amd", "0000:04:00.0", {"/dev/kfd", "/dev/dri/renderD129"}, {105}, {}},
                  {"nvidia", "GPU-aa", {"/dev/nvidia0"}, {44}, "nvidia.com/gpu=GPU-aa"}};
  const auto options = run_of(service, plain()).options;
  CHECK(std::count(options.begin(), options.end(), "--device=/dev/kfd") == 1);
  CHECK(has(options, "--device=/dev/dri/renderD129"));
  CHECK(has(options, "--group-add=105"));
  CHECK(has(options, "--device=nvidia.com/gpu=GPU-aa"));
  CHECK_FALSE(has(options, "--device=/dev/nvidia0"));
  CHECK_FALSE(has(options, "--group-add=44"));
}

TEST_CASE("templates name what the container sees, not the machine") {
  auto service = instance();
  service.secrets["key"] = "{word}";
  service.config["a.conf"] = "x";
  auto wanted = plain();
  wanted.command = {"{host}:{port}", "{data}", "{config}/a.conf", "{secret.key}", "{model.path}"};
  wanted.environment["HERE"] = "{data}";
  const auto run = run_of(service, wanted, {"/las/config", "/las/secrets", "/las/models/blob"});
  CHECK(run.command ==
        std::vector<std::string>{
            "0.0.0.0:6379", "/data", "/etc/las/a.conf", "/run/secrets/key", "/model"});
  CHECK(has(run.options, "--volume=/las/secrets/key:/run/secrets/key:ro"));
  CHECK(has(run.options, "--volume=/las/config:/etc/las:ro"));
  CHECK(has(run.options, "--volume=/las/models/blob:/model:ro"));
  CHECK(has(run.options, "--env=HERE=/data"));
}

TEST_CASE("each engine is told of mounts and of folders in memory in its own words") {
  auto service = instance();
  service.config["a.conf"] = "x";
  auto wanted = plain();
  wanted.temporary = {"/run/lock"};
  const auto run = run_of(service, wanted, {"/las/config", "", ""}, "docker");
  CHECK(run.engine == "docker");
  // --volume would make a folder that is not there, and `U` is not known.
  CHECK(has(run.options, "--mount=type=bind,source=/var/lib/las/data/cache,target=/data"));
  CHECK(has(run.options, "--mount=type=bind,source=/las/config,target=/etc/las,readonly"));
  CHECK(has(run.options, "--tmpfs=/run/lock:rw,nosuid,nodev,exec,mode=1777"));
  CHECK(has(run_of(service, wanted).options, "--tmpfs=/run/lock:rw,nosuid,nodev,mode=1777"));
}

TEST_CASE("a limit of more cores than the machine has is none") {
  auto service = instance();
  service.limits.cpu_percent = 200;
  CHECK(has(run_of(service, plain()).options, "--cpus=2.00"));
  service.limits.cpu_percent = 201;
  for (const std::string& word : run_of(service, plain()).options)
    CHECK_FALSE(word.starts_with("--cpus"));
  CHECK(has(run_of(service, plain(), {}, "podman", 0).options, "--cpus=2.01"));
}

TEST_CASE("the user of an image is told by the image's own files") {
  using las::app::resolve_image_user;
  const std::string passwd =
      "root:x:0:0:root:/root:/bin/sh\nredis:x:101:103::/var/lib/redis:/usr/sbin/nologin\nbroken\n"
      "a:x:not:1::/:\n";
  const std::string group = "root:x:0:\nredis:x:103:\nusers:x:100:redis\n";
  const auto resolve = [&](const char* user) { return resolve_image_user(user, passwd, group); };
  CHECK(resolve("").empty());
  CHECK(resolve("root").empty());
  CHECK(resolve("0").empty());
  CHECK(resolve("0:100").empty());
  CHECK(resolve("redis") == "101:103");
  CHECK(resolve("101") == "101:103");
  CHECK(resolve("redis:users") == "101:100");
  CHECK(resolve("4000") == "4000:0");
  CHECK(resolve("4000:5000") == "4000:5000");
  // An image need not have these files.
  CHECK(resolve_image_user("65532:65532", "", "") == "65532:65532");
  CHECK(resolve_image_user("root", "", "").empty());
  for (const char* unknown : {"nobody", "redis:nobodies", "a", "4000000000000", "-1", "redis:-1"})
    CHECK_THROWS_AS(resolve(unknown), las::Error);
}

TEST_CASE("the record of a module's image says which engine has it and what it is run by") {
  las::state::InstalledModule module;
  module.name = "cache";
  CHECK_THROWS_WITH(las::app::image_of(module), "no record says where its image is: cache");
  module.external = {{"image", "{}", R"({"id": "1", "reference": "a@b"})"}};
  CHECK(las::app::image_of(module).engine.name() == "podman");
  module.external = {{"image", "{}", R"({"engine": "docker", "id": "1", "reference": "a@b"})"}};
  CHECK(las::app::image_of(module).engine.name() == "docker");
  CHECK(las::app::image_of(module).name == "a@b");
  // By its id, as a name without a digest could come to mean another image.
  module.external = {{"image", "{}", R"({"engine": "docker", "id": "1", "reference": "a:b"})"}};
  CHECK(las::app::image_of(module).name == "1");
  module.external = {{"image", "{}", R"({"engine": "other", "id": "1"})"}};
  CHECK_THROWS_WITH(las::app::image_of(module), "no container engine of this name: other");
}
