// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las {

/// A version as publishers write them: "0.11.2", "b11194", "2026.10.1", "1:0.7.0+dfsg-2",
/// "3.0-rc1".
///
/// Order: a leading "v" or "b" before a digit is dropped; runs of digits compare as numbers, runs
/// of letters as text, a number is newer than letters, "~" sorts before everything including the
/// end (as in Debian), and the pre-release words dev, a/alpha, b/beta, pre, rc sort before the end.
class Version {
 public:
  Version() = default;

  explicit Version(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }

  bool empty() const { return text_.empty(); }

  std::strong_ordering operator<=>(const Version& other) const;

  bool operator==(const Version& other) const { return (*this <=> other) == 0; }

 private:
  std::string text_;
};

/// A set of versions: comma-separated comparisons that must all hold. "" is every version.
/// Operators: = == != < <= > >= ^ (same leftmost non-zero number) ~ (same first two numbers).
class VersionRange {
 public:
  enum class Operator { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

  struct Bound {
    Operator op;
    Version version;
    bool operator==(const Bound&) const = default;
  };

  VersionRange() = default;
  /// Nothing if the text is not a range. "^" and "~" are expanded into two bounds.
  static std::optional<VersionRange> parse(std::string_view text);

  bool contains(const Version& version) const;

  bool any() const { return bounds_.empty(); }

  const std::vector<Bound>& bounds() const { return bounds_; }

  /// The text it was parsed from, normalised (">=1.2,<2").
  std::string to_string() const;
  bool operator==(const VersionRange&) const = default;

 private:
  std::vector<Bound> bounds_;
};

}  // namespace las
