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
/// Whether a module comes, or comes anew: Install, Upgrade, Downgrade, Reinstall.
bool brings_module(Action action);

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
  std::vector<std::string> system_packages;   ///< of the distribution, needed at run time
  catalog::SystemChanges system;              ///< accounts and kernel parameters, likewise
  std::vector<std::string> suggests;          ///< optional companions that do not come along
  std::string data_format;                    ///< of the release: what its services write
  std::map<std::string, std::string> recipe;  ///< state::InstalledModule::recipe
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
  /// What modules that stay as they are need afterwards, where that changes: another provider took
  /// the place of one that leaves.
  std::map<std::string, std::vector<std::string>> requirements = {};
  /// Data folders of services, and folders of their drop-ins, that are deleted after all else is
  /// done and proven.
  std::vector<std::string> purge = {};

  bool empty() const { return actions.empty() && purge.empty(); }
};

/// `request` is needed to keep the world (the user's intent) apart from dependencies.
Plan make_plan(const state::Generation& present,
               const resolve::Request& request,
               const resolve::Resolution& resolution);

/// Only the holds of `request`: no module changes. NotFound, with a hint, for what is not
/// installed.
Plan make_hold_plan(const state::Generation& present, const resolve::Request& request);

/// "hold engine", "wish for engine": what `plan` changes of the wishes, for history. That a module
/// which it installs is wished for goes without saying.
std::vector<std::string> world_changes(const std::vector<state::WorldEntry>& before,
                                       const Plan& plan);

/// Sets what the action takes from the release besides its sources: packages and changes of the
/// system, the format of the data.
void describe_release(PlannedAction& action,
                      const catalog::Manifest& manifest,
                      const catalog::Release* release);

/// Sets `unpinned`, `download_size` and `installed_size` from the first of the action's sources; to
/// be called again when the list of sources changed.
void describe_preferred_source(PlannedAction& action);

/// Adds a deployment (or replaces the one of the same id).
Plan make_deploy_plan(const state::Generation& present, const state::ServiceInstance& service);
Plan make_undeploy_plan(const state::Generation& present, const std::string& service_id);

/// "install engine 1.2 (cpu)", for history.
std::string summary(const PlannedAction& action);

}  // namespace las::plan
