// SPDX-License-Identifier: Apache-2.0
#include "json_text.hpp"

#include <array>
#include <limits>

namespace las::state {

namespace {

// Bytes of the UTF-8 sequence that `text` begins with; 0 if it is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_utf8(std::string& text, std::uint32_t point) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xc0 | point >> 6);
    add(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    add(0xe0 | point >> 12);
    add(0x80 | (point >> 6 & 0x3f));
    add(0x80 | (point & 0x3f));
  } else {
    add(0xf0 | point >> 18);
    add(0x80 | (point >> 12 & 0x3f));
    add(0x80 | (point >> 6 & 0x3f));
    add(0x80 | (point & 0x3f));
  }
}

// What stands in a text for itself, and is most of it: printable ASCII without quote and backslash.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c)
    plain[c] = c != '"' && c != '\\';
  return plain;
}();

}  // namespace

bool JsonText::read(std::string_view text) {
  text_ = text;
  at_ = 0;
  values_.clear();
  unescaped_.clear();
  if (!read_value(0))
    return false;
  skip_space();
  return at_ == text_.size();
}

const JsonText::Value* JsonText::find(const Value& object, std::string_view key) const {
  const Value* found = nullptr;
  const Value* member = object.size == 0 ? nullptr : &first_of(object);
  for (std::uint32_t i = 0; i < object.size; ++i) {
    if (member->key.size() == key.size() && !key.empty() && member->key[0] == key[0] &&
        member->key == key)
      found = member;
    if (i + 1 < object.size)
      member = &next_to(*member);
  }
  return found;
}

void JsonText::skip_space() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

bool JsonText::read_word(std::string_view word) {
  if (!text_.substr(at_).starts_with(word))
    return false;
  at_ += word.size();
  return true;
}

// The value at the present place, with its key already set by the caller.
bool JsonText::read_value(int depth) {
  skip_space();
  if (at_ == text_.size() || depth > kDeepest)
    return false;
  const std::size_t place = values_.size();
  values_.emplace_back();
  Value value;
  bool good = false;
  switch (text_[at_]) {
    case '{':
      return read_members(depth, Type::Object, '}');
    case '[':
      return read_members(depth, Type::List, ']');
    case '"':
      value.type = Type::Text;
      good = read_text(value.text);
      break;
    case 't':
      value.type = Type::True;
      good = read_word("true");
      break;
    case 'f':
      value.type = Type::False;
      good = read_word("false");
      break;
    case 'n':
      good = read_word("null");
      break;
    default:
      good = read_number(value);
  }
  value.after = static_cast<std::uint32_t>(place + 1);
  values_[place] = value;
  return good;
}

bool JsonText::read_members(int depth, Type type, char end) {
  const std::size_t place = values_.size() - 1;
  ++at_;
  std::uint32_t size = 0;
  skip_space();
  for (bool more = !next_is(end); more; ++size) {
    std::string_view key;
    if (type == Type::Object) {
      skip_space();
      if (!next_is('"') || !read_text(key))
        return false;
      skip_space();
      if (!next_is(':'))
        return false;
      ++at_;
    }
    const std::size_t member = values_.size();
    if (!read_value(depth + 1))
      return false;
    values_[member].key = key;
    skip_space();
    more = next_is(',');
    if (more)
      ++at_;
    else if (!next_is(end))
      return false;
  }
  ++at_;
  values_[place].type = type;
  values_[place].size = size;
  values_[place].after = static_cast<std::uint32_t>(values_.size());
  return true;
}

bool JsonText::read_text(std::string_view& text) {
  const std::size_t begin = ++at_;
  std::string* copy = nullptr;  // only where something is escaped
  while (at_ < text_.size()) {
    const std::size_t plain = at_;
    while (at_ < text_.size() && kPlain[static_cast<unsigned char>(text_[at_])])
      ++at_;
    if (copy != nullptr)
      copy->append(text_.substr(plain, at_ - plain));
    if (at_ == text_.size())
      return false;
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == '"') {
      text = copy != nullptr ? std::string_view(*copy) : text_.substr(begin, at_ - begin);
      ++at_;
      return true;
    }
    if (c == '\\') {
      if (copy == nullptr)
        copy = &unescaped_.emplace_back(text_.substr(begin, at_ - begin));
      ++at_;
      if (!read_escape(*copy))
        return false;
      continue;
    }
    const std::size_t length = c < 0x80 ? 1 : utf8_length(text_.substr(at_));
    if (c < 0x20 || length == 0)
      return false;
    if (copy != nullptr)
      copy->append(text_.substr(at_, length));
    at_ += length;
  }
  return false;
}

bool JsonText::read_hex(std::uint32_t& unit) {
  unit = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9')
      unit = unit * 16 + static_cast<std::uint32_t>(c - '0');
    else if (lower >= 'a' && lower <= 'f')
      unit = unit * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
    else
      return false;
  }
  return true;
}

bool JsonText::read_escape(std::string& text) {
  if (at_ == text_.size())
    return false;
  constexpr std::string_view kNames = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
  const char name = text_[at_++];
  if (const auto found = kNames.find(name); found != std::string_view::npos) {
    text += kMeant[found];
    return true;
  }
  std::uint32_t unit = 0, low = 0;
  if (name != 'u' || !read_hex(unit) || (unit >= 0xdc00 && unit <= 0xdfff))
    return false;
  if (unit >= 0xd800 && unit <= 0xdbff) {
    if (!read_word("\\u") || !read_hex(low) || low < 0xdc00 || low > 0xdfff)
      return false;
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  append_utf8(text, unit);
  return true;
}

bool JsonText::read_number(Value& value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const bool negative = next_is('-');
  if (negative)
    ++at_;
  if (!digit())
    return false;
  bool fits = true;
  std::uint64_t number = 0;
  const bool leading_zero = text_[at_] == '0';
  for (std::size_t begin = at_; digit(); ++at_) {
    if (leading_zero && at_ != begin)
      return false;
    const auto next = static_cast<std::uint64_t>(text_[at_] - '0');
    fits = fits && number <= (kMost - next) / 10;
    number = number * 10 + next;
  }
  constexpr std::uint64_t kMostNegative = std::uint64_t{1} << 63U;
  fits = fits && (!negative || number <= kMostNegative);
  value.type = negative ? Type::Negative : Type::Unsigned;
  value.number = negative ? ~number + 1 : number;
  if (next_is('.')) {
    fits = false;
    ++at_;
    if (!digit())
      return false;
    while (digit())
      ++at_;
  }
  if (next_is('e') || next_is('E')) {
    fits = false;
    ++at_;
    if (next_is('+') || next_is('-'))
      ++at_;
    if (!digit())
      return false;
    while (digit())
      ++at_;
  }
  if (!fits)
    value.type = Type::Fraction;
  return true;
}

}  // namespace las::state
