// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text of others (names that were typed, file names, descriptions, what engines print) on its way
/// to a person. A terminal obeys control characters, and a newline can forge a line of ours.
namespace las::text {

/// One line that is safe to show: white space becomes a space; other control characters (C0, DEL,
/// C1, those that turn the direction of writing) and bytes that are not UTF-8 become "?". At most
/// `longest` characters, the last three of them "..." when something was left out.
std::string printable(std::string_view text, std::size_t longest = 200);

/// A word as a POSIX shell takes it: in single quotes where it holds more than plain characters.
std::string shell_word(std::string_view word);

/// Columns of a terminal for a printable text: East Asian wide characters and pictures take two,
/// combining ones none.
std::size_t columns(std::string_view text);

/// The longest beginning of a printable text that takes at most `most` columns.
std::string_view clip(std::string_view text, std::size_t most);

/// Lets a stream of UTF-8 through that comes in pieces, without what steers a terminal: escape
/// sequences (ECMA-48, 5.4 and 5.6), also when a piece ends within one, and control characters
/// other than newline and tab. A sequence that never ends is over with its line.
class TerminalFilter {
 public:
  std::string feed(std::string_view piece);

 private:
  enum class State { Text, Escape, Sequence, String };
  void take(std::string_view character, std::string& out);

  State state_ = State::Text;
};

}  // namespace las::text
