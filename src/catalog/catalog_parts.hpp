// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "listing.hpp"

#include "las/catalog/catalog.hpp"
#include "las/state/blob_cache.hpp"

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace las::catalog {

/// One registry as it was loaded: its listing, and where the encoded manifests are.
struct LoadedRegistry {
  std::string name;
  std::filesystem::path directory;
  std::string listing_bytes;                ///< what the views of `entries` look at
  std::vector<IndexEntry> entries;          ///< by name
  std::string bodies;                       ///< "" = in the cache
  std::shared_ptr<state::BlobCache> cache;  ///< nullptr = in `bodies`
  std::string bodies_name;                  ///< of the blob in the cache
  std::string bodies_id;                    ///< what that blob begins with
  const platform::FileReader* files = nullptr;

  /// From its encoding, or where that is gone or damaged, from its file.
  Manifest load(const IndexEntry& entry) const;
};

struct Catalog::Parts {
  struct Module {
    std::unique_ptr<Manifest> manifest;        ///< once it was asked for
    const LoadedRegistry* registry = nullptr;  ///< nullptr: `manifest` is there from the start
    const IndexEntry* entry = nullptr;         ///< of the registry, or in `own_entries`
  };

  std::vector<Module> modules;         ///< registry after registry
  std::vector<Brief> briefs;           ///< by name, of two with one name the later
  std::vector<std::size_t> positions;  ///< of each brief in `modules`
  std::vector<std::unique_ptr<LoadedRegistry>> registries;
  std::deque<IndexEntry> own_entries;
  std::vector<std::unique_ptr<BriefTexts>> texts;
  std::map<std::string, std::vector<const Manifest*>, std::less<>> providers;

  /// Merges modules[from...], which are sorted by name, into what is known.
  void merge(std::size_t from);
  /// Of the brief at `index`.
  const Manifest* load(std::size_t index);
};

}  // namespace las::catalog
