// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::state {

/// Bytes by name in an LMDB environment of its own, for what can be made again at any time. Not
/// part of the state: it may be deleted whenever no las runs.
///
/// Errors: CorruptState (delete the folder), Permission, NoSpace, Io.
class BlobCache {
 public:
  enum class Access { ReadOnly, ReadWrite };

  /// ReadWrite makes the folder. ReadOnly of a place where there is none gives nothing.
  static std::unique_ptr<BlobCache> open(const std::filesystem::path& directory, Access access);
  BlobCache(const BlobCache&) = delete;
  BlobCache& operator=(const BlobCache&) = delete;
  ~BlobCache();

  bool writable() const;

  /// Hands over the blob as it lies in the map, without copying it; nothing if there is none. The
  /// view ends with `body`, which may run twice.
  void read(std::string_view name,
            const std::function<void(std::optional<std::string_view>)>& body) const;

  struct Change {
    std::string name;
    std::optional<std::string> content;  ///< nothing erases it
  };

  /// All of them, or none.
  void write(const std::vector<Change>& changes);

 private:
  struct Environment;
  explicit BlobCache(std::unique_ptr<Environment> environment);
  std::unique_ptr<Environment> environment_;
};

}  // namespace las::state
