// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/digest.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace las::platform {

/// Streaming digest by OpenSSL's libcrypto (opened on first use).
class Hasher {
 public:
  /// "sha256" or "sha512"; anything else is a bug of the caller (InvalidData).
  explicit Hasher(std::string_view algorithm = "sha256");
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const char> bytes);

  void update(std::string_view text) { update(std::span<const char>(text.data(), text.size())); }

  // Both of these would convert to either of the above, and a literal's span holds its final NUL.
  void update(const std::string& text) { update(std::string_view(text)); }

  void update(const char* text) { update(std::string_view(text)); }

  /// Ends it; only once.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest digest_of(std::string_view content);
/// Streams a file of any size.
Digest digest_of_file(const fs::path& path, std::string_view algorithm = "sha256");
/// One digest over a tree: for every entry in sorted order its relative path, kind, executable bit,
/// and content digest or link target. Times and owners do not count.
/// Several threads read at once, so a reader has to be one that they can share.
Digest digest_of_tree(const FileReader& files, const fs::path& root);

struct TreeFacts {
  Digest digest;  ///< see digest_of_tree()
  ByteSize size;  ///< see tree_size()
};

/// Both in one look at the tree.
TreeFacts examine_tree(const FileReader& files, const fs::path& root);

}  // namespace las::platform
