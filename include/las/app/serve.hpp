// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/install.hpp"
#include "las/app/session.hpp"
#include "las/state/records.hpp"

#include <map>
#include <optional>
#include <string>

namespace las::app {

struct ServeRequest {
  std::string model;
  std::string engine;  ///< module name; "" = the installed one that serves the format
  std::string name;    ///< of the deployment; "" = the model's name
  std::optional<std::uint16_t> port;
  std::optional<std::string> gpu;  ///< the option of that name: "0,1", "none"; absent: as it is
};

/// The plan that deploys a model: picks the engine for its format, a free port, and renders the
/// unit. NotFound for an unknown model or engine; Unsatisfiable when no installed engine serves the
/// format (the hint names one to install); Busy when the wished port is taken. An equal deployment
/// that is there already gives an empty plan.
PreparedPlan prepare_serve(Session& session, const ServeRequest& request, const Activity& activity);

/// Whether the module's manifest describes how to serve models of this format.
bool serves(const catalog::Manifest& manifest, const std::string& format);

/// The same service for a module that changed under it.
state::ServiceInstance rebuild_service(Session& session,
                                       const state::ServiceInstance& old,
                                       const state::InstalledModule& module,
                                       const Activity& activity);

}  // namespace las::app
