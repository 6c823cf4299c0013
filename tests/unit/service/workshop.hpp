// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process_family.hpp"
#include "process_record.hpp"
#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/service/supervisor.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <sys/stat.h>

namespace las::service {

/// A workstation with real processes; what a test leaves running is killed with it.
struct Workshop {
  Workshop() {
    layout = platform::Layout::system(directory.path());
    environment.boot_id = "this-boot";
    supervisor = make_process_supervisor({*files, *processes, clock, environment, layout});
  }

  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  ~Workshop() {
    for (const auto& id : supervisor->installed())
      kill_family(*files, *processes, {std::nullopt, records().path(id).string()});
  }

  ProcessRecords records() const { return {*files, layout.run / "services"}; }

  /// A service that is the shell script `body`. Its environment holds SIGNS, a FIFO to tell the
  /// test where it stands.
  state::ServiceInstance script(const std::string& body, const std::string& id = "tiny") const {
    state::ServiceInstance service;
    service.id = id;
    const auto file = directory.write(id + ".sh", body);
    service.argv = {"/bin/sh", file.string()};
    service.environment["SIGNS"] = signs(id).string();
    service.data_directory = layout.data(id).string();
    service.stop_timeout_s = 20;
    if (!std::filesystem::exists(signs(id)))
      REQUIRE(::mkfifo(signs(id).c_str(), 0600) == 0);
    return service;
  }

  std::filesystem::path signs(const std::string& id) const { return directory / (id + ".fifo"); }

  /// Waits until the script wrote a line into SIGNS.
  std::string sign(const std::string& id = "tiny") const {
    std::string line;
    std::ifstream fifo(signs(id));
    std::getline(fifo, line);
    return line;
  }

  /// Starts it and waits for its sign.
  ServiceStatus start(const state::ServiceInstance& service) {
    supervisor->install({service}, {}, activity);
    supervisor->start(service, activity);
    sign(service.id);
    return supervisor->status(service);
  }

  /// Waits until the process that the record names is gone.
  void wait_gone(const std::string& id = "tiny") const {
    const auto record = records().find(id);
    REQUIRE(record->process);
    REQUIRE(processes->wait_gone(*record->process, std::chrono::seconds(20)));
  }

  test::TempDirectory directory;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<platform::ProcessRunner> processes = platform::make_posix_process_runner();
  ManualClock clock;
  platform::Environment environment;
  platform::Layout layout;
  KeepingReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
  std::unique_ptr<Supervisor> supervisor;
};

/// A service that tells that it is up and then does nothing.
inline const std::string kServe = "echo up >\"$SIGNS\"\nexec sleep 1000\n";

}  // namespace las::service
