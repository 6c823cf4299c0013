// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace las::fetch {

/// "bytes 5-9/10"; the total may be unknown ("*").
struct ContentRange {
  std::uint64_t first = 0, last = 0;
  std::optional<std::uint64_t> total;
  bool operator==(const ContentRange&) const = default;
};

/// Nothing for what is malformed or contradicts itself.
std::optional<ContentRange> parse_content_range(std::string_view text);

/// Digits only; nothing for anything else, overflow included.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace las::fetch
