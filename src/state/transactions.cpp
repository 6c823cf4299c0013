// SPDX-License-Identifier: Apache-2.0
// The bodies of ReadTransaction and WriteTransaction: which record lies where.
#include "tables.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"
#include "las/state/store.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::state {

using lmdb::Table;
using record_json::encode;
using tables::number_key;

namespace {

std::uint64_t number_of(std::string_view key) {
  std::uint64_t number = 0;
  for (const char byte : key)
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::vector<std::string> keys(const lmdb::Transaction* transaction, Table table) {
  std::vector<std::string> found;
  if (transaction != nullptr) {
    transaction->for_each(table,
                          [&](std::string_view key, std::string_view) { found.emplace_back(key); });
  }
  return found;
}

}  // namespace

std::string tables::url_key(const std::string& url) {
  constexpr std::size_t kLongest = 480;
  return url.size() <= kLongest ? url : platform::digest_of(url).to_string();
}

std::string tables::record_name(Table table, std::string_view key) {
  const bool numbered = table == Table::Generations || table == Table::Ports ||
                        table == Table::Overrides || table == Table::Audit;
  return fmt::format(
      "{}/{}", lmdb::name_of(table), numbered ? std::to_string(number_of(key)) : std::string(key));
}

std::string tables::missing_generation(std::uint64_t number) {
  return fmt::format(fmt::runtime(_("generation {} is not there")), number);
}

std::uint64_t tables::generation_counter(const lmdb::Transaction* transaction,
                                         std::string_view meta_key) {
  if (const auto number = find_number(transaction, meta_key))
    return *number;
  if (transaction != nullptr) {
    transaction->for_each(Table::Generations, [&](std::string_view, std::string_view) {
      record_json::throw_corrupt(record_name(Table::Meta, meta_key), _("missing"));
    });
  }
  return 0;
}

// ---- reading

std::uint64_t ReadTransaction::current_generation() const {
  return tables::generation_counter(handle_->reader, tables::kCurrentGeneration);
}

std::optional<Generation> ReadTransaction::generation(std::uint64_t number) const {
  if (number == 0)
    return Generation{};
  return tables::find<Generation>(handle_->reader, Table::Generations, number_key(number));
}

Generation ReadTransaction::current() const {
  const std::uint64_t number = current_generation();
  auto found = generation(number);
  if (!found) {
    record_json::throw_corrupt(tables::record_name(Table::Meta, tables::kCurrentGeneration),
                               tables::missing_generation(number));
  }
  return *std::move(found);
}

std::vector<std::uint64_t> ReadTransaction::generation_numbers() const {
  std::vector<std::uint64_t> numbers;
  if (handle_->reader != nullptr) {
    handle_->reader->for_each(Table::Generations, [&](std::string_view key, std::string_view) {
      numbers.push_back(number_of(key));
    });
  }
  return numbers;
}

std::optional<Journal> ReadTransaction::journal() const {
  return tables::find<Journal>(handle_->reader, Table::Meta, tables::kJournal);
}

std::vector<OperationRecord> ReadTransaction::operations() const {
  // Ids begin with the time, so the order of keys is the order of time.
  return tables::all<OperationRecord>(handle_->reader, Table::Operations);
}

void ReadTransaction::each_operation(
    const std::function<void(const OperationRecord&)>& visit) const {
  tables::each(handle_->reader, Table::Operations, visit);
}

std::vector<std::string> ReadTransaction::operation_ids() const {
  return keys(handle_->reader, Table::Operations);
}

std::optional<OperationRecord> ReadTransaction::operation(const std::string& id) const {
  return tables::find<OperationRecord>(handle_->reader, Table::Operations, id);
}

std::optional<ServiceWish> ReadTransaction::service_wish(const std::string& id) const {
  return tables::find<ServiceWish>(handle_->reader, Table::ServiceWishes, id);
}

std::vector<PortLease> ReadTransaction::ports() const {
  return tables::all<PortLease>(handle_->reader, Table::Ports);
}

std::optional<ModelRecord> ReadTransaction::model(const std::string& name) const {
  return tables::find<ModelRecord>(handle_->reader, Table::Models, name);
}

std::vector<ModelRecord> ReadTransaction::models() const {
  return tables::all<ModelRecord>(handle_->reader, Table::Models);
}

std::vector<std::string> ReadTransaction::model_names() const {
  return keys(handle_->reader, Table::Models);
}

std::optional<PinnedDigest> ReadTransaction::pinned_digest(const std::string& url) const {
  return tables::find<PinnedDigest>(handle_->reader, Table::Pins, tables::url_key(url));
}

std::vector<OverrideEvent> ReadTransaction::override_events() const {
  return tables::all<OverrideEvent>(handle_->reader, Table::Overrides);
}

std::optional<RegistryRecord> ReadTransaction::registry(const std::string& name) const {
  return tables::find<RegistryRecord>(handle_->reader, Table::Registries, name);
}

std::vector<RegistryRecord> ReadTransaction::registries() const {
  auto records = tables::all<RegistryRecord>(handle_->reader, Table::Registries);
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return a.number < b.number;
  });
  return records;
}

std::optional<OperationRecord> ReadTransaction::last_operation() const {
  return tables::last<OperationRecord>(handle_->reader, Table::Operations);
}

std::vector<AuditEntry> ReadTransaction::audit() const {
  return tables::all<AuditEntry>(handle_->reader, Table::Audit);
}

std::optional<DataRecord> ReadTransaction::data(const std::string& service) const {
  return tables::find<DataRecord>(handle_->reader, Table::Data, service);
}

std::vector<DataRecord> ReadTransaction::data() const {
  return tables::all<DataRecord>(handle_->reader, Table::Data);
}

std::optional<HealthRecord> ReadTransaction::health(const std::string& service) const {
  return tables::find<HealthRecord>(handle_->reader, Table::Health, service);
}

std::vector<DataSnapshot> ReadTransaction::snapshots() const {
  return tables::all<DataSnapshot>(handle_->reader, Table::Snapshots);
}

// ---- writing

std::uint64_t WriteTransaction::next_generation_number() {
  const auto highest = tables::generation_counter(handle_->reader, tables::kHighestGeneration);
  tables::put_number(*handle_->writer, tables::kHighestGeneration, highest + 1);
  return highest + 1;
}

void WriteTransaction::put_generation(const Generation& generation) {
  if (generation.number == 0)
    throw Error(ErrorKind::InvalidData, _("generation 0 is the empty state and cannot be written"));
  const auto highest = tables::generation_counter(handle_->reader, tables::kHighestGeneration);
  // From the first generation on both numbers are recorded.
  if (current_generation() == 0)
    tables::put_number(*handle_->writer, tables::kCurrentGeneration, 0);
  if (generation.number > highest)
    tables::put_number(*handle_->writer, tables::kHighestGeneration, generation.number);
  handle_->writer->put(Table::Generations, number_key(generation.number), encode(generation));
}

void WriteTransaction::erase_generation(std::uint64_t number) {
  if (number != 0 && number == current_generation()) {
    throw Error(
        ErrorKind::Busy, _("the current generation cannot be erased"), std::to_string(number));
  }
  if (!handle_->reader->get(Table::Generations, number_key(number)))
    return;
  handle_->writer->erase(Table::Generations, number_key(number));
  add_audit("generation-erased", std::to_string(number), "");
}

void WriteTransaction::set_current_generation(std::uint64_t number) {
  if (number != 0 && !handle_->reader->get(Table::Generations, number_key(number)))
    throw Error(ErrorKind::NotFound, _("no such generation"), std::to_string(number));
  const std::uint64_t before = current_generation();
  tables::put_number(*handle_->writer, tables::kCurrentGeneration, number);
  if (before != number)
    add_audit("generation-current", std::to_string(number), fmt::format("before: {}", before));
}

void WriteTransaction::put_journal(const Journal& journal) {
  handle_->writer->put(Table::Meta, tables::kJournal, encode(journal));
}

void WriteTransaction::clear_journal() {
  handle_->writer->erase(Table::Meta, tables::kJournal);
}

void WriteTransaction::put_operation(const OperationRecord& operation) {
  const auto before = ReadTransaction::operation(operation.id);
  handle_->writer->put(Table::Operations, operation.id, record_packed::encode(operation));
  if (before && before->outcome == operation.outcome)
    return;
  std::string detail = operation.command;
  for (const std::string& change : operation.changes)
    detail += "; " + change;
  add_audit("operation-" + operation.outcome,
            operation.id,
            operation.error.empty() ? detail : detail + ": " + operation.error);
}

void WriteTransaction::put_service_wish(const ServiceWish& wish) {
  if (service_wish(wish.id) == wish)
    return;
  handle_->writer->put(Table::ServiceWishes, wish.id, encode(wish));
  add_audit("service-wish", wish.id, wish.running ? "running" : "stopped");
}

void WriteTransaction::erase_service_wish(const std::string& id) {
  handle_->writer->erase(Table::ServiceWishes, id);
}

void WriteTransaction::put_port(const PortLease& lease) {
  handle_->writer->put(Table::Ports, number_key(lease.port), encode(lease));
}

void WriteTransaction::erase_ports_of(const std::string& owner) {
  for (const PortLease& lease : ports()) {
    if (lease.owner == owner)
      handle_->writer->erase(Table::Ports, number_key(lease.port));
  }
}

void WriteTransaction::put_model(const ModelRecord& model) {
  if (ReadTransaction::model(model.name) == model)
    return;
  handle_->writer->put(Table::Models, model.name, encode(model));
  add_audit("model-put", model.name, model.digest.to_string() + " " + model.source);
}

void WriteTransaction::erase_model(const std::string& name) {
  if (!handle_->reader->get(Table::Models, name))
    return;
  handle_->writer->erase(Table::Models, name);
  add_audit("model-erased", name, "");
}

void WriteTransaction::put_pinned_digest(const PinnedDigest& pin) {
  handle_->writer->put(Table::Pins, tables::url_key(pin.url), encode(pin));
  add_audit("digest-pinned", pin.url, pin.digest.to_string());
}

std::uint64_t WriteTransaction::add_override_event(OverrideEvent event) {
  const auto before = tables::last<OverrideEvent>(handle_->reader, Table::Overrides);
  event.number = before ? before->number + 1 : 1;
  handle_->writer->put(Table::Overrides, number_key(event.number), encode(event));
  add_audit("override-" + event.action, event.id, event.capability + ": " + event.reason);
  return event.number;
}

void WriteTransaction::put_registry(RegistryRecord registry) {
  if (registry.number == 0) {
    const std::vector<RegistryRecord> others = registries();
    registry.number = others.empty() ? 1 : others.back().number + 1;
  }
  const auto before = ReadTransaction::registry(registry.name);
  handle_->writer->put(Table::Registries, registry.name, encode(registry));
  if (!before || before->public_key != registry.public_key || before->url != registry.url)
    add_audit("registry-trusted", registry.name, registry.url + " " + registry.public_key);
  else if (before->snapshot != registry.snapshot)
    add_audit("registry-accepted",
              registry.name,
              fmt::format("version {} {}", registry.version, registry.snapshot));
}

void WriteTransaction::erase_registry(const std::string& name) {
  if (!handle_->reader->get(Table::Registries, name))
    return;
  handle_->writer->erase(Table::Registries, name);
  add_audit("registry-erased", name, "");
}

void WriteTransaction::put_data(const DataRecord& record) {
  handle_->writer->put(Table::Data, record.service, encode(record));
}

void WriteTransaction::erase_data(const std::string& service) {
  handle_->writer->erase(Table::Data, service);
}

void WriteTransaction::put_snapshot(const DataSnapshot& snapshot) {
  handle_->writer->put(Table::Snapshots, snapshot.id, encode(snapshot));
  add_audit("data-put-aside", snapshot.id, snapshot.path);
}

void WriteTransaction::put_health(const HealthRecord& record) {
  handle_->writer->put(Table::Health, record.service, encode(record));
}

void WriteTransaction::erase_health(const std::string& service) {
  handle_->writer->erase(Table::Health, service);
}

void WriteTransaction::erase_snapshot(const std::string& id) {
  if (!handle_->reader->get(Table::Snapshots, id))
    return;
  handle_->writer->erase(Table::Snapshots, id);
  add_audit("data-snapshot-gone", id, "");
}

}  // namespace las::state
