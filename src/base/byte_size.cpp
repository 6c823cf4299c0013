// SPDX-License-Identifier: Apache-2.0
#include "las/base/byte_size.hpp"

#include "las/base/text.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace las {

std::optional<ByteSize> ByteSize::parse(std::string_view input) {
  const std::string text = text::lower(text::trim(input));
  std::size_t end = 0;
  while (end < text.size() &&
         (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == '.'))
    ++end;
  if (end == 0)
    return std::nullopt;
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + end)
    return std::nullopt;

  std::string unit(text::trim(std::string_view(text).substr(end)));
  if (unit.ends_with("ib"))
    unit.resize(unit.size() - 2);
  else if (unit.ends_with("b"))
    unit.resize(unit.size() - 1);
  static constexpr std::string_view kPrefixes = "kmgtp";
  double factor = 1;
  if (unit.size() == 1) {
    const auto position = kPrefixes.find(unit[0]);
    if (position == std::string_view::npos)
      return std::nullopt;
    factor = std::pow(1024.0, static_cast<double>(position + 1));
  } else if (!unit.empty()) {
    return std::nullopt;
  }
  const double bytes = number * factor;
  if (!(bytes >= 0) || bytes >= 18446744073709551615.0)
    return std::nullopt;
  return ByteSize(static_cast<std::uint64_t>(bytes));
}

std::string ByteSize::to_string() const {
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes_);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0)
    return fmt::format("{} B", bytes_);
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

}  // namespace las
