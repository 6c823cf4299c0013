// SPDX-License-Identifier: Apache-2.0
#include "las/base/printable.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace las::text {

namespace {

constexpr std::string_view kEllipsis = "...";

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80)
    return 1;
  const std::size_t length = first >= 0xf0 && first < 0xf5   ? 4
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xc2 && first < 0xe0 ? 2
                                                             : 0;
  if (length == 0 || length > text.size())
    return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80)
      return 0;
  }
  const unsigned second = byte_at(text, 1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || beyond ? 0 : length;
}

/// Takes the first character from `text`; one byte where it is no UTF-8.
std::string_view next_character(std::string_view& text, bool& valid) {
  const std::size_t length = sequence_length(text);
  valid = length != 0;
  const std::string_view character = text.substr(0, valid ? length : 1);
  text.remove_prefix(character.size());
  return character;
}

std::uint32_t code_point(std::string_view character) {
  const unsigned first = byte_at(character, 0);
  if (character.size() == 1)
    return first;
  std::uint32_t code = first & (0x7fU >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i)
    code = (code << 6U) | (byte_at(character, i) & 0x3fU);
  return code;
}

bool is_space(std::uint32_t code) {
  return (code >= 0x09 && code <= 0x0d) || code == 0x2028 || code == 0x2029;
}

bool is_c1(std::uint32_t code) {
  return code >= 0x80 && code < 0xa0;
}

/// Unicode's Bidi_Control: text could be shown in another order than it has.
bool turns_direction(std::uint32_t code) {
  return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || code == 0x7f || is_c1(code) || turns_direction(code);
}

struct Range {
  std::uint32_t first, last;
};

// The blocks of Unicode's EastAsianWidth.txt whose characters are wide, and of the marks that are
// drawn over the character before; whole blocks, which is right for all that is in use.
constexpr std::array<Range, 13> kWide = {{{0x1100, 0x115f},
                                          {0x2e80, 0x303e},
                                          {0x3041, 0xa4cf},
                                          {0xa960, 0xa97f},
                                          {0xac00, 0xd7a3},
                                          {0xf900, 0xfaff},
                                          {0xfe30, 0xfe6f},
                                          {0xff00, 0xff60},
                                          {0xffe0, 0xffe6},
                                          {0x1f300, 0x1f64f},
                                          {0x1f680, 0x1f6ff},
                                          {0x1f900, 0x1f9ff},
                                          {0x20000, 0x3fffd}}};
constexpr std::array<Range, 5> kCombining = {
    {{0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}}};

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, std::uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

std::size_t width_of(std::string_view character, bool valid) {
  if (!valid)
    return 1;
  const std::uint32_t code = code_point(character);
  return in(kCombining, code) ? 0 : in(kWide, code) ? 2 : 1;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  std::string out;
  // Where the text is cut if it turns out too long.
  std::size_t cut = 0;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == longest)
      return out.substr(0, cut) + std::string(kEllipsis.substr(0, longest));
    bool valid = false;
    const std::string_view character = next_character(text, valid);
    const std::uint32_t code = valid ? code_point(character) : 0;
    if (valid && is_space(code))
      out += ' ';
    else if (!valid || is_control(code))
      out += '?';
    else
      out += character;
    if (count + 1 + kEllipsis.size() <= longest)
      cut = out.size();
  }
  return out;
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(word);
  std::string out = "'";
  for (const char c : word)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::size_t columns(std::string_view text) {
  std::size_t sum = 0;
  while (!text.empty()) {
    bool valid = false;
    const std::string_view character = next_character(text, valid);
    sum += width_of(character, valid);
  }
  return sum;
}

std::string_view clip(std::string_view text, std::size_t most) {
  std::string_view rest = text;
  std::size_t sum = 0, kept = 0;
  while (!rest.empty()) {
    bool valid = false;
    const std::string_view character = next_character(rest, valid);
    sum += width_of(character, valid);
    if (sum > most)
      break;
    kept = text.size() - rest.size();
  }
  return text.substr(0, kept);
}

std::string TerminalFilter::feed(std::string_view piece) {
  std::string out;
  while (!piece.empty()) {
    bool valid = false;
    const std::string_view character = next_character(piece, valid);
    take(valid ? character : "?", out);
  }
  return out;
}

void TerminalFilter::take(std::string_view character, std::string& out) {
  const std::uint32_t code = code_point(character);
  constexpr std::uint32_t kBell = 0x07, kEscape = 0x1b, kControlSequence = 0x9b, kEnd = 0x9c;
  // DCS, SOS, OSC, PM and APC carry a string to the terminal.
  const auto opens_string = [](std::uint32_t c1) {
    return c1 == 0x90 || c1 == 0x98 || (c1 >= 0x9d && c1 <= 0x9f);
  };
  if (code == '\n') {
    state_ = State::Text;
    out += '\n';
    return;
  }
  if (code == kEscape) {
    state_ = State::Escape;  // also what begins the end of a string: ESC backslash
    return;
  }
  switch (state_) {
    case State::Escape:
      // ESC with 0x40 to 0x5f is C1 in seven bits; 0x20 to 0x2f goes on to a final byte.
      state_ = code == '['                                                 ? State::Sequence
               : code >= 0x40 && code <= 0x5f && opens_string(code + 0x40) ? State::String
               : code >= 0x20 && code <= 0x2f                              ? State::Escape
                                                                           : State::Text;
      return;
    case State::Sequence:
      if (code >= 0x20 && code <= 0x3f)
        return;
      state_ = State::Text;
      if (code >= 0x40 && code <= 0x7e)
        return;
      break;  // no sequence: an ordinary character ends it
    case State::String:
      if (code == kBell || code == kEnd)
        state_ = State::Text;
      return;
    case State::Text:
      break;
  }
  if (is_c1(code))
    state_ = code == kControlSequence ? State::Sequence
             : opens_string(code)     ? State::String
                                      : State::Text;
  else if (code == '\t' || !is_control(code))
    out += character;
}

}  // namespace las::text
