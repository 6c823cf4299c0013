// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"
#include "las/platform/environment.hpp"
#include "las/state/records.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace las::state {

class ReadTransaction;
class WriteTransaction;

/// What to type when the state in `directory` is damaged or lost: no record is mended in place.
std::string way_out(const std::filesystem::path& directory);

/// LMDB, a C library, ends the process when it finds a contradiction where it cannot return an
/// error (an assertion). While this object lives `say` is called then, with a CorruptState; it has
/// to end the process itself and must neither return nor throw. One at a time in a process; without
/// one the process aborts. What StateStore::open() checks leaves little for it.
class LastWords {
 public:
  explicit LastWords(std::function<void(const Error&)> say);
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  ~LastWords();
};

/// Who changes the state in this run of las: what the audit trail says of each change. The clock
/// outlives the store; without one entries have no time.
struct Actor {
  std::string user;
  std::string sudo_user;  ///< who called sudo; "" without
  std::string operation_id;
  const platform::Clock* clock = nullptr;
};

struct RecordFault {
  std::string record;  ///< table and key: "models/tiny"
  std::string cause;
  bool operator==(const RecordFault&) const = default;
};

/// The LMDB environment under <state>/db: the only LMDB code. Opened once per process, in main's
/// composition; never across fork. Readers never wait for the writer.
///
/// Errors: CorruptState (unreadable record, damaged file, newer schema version — the cause names
/// both versions), NoSpace, Permission, Io. The map grows by itself; a transaction that outgrows it
/// is retried by write().
///
/// LMDB maps its file and trusts it, so every page is checked when it is opened; of a large state
/// (2 MiB) a reader checks the pages that it follows, each before it does, so that one record of
/// many costs no more than its own way. CorruptState comes from read() then, and check() looks at
/// everything. Hazard: a file that is cut off while it is open still ends the process by SIGBUS.
class StateStore {
 public:
  enum class Access { ReadOnly, ReadWrite };

  /// ReadWrite creates the environment and migrates the schema. ReadOnly of a place where las never
  /// ran gives an empty store and creates nothing.
  ///
  /// `generations`: the folder whose numbered entries the state has made. A state that was never
  /// written beside such entries is a lost one: CorruptState, since a new one would give their
  /// numbers out again. Empty: not looked at.
  static std::unique_ptr<StateStore> open(const std::filesystem::path& directory,
                                          Access access,
                                          const std::filesystem::path& generations = {});
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;
  ~StateStore();

  void identify(Actor actor);

  /// A consistent snapshot for the time of `body`. Keep it short: no downloads, prompts or
  /// children. `body` may run twice (where the user may not write LMDB's lock file, and a writer
  /// overtook it).
  void read(const std::function<void(const ReadTransaction&)>& body) const;
  /// All of `body`'s changes become durable together when it returns (fsync), or none when it
  /// throws. What matters to an auditor adds entries to the audit trail in the same transaction:
  /// no caller can forget it. `body` may run twice (map growth): it must only touch the
  /// transaction.
  void write(const std::function<void(WriteTransaction&)>& body);

  /// All records that do not decode, or that contradict each other, for `las verify`.
  std::vector<RecordFault> check() const;

 private:
  struct Environment;
  explicit StateStore(std::unique_ptr<Environment> environment);
  std::unique_ptr<Environment> environment_;
};

class ReadTransaction {
 public:
  virtual ~ReadTransaction() = default;
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  std::uint64_t current_generation() const;                          ///< 0 before the first install
  std::optional<Generation> generation(std::uint64_t number) const;  ///< 0 always exists (empty)
  Generation current() const;
  std::vector<std::uint64_t> generation_numbers() const;  ///< ascending, without 0
  std::optional<Journal> journal() const;
  std::vector<OperationRecord> operations() const;  ///< oldest first
  /// The same without keeping them: several times as fast where there are thousands. Only during
  /// the call is the record what it is.
  void each_operation(const std::function<void(const OperationRecord&)>& visit) const;
  std::vector<std::string> operation_ids() const;  ///< also of records that do not decode
  std::optional<OperationRecord> operation(const std::string& id) const;
  std::optional<ServiceWish> service_wish(const std::string& id) const;
  std::vector<PortLease> ports() const;
  std::optional<ModelRecord> model(const std::string& name) const;
  std::vector<ModelRecord> models() const;       ///< by name
  std::vector<std::string> model_names() const;  ///< also of records that do not decode
  std::optional<PinnedDigest> pinned_digest(const std::string& url) const;
  std::vector<OverrideEvent> override_events() const;  ///< oldest first
  std::optional<RegistryRecord> registry(const std::string& name) const;
  std::vector<RegistryRecord> registries() const;  ///< in the order of adding
  std::optional<OperationRecord> last_operation() const;
  std::vector<AuditEntry> audit() const;  ///< oldest first
  std::optional<DataRecord> data(const std::string& service) const;
  std::vector<DataRecord> data() const;
  std::vector<DataSnapshot> snapshots() const;
  std::optional<HealthRecord> health(const std::string& service) const;

 protected:
  ReadTransaction() = default;
  friend class StateStore;
  struct Handle;
  Handle* handle_ = nullptr;
};

class WriteTransaction : public ReadTransaction {
 public:
  /// The next free number: one above the highest ever used.
  std::uint64_t next_generation_number();
  void put_generation(const Generation& generation);
  void erase_generation(std::uint64_t number);
  /// The commit point of a transaction.
  void set_current_generation(std::uint64_t number);
  void put_journal(const Journal& journal);
  void clear_journal();
  void put_operation(const OperationRecord& operation);
  void put_service_wish(const ServiceWish& wish);
  void erase_service_wish(const std::string& id);
  void put_port(const PortLease& lease);
  void erase_ports_of(const std::string& owner);
  void put_model(const ModelRecord& model);
  void erase_model(const std::string& name);
  void put_pinned_digest(const PinnedDigest& pin);
  /// Gives the event the next number and returns it.
  std::uint64_t add_override_event(OverrideEvent event);
  /// A record whose number is 0 gets the next one.
  void put_registry(RegistryRecord registry);
  void erase_registry(const std::string& name);
  void put_data(const DataRecord& record);
  void erase_data(const std::string& service);
  void put_snapshot(const DataSnapshot& snapshot);
  void erase_snapshot(const std::string& id);
  /// Not in the audit trail: it would hold little else.
  void put_health(const HealthRecord& record);
  void erase_health(const std::string& service);
  /// For what changes no record but matters to an auditor. `event` is a word of ours.
  void add_audit(const std::string& event, const std::string& subject, const std::string& detail);

 protected:
  WriteTransaction() = default;
  friend class StateStore;
};

}  // namespace las::state
