// SPDX-License-Identifier: Apache-2.0
#include "unit_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/service/unit.hpp"

#include <algorithm>
#include <cctype>

namespace las::service {
namespace {

bool is_control(char c) {
  return (c >= 0 && c < ' ') || c == 0x7f;
}

/// Characters that no part of systemd's grammar gives a meaning to, anywhere in a word.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/._-+=:,@").find(c) != std::string_view::npos;
}

/// Refused although systemd could be told of it as "\n": a generated unit stays readable line by
/// line, and a line break in an argument has always been a manifest's mistake.
void refuse_line_breaks(std::string_view value) {
  if (value.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos)
    throw Error(ErrorKind::InvalidData, _("a line break or null byte cannot stand in a unit file"));
}

/// Prose fit for a line: a backslash at the end would join the next one.
std::string one_line(std::string_view prose) {
  std::string line(prose);
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  while (!line.empty() && (line.back() == '\\' || line.back() == ' '))
    line.pop_back();
  return std::string(text::trim(line));
}

/// systemd.syntax(7) "QUOTING" and the table of C escapes there.
std::string escape_quoted(std::string_view value, std::string_view doubled) {
  refuse_line_breaks(value);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_control(c)) {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    } else {
      out += c;
      if (doubled.find(c) != std::string_view::npos)
        out += c;
    }
  }
  return out + '"';
}

std::string escape_word(std::string_view word, std::string_view doubled) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain))
    return std::string(word);
  return escape_quoted(word, doubled);
}

}  // namespace

UnitSection& UnitSection::add(std::string_view directive, std::string_view value) {
  lines_.push_back({std::string(directive), std::string(value)});
  return *this;
}

UnitSection& UnitSection::drop(std::string_view directive) {
  std::erase_if(lines_, [&](const Line& line) { return line.directive == directive; });
  return *this;
}

UnitSection& UnitSection::comment(std::string_view text) {
  lines_.push_back({{}, one_line(text)});
  return *this;
}

std::string UnitSection::render() const {
  std::string out = "[" + name_ + "]\n";
  for (const Line& line : lines_)
    out += (line.directive.empty() ? "# " : line.directive + "=") + line.text + "\n";
  return out;
}

UnitSection& UnitFile::section(std::string_view name) {
  for (UnitSection& section : sections_)
    if (section.name() == name)
      return section;
  return sections_.emplace_back(std::string(name));
}

std::string UnitFile::render() const {
  std::string out;
  for (const std::string& line : header_)
    out += "# " + one_line(line) + "\n";
  for (const UnitSection& section : sections_)
    out += "\n" + section.render();
  return out;
}

std::string escape_line(std::string_view value) {
  if (std::any_of(value.begin(), value.end(), is_control))
    throw Error(ErrorKind::InvalidData, _("a control character cannot stand in a unit file"));
  if (value.ends_with('\\'))
    throw Error(ErrorKind::InvalidData,
                _("a line of a unit file cannot end with a backslash"),
                std::string(value));
  std::string out;
  for (const char c : value)
    out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

std::string escape_description(std::string_view text) {
  return escape_line(one_line(text));
}

std::string escape_path_word(std::string_view path) {
  // The directives disagree on what a backslash means, and a colon separates two paths for some.
  if (path.empty() || path.find_first_of("\"\\:") != std::string_view::npos ||
      std::any_of(path.begin(), path.end(), is_control))
    throw Error(ErrorKind::InvalidData,
                _("a path with this character cannot stand in a unit file"),
                std::string(path));
  return escape_word(path, "%");
}

std::string escape_exec_word(std::string_view word) {
  return escape_word(word, "%$");
}

std::string escape_environment(std::string_view name, std::string_view value) {
  const auto is_word = [](char c) {
    return c == '_' || std::isalnum(static_cast<unsigned char>(c));
  };
  if (name.empty() || (name.front() >= '0' && name.front() <= '9') ||
      !std::all_of(name.begin(), name.end(), is_word))
    throw Error(
        ErrorKind::InvalidData, _("not a name for an environment variable"), std::string(name));
  return escape_word(std::string(name) + "=" + std::string(value), "%");
}

bool is_generated(std::string_view content) {
  return content.starts_with(kGeneratedMark);
}

}  // namespace las::service
