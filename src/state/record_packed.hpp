// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record_json.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// The short spelling of records of which there may be a hundred thousand: read ten times as fast
/// as JSON. One byte kMark, which no JSON begins with, then a block.
///
/// A block is its length and the fields of a record in the order of record_json's `fields`, without
/// their names: numbers as LEB128 (signed ones zigzag), texts as length and bytes, lists as count
/// and items, records within as blocks. A field may only be added at the end, with `later`: a block
/// that ends before it was written by an earlier las, and what follows the last known field by a
/// later one.
namespace las::state::record_packed {

using record_json::fields;

inline constexpr char kMark = '\x01';

class Writer {
 public:
  std::string bytes;

  template <typename Value>
  void operator()(const char* /*key*/, const Value& value) {
    write(value);
  }

  template <typename Value>
  void later(const char* /*key*/, const Value& value, const Value& /*lacking*/) {
    write(value);
  }

  /// Bytes that are not UTF-8 (a command line may hold any) become U+FFFD, as in JSON.
  void write(const std::string& value) {
    const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0; });
    write_bytes(plain ? value
                      : record_json::Json::parse(record_json::encode(value)).get<std::string>());
  }

  template <std::integral Integer>
  void write(Integer value) {
    // Zigzag, so that small negative numbers are short too.
    std::uint64_t rest = static_cast<std::uint64_t>(value);
    if constexpr (std::is_signed_v<Integer>) {
      const auto wide = static_cast<std::int64_t>(value);
      rest = (static_cast<std::uint64_t>(wide) << 1U) ^ static_cast<std::uint64_t>(wide >> 63);
    }
    for (; rest >= kMore; rest >>= kBits)
      bytes += static_cast<char>((rest & (kMore - 1)) | kMore);
    bytes += static_cast<char>(rest);
  }

  void write(ByteSize value) { write(std::uint64_t{value.bytes()}); }

  template <typename Value>
  void write(const std::vector<Value>& values) {
    write(std::uint64_t{values.size()});
    for (const Value& value : values)
      write(value);
  }

  template <typename Record>

  requires requires(Writer& writer, const Record& record) { fields(writer, record); }

  void write(const Record& record) {
    Writer inner;
    fields(inner, record);
    write_bytes(inner.bytes);
  }

  void write_bytes(const std::string& value) {
    write(std::uint64_t{value.size()});
    bytes += value;
  }

  static constexpr std::uint64_t kMore = 0x80;
  static constexpr unsigned kBits = 7;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename Value>
  void operator()(const char* key, Value& value) {
    key_ = key;
    read(value);
  }

  template <typename Value>
  void later(const char* key, Value& value, const Value& lacking) {
    if (rest_.empty())
      value = lacking;
    else
      (*this)(key, value);
  }

  void read(std::string& value) {
    const std::string_view text = take_text();
    // To grow, an assignment would take twice the room that a short text has.
    if (text.size() <= value.capacity())
      value = text;
    else
      value = std::string(text);
  }

  template <std::integral Integer>
  void read(Integer& value) {
    const std::uint64_t raw = take_number();
    if constexpr (std::is_signed_v<Integer>) {
      const auto wide = static_cast<std::int64_t>(raw >> 1U) ^ -static_cast<std::int64_t>(raw & 1U);
      if (!std::in_range<Integer>(wide))
        fail(_("out of range"));
      value = static_cast<Integer>(wide);
    } else {
      if (raw > std::numeric_limits<Integer>::max())
        fail(_("out of range"));
      value = static_cast<Integer>(raw);
    }
  }

  void read(ByteSize& value) { value = ByteSize(take_number()); }

  template <typename Value>
  void read(std::vector<Value>& values) {
    const std::uint64_t count = take_number();
    // Each item has one byte at least: a damaged count takes no memory.
    if (count > rest_.size())
      fail(_("cut short"));
    values.resize(count);
    for (Value& value : values)
      read(value);
  }

  template <typename Record>

  requires requires(Reader& reader, Record& record) { fields(reader, record); }

  void read(Record& record) {
    Reader inner(take_text());
    fields(inner, record);
  }

  bool at_end() const { return rest_.empty(); }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw record_json::Fault::at(key_, what);
  }

  std::uint64_t take_number() {
    // Nearly all are lengths of one byte.
    if (!rest_.empty() && static_cast<unsigned char>(rest_.front()) < Writer::kMore) {
      const auto value = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      return value;
    }
    return take_long_number();
  }

  std::uint64_t take_long_number() {
    std::uint64_t value = 0;
    constexpr unsigned kMostBits = 64;
    for (unsigned shift = 0; shift < kMostBits; shift += Writer::kBits) {
      if (rest_.empty())
        fail(_("cut short"));
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= (byte & (Writer::kMore - 1)) << shift;
      if ((byte & Writer::kMore) == 0)
        return value;
    }
    fail(_("out of range"));
  }

  std::string_view take_text() {
    const std::uint64_t size = take_number();
    if (size > rest_.size())
      fail(_("cut short"));
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  std::string_view rest_;
  const char* key_ = "";  ///< of the field that is being read; fields() names them by literals
};

template <typename Record>
std::string encode(const Record& record) {
  Writer writer;
  writer.bytes += kMark;
  writer.write(record);
  return std::move(writer.bytes);
}

/// Either spelling, in the place of what `record` held; `name()` says which it is
/// ("operations/20260101T..."). Throws CorruptState.
template <typename Record, typename Name>
void decode(std::string_view text, const Name& name, Record& record) {
  if (!text.starts_with(kMark)) {
    record = record_json::decode<Record>(text, name());
    return;
  }
  try {
    Reader reader(text.substr(1));
    reader.read(record);
    if (!reader.at_end())
      throw record_json::Fault{_("bytes are left over")};
  } catch (record_json::Fault& fault) {
    record_json::throw_corrupt(name(), std::move(fault.text));
  }
}

}  // namespace las::state::record_packed
