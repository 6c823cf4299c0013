// SPDX-License-Identifier: Apache-2.0
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/resolve/resolve.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::resolve {

namespace {

[[noreturn]] void refuse(std::string message, std::string_view text) {
  throw Error(ErrorKind::Usage, std::move(message), std::string(text))
      .hint(_("write name, name=version or 'name@range', for example 'name@>=1.2,<2'"));
}

// Stricter than Version itself: what is typed must not smuggle an operator or a second wish in.
bool is_version_text(std::string_view text) {
  constexpr std::string_view kPunctuation = "._+:~-";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alnum || kPunctuation.find(c) != std::string_view::npos;
  });
}

VersionRange parse_range(std::string_view range_text, std::string_view wish) {
  const auto range = VersionRange::parse(range_text);
  if (!range || range->any() ||
      !std::all_of(range->bounds().begin(), range->bounds().end(), [](const auto& bound) {
        return is_version_text(bound.version.text());
      }))
    refuse(_("not a version range"), wish);
  return *range;
}

}  // namespace

std::string to_argument(const Wish& wish) {
  std::string text = wish.name;
  const auto& bounds = wish.range.bounds();
  if (bounds.size() == 1 && bounds.front().op == VersionRange::Operator::Equal)
    text += "=" + bounds.front().version.text();
  else if (!wish.range.any())
    text = "'" + wish.name + "@" + wish.range.to_string() + "'";
  if (!wish.variant.empty())
    text += " --variant " + wish.variant;
  if (!wish.mode.empty())
    text += " --mode " + wish.mode;
  return text;
}

Wish parse_wish(std::string_view input) {
  const std::string_view text = text::trim(input);
  const auto name_end = std::min(text.find_first_of("=@"), text.size());
  Wish wish;
  wish.name = std::string(text.substr(0, name_end));
  if (!text::is_name(wish.name))
    refuse(_("not a module name"), input);
  if (name_end == text.size())
    return wish;
  const std::string_view rest = text.substr(name_end + 1);
  if (text[name_end] == '@') {
    wish.range = parse_range(rest, input);
  } else {
    if (!is_version_text(rest))
      refuse(_("not a version"), input);
    wish.range = parse_range("==" + std::string(rest), input);
  }
  return wish;
}

}  // namespace las::resolve
