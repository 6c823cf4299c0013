// SPDX-License-Identifier: Apache-2.0
#include "content_range.hpp"

#include "las/base/text.hpp"

#include <charconv>

namespace las::fetch {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  text = text::trim(text);
  if (text::lower(text.substr(0, 6)) != "bytes ")
    return std::nullopt;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  const auto slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash)
    return std::nullopt;
  const auto first = parse_number(text.substr(0, dash));
  const auto last = parse_number(text.substr(dash + 1, slash - dash - 1));
  const auto total = parse_number(text.substr(slash + 1));
  if (!first || !last || *last < *first || (!total && text.substr(slash + 1) != "*") ||
      (total && *last >= *total))
    return std::nullopt;
  return ContentRange{*first, *last, total};
}

}  // namespace las::fetch
