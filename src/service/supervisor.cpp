// SPDX-License-Identifier: Apache-2.0
#include "las/service/supervisor.hpp"

namespace las::service {

std::string_view to_string(RunState state) {
  switch (state) {
    case RunState::Running:
      return "running";
    case RunState::Starting:
      return "starting";
    case RunState::Stopping:
      return "stopping";
    case RunState::Stopped:
      return "stopped";
    case RunState::Failed:
      return "failed";
    case RunState::Absent:
      return "absent";
  }
  return "absent";
}

std::unique_ptr<Supervisor> make_supervisor(SupervisorSurroundings surroundings) {
  // A root elsewhere is another machine to the systemd of this one.
  if (surroundings.layout.root == "/")
    if (auto bus = platform::connect_systemd(surroundings.layout.scope))
      return make_systemd_supervisor(surroundings, std::move(bus));
  return make_process_supervisor(surroundings);
}

}  // namespace las::service
