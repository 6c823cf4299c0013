// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/base/digest.hpp"
#include "las/fetch/fetch.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/hasher.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace las::fetch {

/// Where the bytes of a partial file come from; kept beside it as JSON.
struct PartialRecord {
  std::string url;
  std::string etag, last_modified;    ///< as the server gave them; may be empty
  std::optional<std::uint64_t> size;  ///< of the whole content
  /// Bytes known to have reached the disk; only where no digest will prove the content.
  std::optional<std::uint64_t> kept;
  bool operator==(const PartialRecord&) const = default;

  std::string to_json() const;
  static std::optional<PartialRecord> from_json(const std::string& text);
  /// What If-Range may carry: a strong ETag, else the date; "" if there is neither.
  std::string validator() const;
};

/// A download on its way to "<algorithm>-<hex>" in the cache, hashed as it grows.
///
/// Nothing found on disk is trusted: adopt() hashes it again, and a pinned digest decides at the
/// end. Without one, bytes are only adopted if they had been synced under the same validator.
class PartialFile {
 public:
  PartialFile(platform::FileSystem& files,
              std::filesystem::path directory,
              std::optional<Digest> digest,
              const std::string& first_url);

  /// Takes up what an earlier run left; more than `limit` bytes are thrown away.
  void adopt(std::uint64_t limit, const Activity& activity);
  /// Range headers to go on from `url`; none if it must start over.
  std::map<std::string, std::string> resume_headers(const std::string& url) const;

  void start_over(PartialRecord record);  ///< an empty file
  void go_on();                           ///< more bytes from a later answer follow
  void append(std::string_view bytes);
  /// Makes what arrived usable for a later run.
  void keep();
  void discard();
  /// Ends hashing; the file must be committed or discarded next.
  Digest finish();
  /// Syncs and publishes it under its digest, which finish() gave.
  std::filesystem::path commit(const Digest& digest);

  std::uint64_t size() const { return size_; }

  const PartialRecord& record() const { return record_; }

  /// Whether the bytes come from more than one answer.
  bool patched() const { return patched_; }

 private:
  void save_record();
  void close();
  bool adoptable(std::uint64_t on_disk, std::uint64_t limit) const;

  platform::FileSystem& files_;
  std::filesystem::path directory_, path_, record_path_;
  std::optional<Digest> digest_;
  PartialRecord record_;
  std::unique_ptr<platform::FileWriter> writer_;
  platform::Hasher hasher_;
  std::uint64_t size_ = 0;
  bool patched_ = false;
};

}  // namespace las::fetch
