// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/registry/build.hpp"

#include <filesystem>
#include <optional>
#include <string>

/// What the keeper of a registry does.
namespace las::app {

struct RegistryBuildRequest {
  std::string manifests, tree, key_file, passphrase_file;
  std::string name;                      ///< "": as the tree is called
  std::optional<std::uint64_t> version;  ///< nothing: the next one
  int days = 90;                         ///< until it expires
};

/// Checks every manifest (InvalidData with all faults) and writes the signed tree. It is created
/// now, or at SOURCE_DATE_EPOCH (reproducible-builds.org), which makes it reproducible. See
/// registry::build_tree.
registry::Built build_registry(Session& session,
                               const RegistryBuildRequest& request,
                               bool only_check);

/// Reads a whole tree as a client would.
registry::TreeReport verify_registry_tree(Session& session,
                                          const std::string& tree,
                                          const std::string& key);

struct NewKey {
  std::filesystem::path secret_file, public_file;
  registry::PublicKey key;
};

/// Writes a new secret key without a passphrase (mode 0600) and its public half beside it:
/// "lab.key" gives "lab.pub". Usage if one of the files is there.
NewKey make_registry_key(Session& session, const std::string& file, bool only_check);

}  // namespace las::app
