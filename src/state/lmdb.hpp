// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>

#include <lmdb.h>

/// LMDB with RAII and las's errors; nothing here knows what a record means.
namespace las::state::lmdb {

enum class Table {
  Meta,
  Generations,
  Operations,
  ServiceWishes,
  Ports,
  Models,
  Pins,
  Overrides,
  Registries,
  Audit,
  Data,
  Snapshots,
  Health,
  Blobs  ///< of a cache; no table of the state
};
inline constexpr std::size_t kTableCount = 14;

/// The tables of one kind of environment.
struct TableSet {
  Table first, last;
  /// Up to this one every such environment has them; a later one is added by the first writer that
  /// knows it.
  Table last_of_old;

  bool holds(Table table) const { return first <= table && table <= last; }
};

inline constexpr TableSet kStateTables{Table::Meta, Table::Health, Table::Pins};
inline constexpr TableSet kCacheTables{Table::Blobs, Table::Blobs, Table::Blobs};
/// Bytes of the two heads of an environment's file, which LMDB writes first. A shorter file is one
/// whose making was cut short: no transaction was ever in it.
std::uintmax_t heads_size();

/// Name on disk and in messages: "models".
const char* name_of(Table table);

/// Far beyond any history of installations: something is writing in a loop.
inline constexpr std::size_t kLargestMap = std::size_t{16} << 30;

/// See state::LastWords; empty without one.
std::function<void(const Error&)>& last_words();

class Environment;
class FollowedPages;

/// A read or write transaction; undone when destroyed without commit().
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  /// The view lives until the next change in this transaction.
  std::optional<std::string_view> get(Table table, std::string_view key) const;
  void put(Table table, std::string_view key, std::string_view value);
  /// Absent is fine.
  void erase(Table table, std::string_view key);
  /// The key and the value that come last in the order of the keys.
  std::optional<std::pair<std::string_view, std::string_view>> last(Table table) const;
  /// How many records for_each() visits.
  std::size_t count(Table table) const;
  /// In the order of the keys. `visit` must not change the table.
  using Visit = std::function<void(std::string_view key, std::string_view value)>;
  void for_each(Table table, const Visit& visit) const;

 private:
  friend class Environment;

  Transaction(const Environment& environment, MDB_txn* transaction);

  /// Checks the pages on a way before LMDB goes it, where the environment was not checked as a
  /// whole.
  template <typename Way>
  void follow(Way&& way) const;
  void commit();
  [[noreturn]] void fail(int code, std::string message);

  const Environment& environment_;
  MDB_txn* transaction_;
  /// The map was too small for a change: everything must be run again in a larger one.
  bool outgrew_map_ = false;
  std::unique_ptr<FollowedPages> followed_;
};

/// One open LMDB directory. LMDB forbids opening one twice in a process (closing the second breaks
/// the locks of the first), so that is refused.
class Environment {
 public:
  enum class Access { ReadOnly, ReadWrite };

  /// ReadWrite makes the directory; ReadOnly needs an environment that exists. `on_create` runs in
  /// the transaction that makes the tables.
  Environment(const std::filesystem::path& directory,
              Access access,
              const TableSet& tables,
              const std::function<void(Transaction&)>& on_create);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  bool writable() const { return access_ == Access::ReadWrite; }

  const std::string& directory() const { return directory_; }

  /// Nobody has made the tables yet; only where reading.
  bool blank() const { return !tables_[static_cast<std::size_t>(set_.first)].has_value(); }

  void read(const std::function<void(const Transaction&)>& body);
  void write(const std::function<void(Transaction&)>& body);
  /// All pages, whatever was looked at when it was opened. CorruptState.
  void check_whole();

 private:
  friend class Transaction;
  [[noreturn]] void fail(int code, std::string message) const;
  [[noreturn]] void fail_damaged(std::string cause) const;
  static void on_assertion(MDB_env* environment, const char* assertion) noexcept;
  void check_before_mapping() const;
  void fill_lock_file() const;
  void check_mapped();
  void open();
  void open_tables(const std::function<void(Transaction&)>& on_create);
  void read_without_lock(const std::function<void(const Transaction&)>& body);
  /// Before a transaction reads, where the environment was not checked as a whole. May take a
  /// newer snapshot.
  void prepare(Transaction& transaction) const;
  bool try_write(const std::function<void(Transaction&)>& body);
  MDB_txn* begin(unsigned int flags) const;
  void change_map(std::size_t size);
  void close();

  std::string directory_;
  Access access_;
  TableSet set_;
  MDB_env* environment_ = nullptr;
  bool without_lock_ = false;
  /// Too large to be checked as a whole for one look at it: readers check what they follow.
  bool check_followed_ = false;
  /// A reader takes a table that nobody has made yet for an empty one.
  std::array<std::optional<MDB_dbi>, kTableCount> tables_;
  std::mutex writing_;
  /// Shared by the readers of this process; exclusive while the map moves.
  std::shared_mutex map_;
};

}  // namespace las::state::lmdb
