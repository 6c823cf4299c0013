// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/container_engine.hpp"
#include "las/service/unit.hpp"

/// Services for the goldens; tests change what they are about.
inline las::service::UnitInput small_service() {
  las::service::UnitInput input;
  input.instance.id = "tiny";
  input.instance.module = "tiny-engine";
  input.instance.port = 18080;
  input.instance.argv = {"/var/lib/las/store/tiny-engine-1.2.0-0123456789ab/bin/serve",
                         "--port",
                         "18080",
                         "--model",
                         "/var/lib/las/models/blobs/sha256-00ff"};
  input.instance.environment = {{"TINY_THREADS", "4"}};
  input.instance.health_kind = "http";
  input.instance.health_path = "/health";
  input.instance.data_directory = "/var/lib/las/data/tiny";
  input.description = "tiny-engine 1.2.0, serving tiny";
  input.module_version = "1.2.0";
  input.las_version = "0.1.0";
  input.state_directory = "/var/lib/las";
  input.data_directory = "/var/lib/las/data/tiny";
  input.readable = {"/var/lib/las/store/tiny-engine-1.2.0-0123456789ab",
                    "/var/lib/las/models/blobs/sha256-00ff"};
  return input;
}

inline las::service::UnitInput gpu_service() {
  auto input = small_service();
  input.instance.id = "big";
  input.instance.host = "0.0.0.0";
  input.instance.stop_signal = "SIGINT";
  input.instance.stop_timeout_s = 90;
  input.instance.start_period_s = 600;
  input.data_directory = "/var/lib/las/data/big";
  input.instance.gpus = {
      {"nvidia",
       "GPU-1d6a8b0c",
       {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dri/renderD128"},
       {105},
       {}},
      {"nvidia", "GPU-5f00e2a7", {"/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm"}, {}, {}}};
  input.needs_open = {{"LimitMEMLOCK", "infinity  # pinned host memory"}};
  return input;
}

inline las::service::UnitInput user_service() {
  auto input = gpu_service();
  input.scope = las::platform::Scope::User;
  input.instance.id = "mine";
  input.instance.argv = {"/home/ada lovelace/.local/share/las/store/tiny-1-ab/serve"};
  input.state_directory = "/home/ada lovelace/.local/share/las";
  input.data_directory = "/home/ada lovelace/.local/share/las/data/mine";
  input.readable = {"/home/ada lovelace/.local/share/las/store/tiny-1-ab"};
  return input;
}

/// A program that writes down what systemd made of its command and environment. The e2e suite runs
/// the golden unit of it.
inline las::service::UnitInput hostile_words_service() {
  auto input = small_service();
  input.instance.id = "words";
  input.instance.argv = {"/bin/sh",
                         "-c",
                         "{ for word in \"$@\"; do printf '<%s>\\n' \"$word\"; done; "
                         "printf '[%s]\\n' \"$LAS_WORDS\" \"$HOME\" \"$PWD\"; } >seen; "
                         "exec sleep infinity",
                         "sh",
                         "two words",
                         "",
                         "\"double\" 'single'",
                         "100% %n %%",
                         "$HOME ${HOME} $$",
                         "back\\slash \\n \\",
                         "tab\there",
                         ";",
                         "\x01\x7f",
                         "grün 模型",
                         "-+!@:plain=a,b"};
  input.instance.environment = {{"LAS_WORDS", "a \"b\" 'c' 100% $HOME \\n \\ \t;"}};
  input.instance.stop_timeout_s = 5;
  input.data_directory = "/var/lib/las/data/words";
  input.readable = {};
  return input;
}

/// One of a module that makes its data first, with secrets, limits and services that it uses.
inline las::service::UnitInput prepared_service() {
  auto input = small_service();
  auto& instance = input.instance;
  instance.id = "db";
  instance.module = "database";
  instance.argv = {"/var/lib/las/store/database-17-0123456789ab/.bin/server",
                   "-D",
                   "/var/lib/las/data/db/main",
                   "--config=/var/lib/las/current/services/db/server.conf"};
  instance.environment = {};
  instance.health_kind = "exec";
  instance.health_path = "";
  instance.health.command = {"/var/lib/las/store/database-17-0123456789ab/.bin/ping", "-q"};
  instance.health.interval_s = 15;
  instance.health.timeout_ms = 2500;
  instance.prepare = {
      {"/var/lib/las/data/db/main",
       {"/var/lib/las/store/database-17-0123456789ab/.bin/initdb",
        "--pwfile=/var/lib/las/secrets/db/password",
        "--pgdata=/var/lib/las/data/db/main.new"}},
      {"/var/lib/las/data/db/100% $mine", {"/bin/mkdir", "/var/lib/las/data/db/100% $mine.new"}}};
  instance.config = {{"server.conf", "port = 18080\n"}};
  instance.secrets = {{"password", "{word}"}, {"users.conf", "user db {word}\n"}};
  instance.notifies = true;
  instance.uses = {"cache", "c++"};
  instance.limits = {las::ByteSize::gib(2), 150, 512, 50, "0-3,8", "0-1"};
  instance.data_directory = "/var/lib/las/data/db";
  input.description = "database";
  input.module_version = "17.2";
  input.data_directory = "/var/lib/las/data/db";
  input.config_directory = "/var/lib/las/current/services/db";
  input.secrets_directory = "/var/lib/las/secrets/db";
  input.readable = {"/var/lib/las/store/database-17-0123456789ab"};
  input.las_program = "/usr/bin/las";
  return input;
}

/// One that is started by the first request to its port.
inline las::service::UnitInput on_demand_service() {
  auto input = small_service();
  input.instance.id = "lazy";
  input.instance.on_demand = las::state::OnDemand{18081, 300};
  input.instance.health.timeout_ms = 90000;
  input.data_directory = "/var/lib/las/data/lazy";
  input.las_program = "/usr/bin/las";
  return input;
}

/// A service whose container is run by the engine of that name.
inline las::service::UnitInput contained_service(const char* engine) {
  auto input = small_service();
  auto& instance = input.instance;
  instance.id = "my-cache";
  instance.argv = {
      fmt::format("/usr/bin/{}", engine), "run", "--name=las-my-cache", "host/cache@sha256:1"};
  instance.environment = {};
  instance.container = las::state::ContainerRun{engine, "host/cache@sha256:1", {}, {}, {}, {}, {}};
  if (!las::platform::container_engine(engine).daemon_unit().empty())
    instance.container->cgroup_driver = "systemd";
  instance.limits = {las::ByteSize::mib(200), 50, 200, 0, "", ""};
  instance.health_kind = "exec";
  instance.health.command = {"/usr/bin/ping"};
  instance.data_directory = "/var/lib/las/data/my-cache";
  input.data_directory = instance.data_directory;
  input.readable = {};
  input.las_program = "/usr/bin/las";
  return input;
}

/// The same for a user whose las lies at an awkward place.
inline las::service::UnitInput user_on_demand_service() {
  auto input = user_service();
  input.instance.id = "lazy++";
  input.instance.host = "::1";
  input.instance.on_demand = las::state::OnDemand{18081, 60};
  input.instance.secrets = {{"password", "{word}"}};
  input.instance.prepare = {{"/home/ada lovelace/.local/share/las/data/mine/main",
                             {"/bin/mkdir", "/home/ada lovelace/main.new"}}};
  input.secrets_directory = "/home/ada lovelace/.local/share/las/secrets/lazy++";
  input.las_program = "/home/ada lovelace/100% bin/las";
  return input;
}
