// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace las::state {

/// JSON (RFC 8259) read into places of one list, with texts that are views of what was read: a
/// history of a hundred thousand records is read at once, and a tree of allocated values costs ten
/// times as much. Accepts what nlohmann::json accepts, up to kDeepest, and says no more than that.
class JsonText {
 public:
  enum class Type : std::uint8_t {
    Null,
    True,
    False,
    Unsigned,
    Negative,
    Fraction,
    Text,
    List,
    Object
  };

  struct Value {
    Type type = Type::Null;
    std::string_view key;      ///< in an object
    std::string_view text;     ///< of a Text, unescaped
    std::uint64_t number = 0;  ///< of an Unsigned; of a Negative, its two's complement
    std::uint32_t after = 0;   ///< where the next value beside this one lies, past all it contains
    std::uint32_t size = 0;    ///< members
  };

  static constexpr int kDeepest = 64;

  /// False if it is not JSON. `text` has to outlive the values. What was read before is gone.
  bool read(std::string_view text);

  const Value& top() const { return values_.front(); }

  /// The first member of a list or an object that has some; the next one is at `after`.
  const Value& first_of(const Value& value) const { return values_[place_of(value) + 1]; }

  const Value& next_to(const Value& value) const { return values_[value.after]; }

  /// Of several members of one name, which is not empty, the last; null if there is none.
  const Value* find(const Value& object, std::string_view key) const;

 private:
  std::size_t place_of(const Value& value) const {
    return static_cast<std::size_t>(&value - values_.data());
  }

  bool read_value(int depth);
  bool read_members(int depth, Type type, char end);
  bool read_text(std::string_view& text);
  bool read_escape(std::string& text);
  bool read_hex(std::uint32_t& unit);
  bool read_number(Value& value);
  bool read_word(std::string_view word);
  void skip_space();

  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

  bool digit() const { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Value> values_;
  std::deque<std::string> unescaped_;
};

}  // namespace las::state
