// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/catalog/manifest.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace las::catalog {

/// What can be said of a module without its manifest: enough to list, search and choose. The views
/// live as long as their catalog.
struct Brief {
  std::string_view name;
  std::string_view version;  ///< newest release; of a manifest without releases its own
  Category category = Category::Tool;
  bool deprecated = false;
  bool serves_models = false;  ///< has a service of kind deployment
  std::string_view origin;     ///< name of its registry

  std::string summary(std::string_view language = {}) const;  ///< see Manifest::summary

  // As the index keeps them; for Catalog.
  std::string_view descriptions;                 ///< encoded (language, text) pairs
  std::string_view provides;                     ///< one capability a line
  std::string_view searched, searched_provides;  ///< descriptions and `provides` in lower case
};

/// Every manifest known now. Of two with the same name, the registry named later wins. Manifests
/// are read (from the compiled index, see load_catalog) when they are asked for; pointers to them
/// live as long as the catalog or a copy of it. Not for use by several threads at once.
class Catalog {
 public:
  Catalog();
  explicit Catalog(std::vector<Manifest> manifests);

  const std::vector<Brief>& briefs() const;  ///< sorted by name

  const Manifest* find(std::string_view name) const;
  /// Throws NotFound with the nearest name as hint.
  const Manifest& get(std::string_view name) const;
  /// Every module that provides `capability`, by name.
  const std::vector<const Manifest*>& providers(std::string_view capability) const;
  std::vector<std::string> names() const;

  struct Hit {
    const Brief* brief;
    int score;  ///< higher is better
  };

  /// Case-insensitive over name, description (all languages), category, provides; best first, ties
  /// by name. All words must match.
  std::vector<Hit> search(std::string_view query) const;

 private:
  friend class CatalogLoader;
  struct Parts;
  std::shared_ptr<Parts> parts_;
};

/// A place manifests come from: a folder of `<name>.yaml` or `<name>/manifest.yaml`.
struct Registry {
  std::string name;
  std::filesystem::path directory;
  /// Names the content of the folder as a whole, when something vouches for it: an equal snapshot
  /// is equal content, and its files need not be looked at. "" = every file is looked at.
  std::string snapshot = {};
};

/// Where load_catalog keeps what it compiled.
struct IndexPlace {
  /// LMDB environments, the first that has a fresh index is used. A new index goes into the first
  /// that can be written and whose parent folder exists.
  std::vector<std::filesystem::path> directories;
  /// Names the program that compiles: another one reads nothing of it.
  std::string maker;
};

/// Loads all registries, later ones over earlier ones. A faulty manifest is left out and its faults
/// are in `diagnostics`; an absent folder is no fault.
///
/// With a place for it, manifests are compiled once: an index per registry holds briefs, file
/// stamps and encoded manifests. Only files whose stamp changed are parsed again (faulty ones each
/// time, so that their faults are told each time). The index is a cache: damage, or a place that
/// cannot be written, costs time and nothing else.
Catalog load_catalog(const platform::FileReader& files,
                     const std::vector<Registry>& registries,
                     Diagnostics& diagnostics,
                     const IndexPlace& place = {});

}  // namespace las::catalog
