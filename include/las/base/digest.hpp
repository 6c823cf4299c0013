// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace las {

/// A content digest, "sha256:<64 lower-case hex>". Only SHA-256 and SHA-512 are accepted; a value
/// of this type is always well formed, so it may be used as a file name (compare CVE-2024-37032).
class Digest {
 public:
  /// The SHA-256 of no bytes at all.
  Digest();
  /// "sha256:…", "sha512:…" or bare 64 hex digits (SHA-256). Nothing for anything else.
  static std::optional<Digest> parse(std::string_view text);
  /// `hex` must be what a hasher gave.
  static Digest sha256(std::string hex);

  const std::string& algorithm() const { return algorithm_; }

  const std::string& hex() const { return hex_; }

  /// The first 12 hex digits, for folder names and messages.
  std::string short_hex() const { return hex_.substr(0, 12); }

  std::string to_string() const { return algorithm_ + ":" + hex_; }

  auto operator<=>(const Digest&) const = default;

 private:
  Digest(std::string algorithm, std::string hex);
  std::string algorithm_, hex_;
};

}  // namespace las
