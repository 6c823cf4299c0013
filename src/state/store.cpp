// SPDX-License-Identifier: Apache-2.0
#include "las/state/store.hpp"

#include "tables.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace las::state {

struct StateStore::Environment {
  /// Nothing where las never ran: an empty store.
  std::optional<lmdb::Environment> lmdb;
  Actor actor;
};

namespace {

using lmdb::Table;

/// Whether there is an LMDB environment to read: see lmdb::heads_size().
bool has_environment(const std::filesystem::path& directory) {
  std::error_code fault;
  const auto size = std::filesystem::file_size(directory / "data.mdb", fault);
  if (!fault)
    return size >= lmdb::heads_size();
  if (fault.value() == ENOENT || fault.value() == ENOTDIR)
    return false;
  throw system_error(fault.value(), _("could not open the state"), directory.string());
}

void refuse_lost_state(const std::filesystem::path& directory,
                       const std::filesystem::path& generations) {
  if (generations.empty())
    return;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::error_code fault;
  for (std::filesystem::directory_iterator entry(generations, fault), end; !fault && entry != end;
       entry.increment(fault)) {
    const std::string name = entry->path().filename().string();
    if (std::all_of(name.begin(), name.end(), digit)) {
      throw Error(
          ErrorKind::CorruptState, _("the record of what is installed is lost"), directory.string())
          .cause(fmt::format(fmt::runtime(_("{} is there, but nothing is recorded")),
                             entry->path().string()))
          .hint(way_out(directory));
    }
  }
  if (fault && fault.value() != ENOENT && fault.value() != ENOTDIR) {
    throw system_error(
        fault.value(), _("could not look for earlier generations"), generations.string());
  }
}

std::uint64_t read_schema(const lmdb::Transaction& transaction) {
  const auto schema = tables::find_number(&transaction, tables::kSchema);
  if (!schema)
    record_json::throw_corrupt(tables::record_name(Table::Meta, tables::kSchema), _("missing"));
  if (*schema == 0) {
    record_json::throw_corrupt(tables::record_name(Table::Meta, tables::kSchema),
                               _("out of range"));
  }
  return *schema;
}

/// The schema of the state, which this las knows.
std::uint64_t check_schema(const lmdb::Transaction& transaction,
                           const std::filesystem::path& directory) {
  std::uint64_t schema = 0;
  try {
    schema = read_schema(transaction);
  } catch (Error& error) {
    // No command, verify neither, gets beyond this.
    error.hint(way_out(directory));
    throw;
  }
  if (schema > tables::kSchemaVersion) {
    throw Error(
        ErrorKind::CorruptState, _("the state was written by a newer las"), directory.string())
        .cause(fmt::format(
            fmt::runtime(_("its schema is {}, this las knows {}")), schema, tables::kSchemaVersion))
        .hint(_("upgrade las; an older one never touches a newer state"));
  }
  return schema;
}

}  // namespace

std::string way_out(const std::filesystem::path& directory) {
  const std::string whole = directory.parent_path().string();
  return fmt::format(fmt::runtime(_("put {} back from a backup, or begin anew with: mv {} {}")),
                     directory.string(),
                     text::shell_word(whole),
                     text::shell_word(whole + ".lost"));
}

LastWords::LastWords(std::function<void(const Error&)> say) {
  lmdb::last_words() = std::move(say);
}

LastWords::~LastWords() {
  lmdb::last_words() = nullptr;
}

StateStore::StateStore(std::unique_ptr<Environment> environment)
    : environment_(std::move(environment)) {}

StateStore::~StateStore() = default;

std::unique_ptr<StateStore> StateStore::open(const std::filesystem::path& directory,
                                             Access access,
                                             const std::filesystem::path& generations) {
  auto environment = std::make_unique<Environment>();
  const bool writable = access == Access::ReadWrite;
  const bool exists = has_environment(directory);
  if (!exists)
    refuse_lost_state(directory, generations);
  if (writable || exists) {
    auto& lmdb = environment->lmdb.emplace(
        directory,
        writable ? lmdb::Environment::Access::ReadWrite : lmdb::Environment::Access::ReadOnly,
        lmdb::kStateTables,
        [&](lmdb::Transaction& transaction) {
          refuse_lost_state(directory, generations);
          tables::put_number(transaction, tables::kSchema, tables::kSchemaVersion);
        });
    // A reader may come between the making of the file and its first transaction.
    std::uint64_t schema = tables::kSchemaVersion;
    if (lmdb.blank())
      refuse_lost_state(directory, generations);
    else
      lmdb.read(
          [&](const auto& transaction) { schema = check_schema(transaction, lmdb.directory()); });
    // What is written from now on an earlier las could not read.
    if (writable && schema < tables::kSchemaVersion)
      lmdb.write([](lmdb::Transaction& transaction) {
        tables::put_number(transaction, tables::kSchema, tables::kSchemaVersion);
      });
  }
  return std::unique_ptr<StateStore>(new StateStore(std::move(environment)));
}

void StateStore::read(const std::function<void(const ReadTransaction&)>& body) const {
  ReadTransaction view;
  ReadTransaction::Handle handle;
  view.handle_ = &handle;
  if (!environment_->lmdb) {
    body(view);
    return;
  }
  environment_->lmdb->read([&](const lmdb::Transaction& transaction) {
    handle.reader = &transaction;
    body(view);
  });
}

void StateStore::identify(Actor actor) {
  environment_->actor = std::move(actor);
}

void StateStore::write(const std::function<void(WriteTransaction&)>& body) {
  if (!environment_->lmdb)
    throw Error(ErrorKind::Permission, _("the state is open for reading only"));
  environment_->lmdb->write([&](lmdb::Transaction& transaction) {
    WriteTransaction view;
    ReadTransaction::Handle handle{&transaction, &transaction, &environment_->actor};
    view.handle_ = &handle;
    body(view);
  });
}

namespace {

class Checker {
 public:
  Checker(const lmdb::Transaction& transaction, std::vector<RecordFault>& faults)
      : transaction_(transaction), faults_(faults) {}

  /// Every record of `table` decodes and lies under the key that it would be written to; those that
  /// do are handed to `take`.
  template <typename Record, typename Key, typename Take>
  void table(Table table, const Key& key_of, const Take& take) {
    transaction_.for_each(table, [&](std::string_view key, std::string_view value) {
      guard([&] {
        auto record = tables::decode<Record>(table, key, value);
        if (key_of(record) != key)
          record_json::throw_corrupt(tables::record_name(table, key),
                                     _("it lies under the key of another record"));
        take(std::move(record));
      });
    });
  }

  template <typename Record, typename Key>
  void table(Table table, const Key& key_of) {
    this->table<Record>(table, key_of, [](Record&&) {});
  }

  void meta_keys() {
    transaction_.for_each(Table::Meta, [&](std::string_view key, std::string_view) {
      const auto known = {tables::kSchema,
                          tables::kCurrentGeneration,
                          tables::kHighestGeneration,
                          tables::kJournal};
      if (std::find(known.begin(), known.end(), key) == known.end())
        faults_.push_back({tables::record_name(Table::Meta, key), _("no such record is known")});
    });
  }

  void audit() {
    const std::size_t faults_before = faults_.size();
    std::vector<AuditEntry> entries;
    table<AuditEntry>(
        Table::Audit,
        [](const auto& record) { return tables::number_key(record.number); },
        [&](AuditEntry&& entry) { entries.push_back(std::move(entry)); });
    if (faults_.size() != faults_before)
      return;  // what follows a lost entry cannot be told from what was changed
    for (const AuditFault& fault : check_audit(entries))
      faults_.push_back(
          {tables::record_name(Table::Audit, tables::number_key(fault.number)), fault.cause});
  }

  template <typename Body>
  void guard(Body&& body) {
    try {
      body();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::CorruptState)
        throw;
      faults_.push_back({error.subject(), error.cause()});
    }
  }

 private:
  const lmdb::Transaction& transaction_;
  std::vector<RecordFault>& faults_;
};

}  // namespace

std::vector<RecordFault> StateStore::check() const {
  std::vector<RecordFault> faults;
  if (!environment_->lmdb)
    return faults;
  try {
    environment_->lmdb->check_whole();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::CorruptState)
      throw;
    return {{error.subject(), error.cause()}};
  }
  environment_->lmdb->read([&](const lmdb::Transaction& transaction) {
    faults.clear();  // a reader without a lock may run twice
    Checker checker(transaction, faults);
    checker.guard([&] { tables::generation_counter(&transaction, tables::kHighestGeneration); });
    checker.guard([&] { tables::find<Journal>(&transaction, Table::Meta, tables::kJournal); });
    checker.guard([&] {
      const auto current = tables::generation_counter(&transaction, tables::kCurrentGeneration);
      if (current != 0 && !transaction.get(Table::Generations, tables::number_key(current)))
        record_json::throw_corrupt(tables::record_name(Table::Meta, tables::kCurrentGeneration),
                                   tables::missing_generation(current));
    });
    checker.meta_keys();
    checker.table<Generation>(Table::Generations,
                              [](const auto& record) { return tables::number_key(record.number); });
    checker.table<OperationRecord>(Table::Operations, [](const auto& record) { return record.id; });
    checker.table<ServiceWish>(Table::ServiceWishes, [](const auto& record) { return record.id; });
    checker.table<PortLease>(Table::Ports,
                             [](const auto& record) { return tables::number_key(record.port); });
    checker.table<ModelRecord>(Table::Models, [](const auto& record) { return record.name; });
    checker.table<PinnedDigest>(Table::Pins,
                                [](const auto& record) { return tables::url_key(record.url); });
    checker.table<OverrideEvent>(
        Table::Overrides, [](const auto& record) { return tables::number_key(record.number); });
    checker.table<RegistryRecord>(Table::Registries,
                                  [](const auto& record) { return record.name; });
    checker.table<DataRecord>(Table::Data, [](const auto& record) { return record.service; });
    checker.table<HealthRecord>(Table::Health, [](const auto& record) { return record.service; });
    checker.table<DataSnapshot>(Table::Snapshots, [](const auto& record) { return record.id; });
    checker.audit();
  });
  return faults;
}

}  // namespace las::state
