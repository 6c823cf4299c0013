// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/platform/file_system.hpp"
#include "las/registry/index.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The publisher's side: a folder of manifests becomes a signed tree.
namespace las::registry {

/// A folder of manifests as it will be published.
struct Publication {
  std::vector<Package> packages;
  std::map<Digest, std::string> objects;
};

/// Reads `<name>.yaml` and `<name>/manifest.yaml` below `folder`, with the files that they name,
/// and nothing else that lies there. Every fault of every manifest goes to `diagnostics`, also a
/// signature (`integrity.signature`) that is not one by `key`: users would refuse it.
Publication read_publication(const platform::FileReader& files,
                             const std::filesystem::path& folder,
                             const PublicKey& key,
                             Diagnostics& diagnostics);

struct BuildRequest {
  std::string registry;                  ///< "": as the tree that is there is called
  std::optional<std::uint64_t> version;  ///< nothing: one above the tree that is there
  std::chrono::system_clock::time_point created;
  std::chrono::hours lifetime{24 * 90};
  bool only_check = false;  ///< writes nothing
};

struct Built {
  Head head;
  std::optional<std::uint64_t> version_before;  ///< of the tree that was there
  bool key_changed = false;  ///< that tree was signed by another key: its users have to be told
  std::uint64_t files_written = 0, files_removed = 0;
};

/// Writes the tree: objects, packs and shards, which have new names, then the head and its
/// signature. The same publication, version, dates and key give the same bytes. What neither this
/// head nor the one before it names is removed (a client may be in the middle of the latter); files
/// of others in the folder are left alone. Usage for a version that is not above the one that is
/// there, or another registry's tree.
Built build_tree(platform::FileSystem& files,
                 const Publication& publication,
                 const std::filesystem::path& tree,
                 const SecretKey& key,
                 const BuildRequest& request);

struct TreeReport {
  Head head;
  std::vector<std::string> faults;  ///< one clause each, the path in front
};

/// Reads a whole tree as a client would: signature, expiry, every digest, every manifest's name.
/// Throws what check_head throws.
TreeReport verify_tree(const platform::FileReader& files,
                       const std::filesystem::path& tree,
                       const PublicKey& key,
                       std::chrono::system_clock::time_point now);

}  // namespace las::registry
