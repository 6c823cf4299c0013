// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "blobs.hpp"

#include "las/registry/refresh.hpp"

#include <set>
#include <string>
#include <vector>

namespace las::registry {

/// A shard as it came: its reference, its text, and what the text says.
struct Shard {
  ShardRef ref;
  std::string text;
  std::vector<Package> packages;
};

/// What an accepted head stands for.
struct Snapshot {
  std::string head_text, signature;
  Digest digest;  ///< of head_text
  Head head;
  std::vector<Shard> shards;
};

/// Fetches the objects that are not here, by packs where most of a shard is missing.
void fetch_objects(const Snapshot& snapshot, Blobs& blobs);

/// Writes the snapshot beside the others and gives it its name. A manifest that may not stand where
/// it does is Integrity; nothing is left then. `unchanged`: packages that were checked before,
/// under the same key.
void publish(const Surroundings& around,
             const Snapshot& snapshot,
             const PublicKey& key,
             const std::set<std::string>& unchanged,
             Blobs& blobs);

}  // namespace las::registry
