// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/resolve/resolve.hpp"
#include "las/state/records.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Pure: from the present generation and a resolution to ordered steps.
namespace las::plan {

enum class Action { Install, Upgrade, Downgrade, Reinstall, Remove, Deploy, Undeploy };
std::string_view to_string(Action action);

/// One step. Pure data.
struct PlannedAction {
  Action action = Action::Install;
  std::string subject;  ///< module name or service id
  std::string version, old_version, variant, mode;
  state::Reason reason = state::Reason::User;
  std::string why;
  /// Install, Upgrade …: the sources to try, in order.
  std::vector<catalog::Source> sources;
  std::string manifest_directory;
  std::vector<std::string> requires_modules;
  std::vector<std::string> system_packages;  ///< of the distribution, needed at run time
  /// Deploy: the service to run.
  std::optional<state::ServiceInstance> service;
  bool unpinned = false;  ///< no digest is known ahead for the preferred source
  std::optional<ByteSize> download_size, installed_size;  ///< of the preferred source, when known
};

struct Plan {
  std::vector<PlannedAction> actions;    ///< in order: dependencies before their users; removals
                                         ///< first users, then dependencies
  std::vector<state::WorldEntry> world;  ///< afterwards
  /// Modules that stay as they are and get another reason ("was a wish, is a dependency").
  std::map<std::string, state::Reason> reasons = {};

  bool empty() const { return actions.empty(); }
};

/// `request` is needed to keep the world (the user's intent) apart from dependencies.
Plan make_plan(const state::Generation& present,
               const resolve::Request& request,
               const resolve::Resolution& resolution);

/// Sets `unpinned`, `download_size` and `installed_size` from the first of the action's sources; to
/// be called again when the list of sources changed.
void describe_preferred_source(PlannedAction& action);

/// Adds a deployment (or replaces the one of the same id).
Plan make_deploy_plan(const state::Generation& present, const state::ServiceInstance& service);
Plan make_undeploy_plan(const state::Generation& present, const std::string& service_id);

/// "install engine 1.2 (cpu)", for history.
std::string summary(const PlannedAction& action);

}  // namespace las::plan
