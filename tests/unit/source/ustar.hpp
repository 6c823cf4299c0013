// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/catch.hpp"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace las::test {

/// Writes tar headers byte by byte, so that it can write what no honest program would.
class Ustar {
 public:
  static constexpr char kFile = '0', kHardLink = '1', kSymlink = '2', kCharDevice = '3',
                        kFolder = '5', kFifo = '6', kPaxHeader = 'x';

  Ustar& add(char type,
             std::string_view name,
             std::string_view content = {},
             std::string_view link = {},
             unsigned mode = 0644) {
    return add_sized(type, name, content, content.size(), link, mode);
  }

  /// With a size in the header that need not be true.
  Ustar& add_sized(char type,
                   std::string_view name,
                   std::string_view content,
                   unsigned long long size,
                   std::string_view link = {},
                   unsigned mode = 0644) {
    std::array<char, 512> header{};
    name.copy(header.data(), 100);
    octal(header.data() + 100, 8, mode);
    octal(header.data() + 108, 8, 12345);  // an owner that must not be restored
    octal(header.data() + 116, 8, 12345);
    octal(header.data() + 124, 12, size);
    octal(header.data() + 136, 12, 0);
    header[156] = type;
    link.copy(header.data() + 157, 100);
    std::string_view("ustar\00000", 8).copy(header.data() + 257, 8);
    std::string_view("        ").copy(header.data() + 148, 8);
    unsigned sum = 0;
    for (const char c : header)
      sum += static_cast<unsigned char>(c);
    octal(header.data() + 148, 7, sum);
    bytes_.append(header.data(), header.size());
    bytes_ += content;
    bytes_.append((512 - content.size() % 512) % 512, '\0');
    return *this;
  }

  Ustar& file(std::string_view name, std::string_view content, unsigned mode = 0644) {
    return add(kFile, name, content, {}, mode);
  }

  Ustar& folder(std::string_view name, unsigned mode = 0755) {
    return add(kFolder, name, {}, {}, mode);
  }

  Ustar& symlink(std::string_view name, std::string_view target) {
    return add(kSymlink, name, {}, target, 0777);
  }

  Ustar& hard_link(std::string_view name, std::string_view target) {
    return add(kHardLink, name, {}, target);
  }

  std::string bytes() const { return bytes_ + std::string(1024, '\0'); }

 private:
  static void octal(char* field, int width, unsigned long long value) {
    // `width` counts the NUL that ends the field; digits that do not fit are the test's mistake.
    const std::string digits = fmt::format("{:0{}o}", value, width - 1);
    REQUIRE(digits.size() == static_cast<std::size_t>(width - 1));
    digits.copy(field, digits.size());
  }

  std::string bytes_;
};

}  // namespace las::test
