// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/install.hpp"
#include "las/app/session.hpp"
#include "las/catalog/manifest.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace las::app {

/// What a service can be told: the options of its manifest, and those that every service has (who
/// may reach it, when it starts, what it may use of the machine). They are a part of the service in
/// its generation, so that a lock has them and rollback takes them back.
const std::vector<catalog::Option>& common_service_options();

/// What is wrong with options for this module's service, one sentence each, by option: unknown
/// names and values of the wrong type.
std::map<std::string, std::string> option_faults(const catalog::Manifest& manifest,
                                                 const std::map<std::string, std::string>& options);

/// One option of a service with what it is now.
struct ServiceOption {
  std::string key;  ///< "SERVICE.NAME"
  std::string value, default_value, description;
  bool set = false;  ///< by the user
};

/// Of the named service, or of all.
std::vector<ServiceOption> service_options(Session& session,
                                           const std::string& service,
                                           const Activity& activity);

/// "store.memory" → "store" and "memory", where the first is a service that is there; nothing
/// for what is none.
struct OptionKey {
  std::string service, option;
};

std::optional<OptionKey> parse_option_key(Session& session, const std::string& key);

/// What services are to be told: by option, the value, or nothing to go back to the default.
using OptionChanges = std::map<std::string, std::optional<std::string>>;

/// The plan that makes it so; what runs is restarted. Empty if it is so already. "port" is among
/// the options here. Usage for wrong ones; PolicyDenied and Usage where others would reach what
/// they must not; Busy for a port that is taken; Unsatisfiable for what this machine's supervisor
/// cannot do.
PreparedPlan prepare_configure(Session& session,
                               const std::vector<std::string>& services,
                               const OptionChanges& changes,
                               const Activity& activity);

/// The word that las made for the service. NotFound where it has none; Permission for others than
/// root (or the user).
std::string service_secret(Session& session, const std::string& service);

/// Lets the person at the terminal change the drop-in of the service's unit, by systemd's own means
/// (the editor, the reload). Whether anything is another than before: an editor that gives up says
/// nothing to systemctl's exit status. Unsatisfiable where no systemd runs the service; Io where
/// systemctl fails.
bool edit_service(Session& session, const std::string& service);

}  // namespace las::app
