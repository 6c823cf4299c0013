// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/manual_clock.hpp"
#include "support/temp_directory.hpp"

#include "las/state/store.hpp"

#include <algorithm>

using namespace las;
using namespace las::test;
using state::AuditEntry;

namespace {

std::unique_ptr<state::StateStore> open(const TempDirectory& folder) {
  return state::StateStore::open(folder.path() / "db", state::StateStore::Access::ReadWrite);
}

std::vector<AuditEntry> trail(const state::StateStore& store) {
  std::vector<AuditEntry> entries;
  store.read([&](const state::ReadTransaction& t) { entries = t.audit(); });
  return entries;
}

state::Generation generation(std::uint64_t number) {
  state::Generation generation;
  generation.number = number;
  return generation;
}

std::vector<std::string> events(const std::vector<AuditEntry>& entries) {
  std::vector<std::string> out;
  for (const AuditEntry& entry : entries)
    out.push_back(entry.event + " " + entry.subject);
  return out;
}

}  // namespace

TEST_CASE("what changes the state leaves entries that nobody asked for", "[state][audit]") {
  const TempDirectory folder;
  const auto store = open(folder);
  const ManualClock clock;
  store->identify({"root", "ann", "op-1", &clock});
  store->write([](state::WriteTransaction& t) {
    state::OperationRecord operation;
    operation.id = "op-1";
    operation.outcome = "running";
    t.put_operation(operation);
    t.put_generation(generation(1));
    t.set_current_generation(1);
    operation.outcome = "done";
    t.put_operation(operation);
    t.put_operation(operation);  // said already
    t.put_service_wish({"tiny", true, {}});
  });
  const auto entries = trail(*store);
  CHECK(events(entries) == std::vector<std::string>{"operation-running op-1",
                                                    "generation-current 1",
                                                    "operation-done op-1",
                                                    "service-wish tiny"});
  for (const AuditEntry& entry : entries) {
    CHECK(entry.user == "root");
    CHECK(entry.sudo_user == "ann");
    CHECK(entry.operation_id == "op-1");
    CHECK(entry.at == platform::to_iso8601(clock.now()));
  }
  CHECK(state::check_audit(entries).empty());
  CHECK(store->check().empty());
}

TEST_CASE("a write that fails leaves no entry of it", "[state][audit]") {
  const TempDirectory folder;
  const auto store = open(folder);
  CHECK_THROWS_AS(store->write([](state::WriteTransaction& t) {
    t.put_service_wish({"tiny", true, {}});
    throw Error(ErrorKind::Io, "no");
  }),
                  Error);
  CHECK(trail(*store).empty());
}

TEST_CASE("an entry that was changed, moved or left out breaks the chain", "[state][audit]") {
  const TempDirectory folder;
  const auto store = open(folder);
  for (const char* id : {"a", "b", "c", "d"})
    store->write([&](state::WriteTransaction& t) { t.put_service_wish({id, true, {}}); });
  const auto whole = trail(*store);
  REQUIRE(whole.size() == 4);

  auto changed = whole;
  changed[1].subject = "x";
  CHECK(state::check_audit(changed) ==
        std::vector<state::AuditFault>{{2, "it was changed after it was written"}});

  // Whoever changes an entry and its hash breaks the next one's word of it.
  changed[1].hash = state::audit_hash(changed[1]);
  CHECK(state::check_audit(changed) ==
        std::vector<state::AuditFault>{{3, "it does not follow from the entry before"}});

  auto without = whole;
  without.erase(without.begin() + 1);
  CHECK(state::check_audit(without) == std::vector<state::AuditFault>{{3, "entry 2 is missing"}});

  // From the end alone it cannot be told.
  auto shorter = whole;
  shorter.pop_back();
  CHECK(state::check_audit(shorter).empty());
}
