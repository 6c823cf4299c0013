// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/fetch/fetch.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/registry/index.hpp"
#include "las/state/records.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// Bringing the copy of a registry to what its address says now.
namespace las::registry {

/// The URL as it is kept: without a slash at its end. Usage unless it is https, http on a loopback
/// address, or file with an absolute path; also for credentials in it (they would be shown, logged
/// and sent to whoever answers), a query or a fragment.
std::string check_url(const std::string& url);

struct Surroundings {
  platform::FileSystem& files;
  fetch::Fetcher& fetcher;
  platform::Clock& clock;
  std::filesystem::path copies;  ///< <state>/registries
  std::filesystem::path cache;   ///< verified objects on their way, kept when a run is broken off
};

struct RefreshOptions {
  bool only_check = false;  ///< asks for the head and judges it; nothing is written anywhere
  bool again = false;       ///< takes nothing from the copy that is there (it may be damaged)
};

struct PackageChange {
  std::string name, before, after;  ///< versions; "" before: new, "" after: gone
};

struct Refreshed {
  state::RegistryRecord record;  ///< to be put into the state: only then does the snapshot count
  bool changed = false;          ///< there is another snapshot (with only_check: there would be)
  std::vector<PackageChange> changes;  ///< sorted by name; empty with only_check
  std::uint64_t objects_fetched = 0;   ///< shards, packs and objects
  ByteSize bytes_fetched;              ///< of them
};

/// Asks the address of `known` for the head (conditionally, where there is a copy), judges it,
/// fetches what is not there, and builds a new snapshot beside the old one: staged, synced,
/// renamed. Errors: Network; Integrity for every refusal named in index.hpp; NoSpace; Interrupted.
/// After any of them the copy is as it was (what was downloaded and verified before a Network error
/// is kept in the cache).
Refreshed refresh(const Surroundings& around,
                  const state::RegistryRecord& known,
                  const RefreshOptions& options,
                  const Activity& activity);

}  // namespace las::registry
