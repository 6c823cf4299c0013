// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lmdb.hpp"
#include "record_json.hpp"
#include "record_packed.hpp"

#include "las/state/store.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::state {

/// What a transaction of the public interface stands on. `reader` is null in an empty store,
/// `writer` in every reading one.
struct ReadTransaction::Handle {
  const lmdb::Transaction* reader = nullptr;
  lmdb::Transaction* writer = nullptr;
  const Actor* actor = nullptr;
};

/// Which key a record has in its table, and how its value is spelled.
namespace tables {

/// 2: operations are packed; those of schema 1, in JSON like everything else, stay as they are.
inline constexpr std::uint64_t kSchemaVersion = 2;

// Keys of the meta table.
inline constexpr std::string_view kSchema = "schema";
inline constexpr std::string_view kCurrentGeneration = "current_generation";
inline constexpr std::string_view kHighestGeneration = "highest_generation";
inline constexpr std::string_view kJournal = "journal";

/// Big-endian, so that LMDB's order of bytes is the order of numbers.
template <std::unsigned_integral Number>
std::string number_key(Number number) {
  std::string key(sizeof number, '\0');
  for (std::size_t i = 0; i < key.size(); ++i)
    key[key.size() - 1 - i] = static_cast<char>(number >> (8 * i) & 0xff);
  return key;
}

/// The URL itself, or for one longer than LMDB's keys may be a digest of it.
std::string url_key(const std::string& url);

/// "models/tiny", "generations/7": the record in words, for errors.
std::string record_name(lmdb::Table table, std::string_view key);
std::string missing_generation(std::uint64_t number);

/// The record under this key, in the place of what `record` held: where there are a hundred
/// thousand, to move each takes as long as to read it. Throws CorruptState, which names it.
template <typename Record>
void decode(lmdb::Table table, std::string_view key, std::string_view value, Record& record) {
  if constexpr (std::same_as<Record, OperationRecord>)
    record_packed::decode(
        value, [&] { return record_name(table, key); }, record);
  else
    record = record_json::decode<Record>(value, record_name(table, key));
}

template <typename Record>
Record decode(lmdb::Table table, std::string_view key, std::string_view value) {
  Record record{};
  decode(table, key, value, record);
  return record;
}

template <typename Record>
std::optional<Record> find(const lmdb::Transaction* transaction,
                           lmdb::Table table,
                           std::string_view key) {
  const auto value = transaction == nullptr ? std::nullopt : transaction->get(table, key);
  if (!value)
    return std::nullopt;
  return decode<Record>(table, key, *value);
}

/// In the order of the keys, one after the other in the place of the one before.
template <typename Record>
void each(const lmdb::Transaction* transaction,
          lmdb::Table table,
          const std::function<void(const Record&)>& visit) {
  if (transaction == nullptr)
    return;
  Record record{};
  transaction->for_each(table, [&](std::string_view key, std::string_view value) {
    decode(table, key, value, record);
    visit(record);
  });
}

template <typename Record>
std::vector<Record> all(const lmdb::Transaction* transaction, lmdb::Table table) {
  std::vector<Record> records;
  if (transaction != nullptr) {
    records.reserve(transaction->count(table));
    transaction->for_each(table, [&](std::string_view key, std::string_view value) {
      decode(table, key, value, records.emplace_back());
    });
  }
  return records;
}

/// The record whose key comes last.
template <typename Record>
std::optional<Record> last(const lmdb::Transaction* transaction, lmdb::Table table) {
  const auto found = transaction == nullptr ? std::nullopt : transaction->last(table);
  if (!found)
    return std::nullopt;
  return decode<Record>(table, found->first, found->second);
}

inline std::optional<std::uint64_t> find_number(const lmdb::Transaction* transaction,
                                                std::string_view meta_key) {
  return find<std::uint64_t>(transaction, lmdb::Table::Meta, meta_key);
}

/// The number of the current or the highest generation, 0 before the first. CorruptState where
/// there are generations without it: 0 would let their numbers be given out again.
std::uint64_t generation_counter(const lmdb::Transaction* transaction, std::string_view meta_key);

inline void put_number(lmdb::Transaction& transaction,
                       std::string_view meta_key,
                       std::uint64_t number) {
  transaction.put(lmdb::Table::Meta, meta_key, record_json::encode(number));
}

}  // namespace tables

}  // namespace las::state
