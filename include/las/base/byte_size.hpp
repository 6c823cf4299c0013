// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace las {

/// A number of bytes. Arithmetic saturates instead of wrapping: sizes come from foreign documents.
class ByteSize {
 public:
  constexpr ByteSize() = default;

  constexpr explicit ByteSize(std::uint64_t bytes) : bytes_(bytes) {}

  static constexpr ByteSize kib(std::uint64_t n) { return ByteSize(n << 10); }

  static constexpr ByteSize mib(std::uint64_t n) { return ByteSize(n << 20); }

  static constexpr ByteSize gib(std::uint64_t n) { return ByteSize(n << 30); }

  /// "16GB", "16 GiB", "512M", "1.5G", "1024". Memory convention of the field (and of
  /// LocalAIStack's published manifests): K, KB and KiB all mean 1024, and so on up; case does not
  /// matter. Nothing for anything else, including negative and overflowing values.
  static std::optional<ByteSize> parse(std::string_view text);

  constexpr std::uint64_t bytes() const { return bytes_; }

  constexpr double as_gib() const { return static_cast<double>(bytes_) / (1024.0 * 1024 * 1024); }

  /// "0 B", "512 B", "1.5 KiB", "24.0 GiB": three significant digits at most, binary units.
  std::string to_string() const;

  constexpr auto operator<=>(const ByteSize&) const = default;

  constexpr ByteSize operator+(ByteSize other) const {
    return ByteSize(bytes_ > UINT64_MAX - other.bytes_ ? UINT64_MAX : bytes_ + other.bytes_);
  }

  constexpr ByteSize& operator+=(ByteSize other) { return *this = *this + other; }

 private:
  std::uint64_t bytes_ = 0;
};

}  // namespace las
