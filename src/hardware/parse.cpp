// SPDX-License-Identifier: Apache-2.0
#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/text.hpp"

#include <charconv>
#include <limits>

namespace las::hardware {

namespace {

constexpr std::size_t kLongestText = 256;

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80)
    return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || length > text.size())
    return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF)
      return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool beyond = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base) {
  text = text::trim(text);
  if (base == 16 && (text.starts_with("0x") || text.starts_with("0X")))
    text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<int> parse_int(std::string_view text) {
  const auto value = parse_unsigned(text);
  if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    return std::nullopt;
  return static_cast<int>(*value);
}

std::string printable(std::string_view text) {
  std::string out;
  text = text::trim(text.substr(0, kLongestText * 4));
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (out.size() + std::max<std::size_t>(length, 1) > kLongestText)
      break;
    const unsigned char first = static_cast<unsigned char>(text[0]);
    if (length == 0)
      out += '?';
    else if (length > 1 || (first >= 0x20 && first != 0x7F))
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return std::string(text::trim(out));
}

Fact<std::string> text_fact(const std::optional<std::string>& text,
                            std::string origin,
                            std::string why) {
  std::string clean = text ? printable(*text) : std::string();
  if (clean.empty())
    return Fact<std::string>::missing(std::move(why));
  return Fact<std::string>::known(std::move(clean), std::move(origin));
}

std::map<std::string, std::string> parse_colon_lines(std::string_view text) {
  std::map<std::string, std::string> values;
  for (const std::string& line : text::lines(text)) {
    const auto colon = line.find(':');
    if (colon == std::string::npos)
      continue;
    values.emplace(text::trim(std::string_view(line).substr(0, colon)),
                   text::trim(std::string_view(line).substr(colon + 1)));
  }
  return values;
}

std::optional<Version> first_version(std::string_view text) {
  text = text.substr(0, 4096);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_word =
        i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t' || text[i - 1] == '\n';
    if (!starts_word || !is_digit(text[i]))
      continue;
    std::size_t end = i;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.'))
      ++end;
    // A date ("Thu Nov 2 10:00:00") or a size is not a version.
    const bool ends_word = end == text.size() || text[end] != ':';
    std::string_view word = text.substr(i, end - i);
    while (word.ends_with('.'))
      word.remove_suffix(1);
    if (ends_word)
      return Version(std::string(word.substr(0, 64)));
    i = end;
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> try_list(const platform::FileReader& files,
                                                 const std::filesystem::path& folder) {
  try {
    return files.list_directory(folder);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<std::string> try_link_name(const platform::FileReader& files,
                                         const std::filesystem::path& link) {
  try {
    std::string name = printable(files.read_symlink(link).filename().string());
    if (name.empty())
      return std::nullopt;
    return name;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace las::hardware
