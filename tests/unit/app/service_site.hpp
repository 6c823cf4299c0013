// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/app/session.hpp"
#include "las/hardware/profile.hpp"
#include "las/state/records.hpp"

#include <memory>
#include <string>
#include <vector>

namespace las::test {

/// Runs of las below one root, on a catalog with a database, what uses it, and a library without a
/// service. No systemd serves there.
struct ServiceSite {
  TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<platform::ProcessRunner> processes = platform::make_posix_process_runner();
  ManualClock clock;
  platform::Environment environment;
  RecordingReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};

  ServiceSite() {
    environment.user = "root";
    environment.home = (folder / "home").string();
    environment.executable = (folder / "las").string();
    environment.variables["LAS_DATA_DIR"] = (folder / "data").string();
    files->make_directories(folder / "data/policies");
    folder.write("machine.json", hardware::to_json(hardware::HardwareProfile{}));
    service_module(
        "database",
        "  port: 18432\n"
        "  config: {db.conf: db.conf}\n"
        "  secrets: {password: '{word}'}\n"
        "  auth: always\n"
        "  notify: true\n"
        "  prepare: [{makes: main, command: ['{exe.run}', '{making}']}]\n"
        "  limits: {memory: 1GB, cpu_percent: 150, tasks: 64, io_weight: 50, cpus: 0-3}\n"
        "  environment: {FILE: '{secret.password}', DATA: '{data}'}\n"
        "  health: {exec: ['{exe.run}', '{port}'], expect: up, environment: {W: "
        "'<{word}>', H: '{host}'}, interval: 1500ms, timeout: 2s, retries: 7, "
        "start_period: 90s}\n");
    folder.write("data/manifests/database/db.conf", "port = {port}\nhost = {host}\n{{}}\n");
    service_module("web", "  auth: [--password-file, '{config}/x']\n");
    service_module("open", "");
    manifest("library", "");
  }

  /// A module with a program "run" and, if `service` says so, what follows the command.
  void manifest(const std::string& name, const std::string& service) const {
    folder.write("data/manifests/" + name + "/manifest.yaml",
                 "name: " + name +
                     "\ncategory: service\ndescription: a test\nreleases:\n- version: '1.0'\n"
                     "  variants:\n  - name: any\n    sources:\n    - deb: {packages: [aa]}\n"
                     "      executables: {run: usr/bin/run}\n" +
                     service);
  }

  void service_module(const std::string& name, const std::string& keys) const {
    manifest(name, "service:\n  command: ['{exe.run}', '--listen={host}:{port}']\n" + keys);
  }

  app::Session session() {
    app::SessionOptions options;
    options.layout = layout();
    options.hardware_file = folder / "machine.json";
    options.operation_id = "operation";
    options.command_line = "las test";
    return {{*files, *processes, clock, environment}, options};
  }

  platform::Layout layout() const { return platform::Layout::system(folder / "root"); }

  state::InstalledModule module(const std::string& name,
                                const std::vector<std::string>& needs = {}) const {
    state::InstalledModule installed;
    installed.name = name;
    installed.version = "1.0";
    installed.store_name = name + "-1.0-aaaaaaaaaaaa";
    installed.executables = {{"run", (layout().store() / installed.store_name / "run").string()}};
    installed.requires_modules = needs;
    return installed;
  }

  state::ServiceInstance instance(const std::string& name) const {
    state::ServiceInstance service;
    service.id = service.module = name;
    service.port = 18432;
    service.data_directory = layout().data(name).string();
    return service;
  }

  /// Makes these the services of the current generation, with the leases of their ports.
  void present(std::vector<state::ServiceInstance> services,
               std::vector<state::InstalledModule> modules) {
    state::Generation generation;
    generation.number = 1;
    generation.services = std::move(services);
    generation.modules = std::move(modules);
    write([&](state::WriteTransaction& transaction) {
      transaction.put_generation(generation);
      transaction.set_current_generation(1);
      for (const state::ServiceInstance& service : generation.services)
        transaction.put_port({service.port, service.id});
    });
  }

  void write(const std::function<void(state::WriteTransaction&)>& body) {
    files->make_directories(layout().state);
    state::StateStore::open(layout().database(), state::StateStore::Access::ReadWrite)->write(body);
  }

  std::optional<state::HealthRecord> health(const std::string& service) {
    std::optional<state::HealthRecord> record;
    session().store().read(
        [&](const state::ReadTransaction& transaction) { record = transaction.health(service); });
    return record;
  }
};

}  // namespace las::test
