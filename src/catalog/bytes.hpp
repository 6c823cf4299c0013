// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Numbers and texts one after the other, as the compiled index keeps them. Numbers take seven bits
/// a byte, the lowest first (LEB128); a text is its length and its bytes.
namespace las::catalog {

class ByteWriter {
 public:
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U)
      bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what a ByteWriter wrote; InvalidData for anything else. The texts are views of its bytes.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    constexpr unsigned int kBits = 64;
    std::uint64_t value = 0;
    for (unsigned int shift = 0; shift < kBits && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80U) == 0)
        return value;
    }
    fail();
  }

  /// A number of things each of which takes at least one byte.
  std::size_t count() {
    const std::uint64_t value = number();
    if (value > rest_.size())
      fail();
    return static_cast<std::size_t>(value);
  }

  std::string_view text() {
    const std::size_t size = count();
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }

  bool at_end() const { return rest_.empty(); }

  [[noreturn]] static void fail() {
    throw Error(ErrorKind::InvalidData, _("the compiled catalog is damaged"));
  }

 private:
  std::string_view rest_;
};

}  // namespace las::catalog
