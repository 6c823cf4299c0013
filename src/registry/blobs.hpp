// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/registry/refresh.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace las::registry {

/// Content by its digest: from files that are here already, or from the registry's address. What it
/// gives was hashed in this process.
class Blobs {
 public:
  Blobs(const Surroundings& around,
        std::string registry,
        std::string url,
        const Activity& activity);

  /// A file that should have this content, if nobody changed it.
  void offer(const Digest& digest, std::filesystem::path path);
  /// Nothing where no offered or fetched file has the content (any more).
  std::optional<std::string> find(const Blob& blob);

  struct Wanted {
    Blob blob;
    std::string path;  ///< below the registry's address
  };

  /// Gets them all into the cache. Network; Integrity where one is not what its digest says.
  void fetch(const std::vector<Wanted>& wanted);

  std::uint64_t fetched() const { return fetched_; }

  ByteSize fetched_bytes() const { return fetched_bytes_; }

 private:
  void fetch_some(const std::vector<Wanted>& wanted, std::size_t first, std::size_t last);

  const Surroundings& around_;
  std::string registry_, url_;
  const Activity& activity_;
  std::map<Digest, std::filesystem::path> places_;
  std::uint64_t fetched_ = 0;
  ByteSize fetched_bytes_;
};

}  // namespace las::registry
