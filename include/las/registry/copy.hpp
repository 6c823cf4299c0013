// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"
#include "las/registry/index.hpp"
#include "las/state/records.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// The copy of a remote registry on this machine:
///
///     <copies>/<name>/<hex>/NAME/manifest.yaml   a folder that the catalog reads like any other
///     <copies>/<name>/<hex>/.index/              what it was made from: head, signature, shards
///
/// <hex> is the digest of the head, so the name of the folder tells its whole content. Such a
/// snapshot never changes once it has its name; which one counts is in the state's record.
namespace las::registry {

/// The folder of the snapshot that counts; empty when nothing was accepted yet.
std::filesystem::path snapshot_folder(const std::filesystem::path& copies,
                                      const state::RegistryRecord& record);

/// Whether the head of the snapshot that counts is here; a quick look.
bool has_snapshot(const platform::FileReader& files,
                  const std::filesystem::path& copies,
                  const state::RegistryRecord& record);

/// A snapshot's own account of what it holds.
struct Listing {
  Head head;
  std::vector<Package> packages;  ///< sorted by name
};

/// Reads .index of the snapshot that counts. Integrity where it is not the one that was accepted;
/// NotFound where there is none.
Listing read_listing(const platform::FileReader& files,
                     const std::filesystem::path& copies,
                     const state::RegistryRecord& record);

/// Whatever of the copy is not what its signed index says, one clause each, the path in front.
std::vector<std::string> verify_copy(const platform::FileReader& files,
                                     const std::filesystem::path& copies,
                                     const state::RegistryRecord& record);

/// Removes what an interrupted run left, and every snapshot but the record's current and previous
/// one: a reader may still be in the latter.
void sweep(platform::FileSystem& files,
           const std::filesystem::path& copies,
           const state::RegistryRecord& record);

}  // namespace las::registry
