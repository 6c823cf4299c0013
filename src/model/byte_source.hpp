// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace las::model {

/// A file read forwards through a small window; every read is checked against what is left of it.
class ByteSource {
 public:
  /// NotFound, Permission, or InvalidData for what is not a regular file.
  explicit ByteSource(const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }

  std::uint64_t position() const { return position_; }

  std::uint64_t left() const { return size_ - position_; }

  /// A little-endian number.
  template <std::unsigned_integral Number>
  Number number(const char* what) {
    unsigned char bytes[sizeof(Number)];
    read(reinterpret_cast<char*>(bytes), sizeof bytes, what);
    Number value = 0;
    for (std::size_t i = 0; i < sizeof bytes; ++i)
      value = static_cast<Number>(value | static_cast<Number>(bytes[i]) << (8 * i));
    return value;
  }

  std::string text(std::uint64_t length, const char* what);
  void skip(std::uint64_t length, const char* what);

  /// InvalidData that says where: "<cause> at byte <position>".
  Error fault(std::uint64_t at, const std::string& cause) const;

 private:
  void read(char* bytes, std::uint64_t length, const char* what);
  void require(std::uint64_t length, const char* what) const;

  std::filesystem::path path_;
  std::ifstream stream_;
  std::vector<char> window_;
  std::uint64_t size_ = 0, position_ = 0;
  std::uint64_t window_start_ = 0;
  std::size_t window_size_ = 0;
};

}  // namespace las::model
