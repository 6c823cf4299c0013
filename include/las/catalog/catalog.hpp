// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/catalog/manifest.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace las::catalog {

/// Every manifest known now. Of two with the same name, the registry named later wins.
class Catalog {
 public:
  Catalog() = default;
  explicit Catalog(std::vector<Manifest> manifests);

  const std::vector<Manifest>& manifests() const { return manifests_; }  ///< sorted by name

  const Manifest* find(std::string_view name) const;
  /// Throws NotFound with the nearest name as hint.
  const Manifest& get(std::string_view name) const;

  struct Hit {
    const Manifest* manifest;
    int score;  ///< higher is better
  };

  /// Case-insensitive over name, description (all languages), category, provides; best first, ties
  /// by name. All words must match.
  std::vector<Hit> search(std::string_view query) const;

 private:
  std::vector<Manifest> manifests_;
};

/// A place manifests come from: a folder of `<name>.yaml` or `<name>/manifest.yaml`.
struct Registry {
  std::string name;
  std::filesystem::path directory;
};

/// Loads all registries, later ones over earlier ones. A faulty manifest is left out and its faults
/// are in `diagnostics`; an absent folder is no fault.
Catalog load_catalog(const platform::FileReader& files,
                     const std::vector<Registry>& registries,
                     Diagnostics& diagnostics);

}  // namespace las::catalog
