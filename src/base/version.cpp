// SPDX-License-Identifier: Apache-2.0
#include "las/base/version.hpp"

#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace las {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Comparing is what resolving a large catalog does most: nothing is copied here.
struct Segment {
  enum class Kind { Tilde, PreRelease, End, Letters, Number } kind = Kind::End;
  std::string_view text;
  int rank = 0;  // order among pre-release words
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::strong_ordering compare_letters(std::string_view a, std::string_view b) {
  return std::lexicographical_compare_three_way(
      a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return static_cast<unsigned char>(lower(x)) <=> static_cast<unsigned char>(lower(y));
      });
}

constexpr std::array<std::string_view, 9> kPreReleases = {
    "dev", "a", "alpha", "b", "beta", "pre", "preview", "c", "rc"};

// Reads one segment from `text` and advances it. Separators (. - _ + :) are skipped.
Segment next_segment(std::string_view& text) {
  while (!text.empty() && !is_digit(text[0]) && !is_letter(text[0]) && text[0] != '~')
    text.remove_prefix(1);
  if (text.empty())
    return {};
  if (text[0] == '~') {
    text.remove_prefix(1);
    return {Segment::Kind::Tilde, "~", 0};
  }
  const bool number = is_digit(text[0]);
  std::size_t end = 0;
  while (end < text.size() && (number ? is_digit(text[end]) : is_letter(text[end])))
    ++end;
  std::string_view token = text.substr(0, end);
  text.remove_prefix(end);
  if (number) {
    while (token.size() > 1 && token[0] == '0')
      token.remove_prefix(1);
    return {Segment::Kind::Number, token, 0};
  }
  const auto* const found =
      std::find_if(kPreReleases.begin(), kPreReleases.end(), [&](std::string_view word) {
        return compare_letters(word, token) == 0;
      });
  if (found != kPreReleases.end())
    return {Segment::Kind::PreRelease, token, static_cast<int>(found - kPreReleases.begin())};
  return {Segment::Kind::Letters, token, 0};
}

std::string_view without_prefix_letter(std::string_view text) {
  if (text.size() > 1 && (text[0] == 'v' || text[0] == 'b' || text[0] == 'V') && is_digit(text[1]))
    text.remove_prefix(1);
  return text;
}

std::strong_ordering compare_segments(const Segment& a, const Segment& b) {
  if (a.kind != b.kind)
    return a.kind <=> b.kind;
  switch (a.kind) {
    case Segment::Kind::Number:
      if (a.text.size() != b.text.size())
        return a.text.size() <=> b.text.size();
      return a.text.compare(b.text) <=> 0;
    case Segment::Kind::PreRelease:
      return a.rank <=> b.rank;
    case Segment::Kind::Letters:
      return compare_letters(a.text, b.text);
    default:
      return std::strong_ordering::equal;
  }
}

std::vector<std::string> numbers_of(std::string_view text) {
  std::vector<std::string> numbers;
  for (const std::string& part : text::split(without_prefix_letter(text), '.')) {
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_digit))
      break;
    numbers.push_back(part);
  }
  return numbers;
}

// The first version beyond the range that keeps `keep` leading numbers.
std::optional<Version> bumped(std::string_view text, std::size_t keep) {
  std::vector<std::string> numbers = numbers_of(text);
  if (numbers.size() < keep || keep == 0)
    return std::nullopt;
  numbers.resize(keep);
  if (numbers.back().size() > 18)
    return std::nullopt;
  numbers.back() = std::to_string(std::stoull(numbers.back()) + 1);
  return Version(text::join(numbers, "."));
}

bool holds(const VersionRange::Bound& bound, const Version& version) {
  const auto order = version <=> bound.version;
  switch (bound.op) {
    case VersionRange::Operator::Equal:
      return order == 0;
    case VersionRange::Operator::NotEqual:
      return order != 0;
    case VersionRange::Operator::Less:
      return order < 0;
    case VersionRange::Operator::LessEqual:
      return order <= 0;
    case VersionRange::Operator::Greater:
      return order > 0;
    case VersionRange::Operator::GreaterEqual:
      return order >= 0;
  }
  return false;
}

std::string_view spelling(VersionRange::Operator op) {
  switch (op) {
    case VersionRange::Operator::Equal:
      return "==";
    case VersionRange::Operator::NotEqual:
      return "!=";
    case VersionRange::Operator::Less:
      return "<";
    case VersionRange::Operator::LessEqual:
      return "<=";
    case VersionRange::Operator::Greater:
      return ">";
    case VersionRange::Operator::GreaterEqual:
      return ">=";
  }
  return "==";
}

}  // namespace

std::strong_ordering Version::operator<=>(const Version& other) const {
  std::string_view a = without_prefix_letter(text_);
  std::string_view b = without_prefix_letter(other.text_);
  while (true) {
    const Segment left = next_segment(a);
    const Segment right = next_segment(b);
    const auto order = compare_segments(left, right);
    if (order != 0 || left.kind == Segment::Kind::End)
      return order;
  }
}

std::optional<VersionRange> VersionRange::parse(std::string_view input) {
  VersionRange range;
  if (text::trim(input).empty() || text::trim(input) == "*")
    return range;
  for (const std::string& raw : text::split(input, ',')) {
    std::string_view part = text::trim(raw);
    const auto op_end = part.find_first_not_of("=!<>^~ ");
    if (op_end == std::string_view::npos)
      return std::nullopt;
    const std::string_view op = text::trim(part.substr(0, op_end));
    const std::string version(part.substr(op_end));
    if (version.find_first_of(" \t=<>!^") != std::string::npos)
      return std::nullopt;
    const Version lower(version);
    if (op.empty() || op == "=" || op == "==") {
      range.bounds_.push_back({Operator::Equal, lower});
    } else if (op == "!=") {
      range.bounds_.push_back({Operator::NotEqual, lower});
    } else if (op == "<") {
      range.bounds_.push_back({Operator::Less, lower});
    } else if (op == "<=") {
      range.bounds_.push_back({Operator::LessEqual, lower});
    } else if (op == ">") {
      range.bounds_.push_back({Operator::Greater, lower});
    } else if (op == ">=") {
      range.bounds_.push_back({Operator::GreaterEqual, lower});
    } else if (op == "^" || op == "~") {
      const std::vector<std::string> numbers = numbers_of(version);
      std::size_t keep = std::min<std::size_t>(2, numbers.size());
      if (op == "^") {
        keep = 1;
        while (keep < numbers.size() && numbers[keep - 1] == "0")
          ++keep;
      }
      const auto upper = bumped(version, keep);
      if (!upper)
        return std::nullopt;
      range.bounds_.push_back({Operator::GreaterEqual, lower});
      range.bounds_.push_back({Operator::Less, *upper});
    } else {
      return std::nullopt;
    }
  }
  return range;
}

bool VersionRange::contains(const Version& version) const {
  return std::all_of(
      bounds_.begin(), bounds_.end(), [&](const Bound& bound) { return holds(bound, version); });
}

std::string VersionRange::to_string() const {
  std::vector<std::string> parts;
  parts.reserve(bounds_.size());
  for (const Bound& bound : bounds_)
    parts.push_back(std::string(spelling(bound.op)) + bound.version.text());
  return text::join(parts, ",");
}

}  // namespace las
