// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "instances.hpp"
#include "stand_ins.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/service/supervisor.hpp"
#include "las/service/unit.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace las::service {

using Calls = std::vector<std::string>;

inline state::ServiceInstance instance(const std::string& id) {
  auto input = small_service();
  input.instance.id = id;
  input.instance.port = 0;
  input.data_directory = "/var/lib/las/data/" + id;
  input.instance.unit_text = render_unit(input);
  return input.instance;
}

inline platform::UnitProperties unit_state(const std::string& active, const std::string& sub) {
  platform::UnitProperties unit;
  unit.load_state = "loaded";
  unit.active_state = active;
  unit.sub_state = sub;
  unit.result = "success";
  return unit;
}

/// A machine whose systemd is a stand-in; its unit files are real.
struct Machine {
  explicit Machine(platform::Scope scope = platform::Scope::System) {
    layout = platform::Layout::system(directory.path());
    layout.scope = scope;
    supervisor = make_systemd_supervisor({*files, processes, clock, environment, layout},
                                         std::make_unique<StandInSystemdBus>(bus));
  }

  std::filesystem::path unit(const std::string& name) const { return layout.units / name; }

  void put(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(layout.units);
    std::ofstream(unit(name)) << content;
  }

  std::vector<std::string> unit_files() const { return files->list_directory(layout.units); }

  void install(const std::vector<state::ServiceInstance>& wanted) {
    bus.calls.clear();
    supervisor->install(wanted, {}, activity);
  }

  test::TempDirectory directory;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  StandInProcessRunner processes;
  ManualClock clock;
  platform::Environment environment;
  platform::Layout layout;
  StandInSystemdBus::Answers bus;
  NullReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
  std::unique_ptr<Supervisor> supervisor;
};

}  // namespace las::service
