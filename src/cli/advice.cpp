// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include "las/base/printable.hpp"

#include <algorithm>

namespace las::cli {

namespace {

bool is_command(std::string_view word) {
  const auto& table = command_table();
  return std::any_of(table.begin(), table.end(), [&](const CommandSpec& command) {
    const std::string_view name = command.name;
    return name.substr(0, name.find(' ')) == word;
  });
}

bool is_part_of_a_word(char c) {
  return c == '-' || c == '_' || c == '/' || c == '.' || (c >= '0' && c <= '9') ||
         (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string in_scope(std::string_view text, const GlobalOptions& options) {
  std::string scope;
  if (options.user)
    scope = "--user ";
  else if (!options.root.empty())
    scope = "--root " + text::shell_word(options.root) + " ";
  if (scope.empty())
    return std::string(text);

  constexpr std::string_view kProgram = "las ";
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = text.find(kProgram); at != std::string_view::npos;
       at = text.find(kProgram, at + kProgram.size())) {
    if (at > 0 && is_part_of_a_word(text[at - 1]))
      continue;
    const std::size_t word = at + kProgram.size();
    std::size_t end = word;
    while (end < text.size() && text[end] >= 'a' && text[end] <= 'z')
      ++end;
    if (!is_command(text.substr(word, end - word)))
      continue;
    out += text.substr(done, word - done);
    out += scope;
    done = word;
  }
  out += text.substr(done);
  return out;
}

}  // namespace las::cli
