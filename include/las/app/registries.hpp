// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/plan/plan.hpp"
#include "las/registry/build.hpp"
#include "las/registry/refresh.hpp"

#include <optional>
#include <string>
#include <vector>

/// Where manifests come from: what las ships, registries that the user added, and folders of this
/// site. Of two manifests with one name, the place later in that order wins.
namespace las::app {

/// The remote registries of this state, in the order of adding.
std::vector<state::RegistryRecord> remote_registries(Session& session);

/// Every folder that the catalog is made of, the winning ones last. A remote registry that was
/// never fetched has none.
std::vector<catalog::Registry> catalog_folders(Session& session);

/// Says which copies are expired or gone; once for a run.
void warn_about_registries(Session& session, const Activity& activity);

/// Refuses a plan that installs something on the word of an expired registry (Integrity), unless
/// the setting registry.expired is "warn". Whoever can hold back news (a mirror, a captive network)
/// could otherwise keep offering a release with a known hole for ever: the attack that TUF calls
/// freeze. What is installed runs on, and removing, rolling back and serving never ask.
void refuse_expired_origins(Session& session, const plan::Plan& plan, const Activity& activity);

struct RegistryView {
  enum class Kind { BuiltIn, Remote, Local, Folder } kind = Kind::Folder;
  std::string name, location;                   ///< folder or URL
  std::optional<state::RegistryRecord> record;  ///< Remote
  std::string key_id;                           ///< Remote
  bool expired = false;                         ///< Remote
};

std::string_view to_string(RegistryView::Kind kind);  ///< "built-in", "remote", "local", "folder"

/// In the order in which they win, the last most.
std::vector<RegistryView> registries(Session& session);

/// A public key as people give it: minisign's line, or a .pub file. Usage if it is neither.
registry::PublicKey read_public_key(Session& session, const std::string& text);
/// A secret key file of minisign or las; its passphrase from the first line of `passphrase_file`,
/// or LAS_KEY_PASSPHRASE. See registry::parse_secret_key for how it fails.
registry::SecretKey read_secret_key(Session& session,
                                    const std::string& file,
                                    const std::string& passphrase_file);

struct AddedRegistry {
  bool added = false;  ///< false: it was there already, exactly so
  registry::Refreshed refreshed;
  std::string key_id;
};

/// Trusts a registry and fetches it; nothing is changed where that fails. Usage for a name that is
/// taken or none, and for addresses that check_url refuses. Takes the lock unless `only_check`.
AddedRegistry add_registry(Session& session,
                           const std::string& name,
                           const std::string& url,
                           const std::string& key,
                           bool only_check,
                           const Activity& activity);

/// Forgets a registry and its copy. What was installed from it stays. NotFound with a suggestion.
void remove_registry(Session& session,
                     const std::string& name,
                     bool only_check,
                     const Activity& activity);

struct TrustChange {
  bool changes = false;  ///< false: it is that key already
  std::string old_key, old_id, new_key, new_id;
};

/// What changing the key would change.
TrustChange compare_key(Session& session, const std::string& name, const std::string& key);
/// Changes the key of a registry, once its index proved to be signed with it. Versions accepted
/// under the old key do not count any more.
registry::Refreshed trust_key(Session& session,
                              const std::string& name,
                              const std::string& key,
                              bool only_check,
                              const Activity& activity);

struct UpdateOutcome {
  std::string name;
  std::uint64_t version_before = 0;
  registry::Refreshed refreshed;
  std::optional<Error> error;  ///< then the copy is as it was
};

/// Refreshes the named registries, or all. One that fails does not keep the others from going on.
/// NotFound with a suggestion for an unknown name, before anything is asked.
std::vector<UpdateOutcome> update_registries(Session& session,
                                             const std::vector<std::string>& names,
                                             const registry::RefreshOptions& options,
                                             const Activity& activity);

/// Whatever is wrong with the copy of a registry; empty if it is what was accepted.
std::vector<std::string> verify_registry_copy(Session& session, const std::string& name);

}  // namespace las::app
