// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/catalog/catalog.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace las::catalog {

/// What a brief is made of, for a manifest that is not in an index yet.
class BriefTexts {
 public:
  explicit BriefTexts(const Manifest& manifest);
  BriefTexts(const BriefTexts&) = delete;
  BriefTexts& operator=(const BriefTexts&) = delete;

  /// Valid as long as this.
  Brief brief() const;

 private:
  std::string name_, version_, descriptions_, provides_, searched_, searched_provides_;
  Category category_;
  bool deprecated_, serves_models_;
};

/// A file that lies beside a manifest and is read with it.
struct Companion {
  std::string file;  ///< relative to the registry's folder
  platform::FileStamp stamp;
};

/// One manifest in the index of a registry.
struct IndexEntry {
  std::string_view file;  ///< relative to the registry's folder
  platform::FileStamp stamp;
  std::uint64_t offset = 0, size = 0;  ///< of its encoding in the bodies
  Brief brief;                         ///< without origin
  std::string_view companions;         ///< encoded

  std::vector<Companion> read_companions() const;
};

/// The index of one registry, read from its bytes, which must outlive it. The encoded manifests are
/// bytes of their own ("bodies"), so that a search does not touch them.
struct Listing {
  std::string_view maker, snapshot;
  std::string_view bodies;          ///< digest of the bodies that go with it
  std::vector<IndexEntry> entries;  ///< by name

  /// InvalidData when the bytes are no listing.
  static Listing parse(std::string_view bytes);
};

/// Makes a listing and its bodies, entry by entry, by name.
class ListingMaker {
 public:
  /// The stamp {} is that of no file: it will be read again next time.
  void add(std::string_view file,
           const platform::FileStamp& stamp,
           const std::vector<Companion>& companions,
           const Manifest& manifest);
  /// One that is in another index already.
  void add(const IndexEntry& entry, std::string_view body);

  const std::string& bodies() const { return bodies_; }

  /// `bodies` is the digest of bodies().
  std::string listing(std::string_view maker,
                      std::string_view snapshot,
                      std::string_view bodies) const;

 private:
  void add(std::string_view file,
           const platform::FileStamp& stamp,
           std::string_view companions,
           const Brief& brief,
           std::string_view body);

  std::vector<std::string> entries_;
  std::string bodies_;
};

}  // namespace las::catalog
