// SPDX-License-Identifier: Apache-2.0
#include "las/state/store.hpp"

#include "full_records.hpp"
#include "lmdb.hpp"
#include "record_json.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"

#include <fstream>
#include <set>
#include <thread>

using namespace las;
using namespace las::state;
using namespace las::test;
using Access = StateStore::Access;
namespace fs = std::filesystem;

namespace {

using Damage = std::vector<std::tuple<lmdb::Table, std::string, std::string>>;

/// Writes raw values behind the store's back; no store may be open.
void write_raw(const fs::path& directory, const Damage& values) {
  lmdb::Environment environment(
      directory, lmdb::Environment::Access::ReadWrite, lmdb::kStateTables, [](auto&) {});
  environment.write([&](lmdb::Transaction& transaction) {
    for (const auto& [table, key, value] : values)
      transaction.put(table, key, value);
  });
}

std::string raw(const fs::path& directory, lmdb::Table table, const std::string& key) {
  lmdb::Environment environment(
      directory, lmdb::Environment::Access::ReadOnly, lmdb::kStateTables, [](auto&) {});
  std::string value;
  environment.read([&](const lmdb::Transaction& transaction) {
    value = transaction.get(table, key).value_or("");
  });
  return value;
}

std::uint64_t current_of(const StateStore& store) {
  std::uint64_t current = 0;
  store.read([&](const ReadTransaction& state) { current = state.current_generation(); });
  return current;
}

std::vector<std::string> model_names(const StateStore& store) {
  std::vector<std::string> names;
  store.read([&](const ReadTransaction& state) {
    names.clear();
    for (const ModelRecord& model : state.models())
      names.push_back(model.name);
  });
  return names;
}

std::string error_of(const std::function<void()>& body, ErrorKind kind) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(to_string(error.kind()) == to_string(kind));
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("what is written is read back after the state is opened again", "[state]") {
  const TempDirectory temp;
  const auto directory = temp / "new/state/db";
  const std::string long_url = "https://example.test/" + std::string(2000, 'x');
  {
    auto store = StateStore::open(directory, Access::ReadWrite);
    store->write([&](WriteTransaction& state) {
      state.put_generation(full_generation(1));
      state.set_current_generation(1);
      state.put_journal(full_journal());
      state.put_operation(full_operation("20261123T150405-1a2b3c"));
      state.put_service_wish({.id = "chat", .running = false, .at_boot = true});
      state.put_port({.port = 8080, .owner = "chat"});
      state.put_health(full_health("chat"));
      state.put_model(full_model("tiny"));
      state.put_pinned_digest(full_pin("https://example.test/a"));
      state.put_pinned_digest(full_pin(long_url));
    });
  }
  for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
    const auto store = StateStore::open(directory, access);
    store->read([&](const ReadTransaction& state) {
      CHECK(state.current_generation() == 1);
      CHECK(state.current() == full_generation(1));
      CHECK(state.generation(1) == full_generation(1));
      CHECK(state.generation(2) == std::nullopt);
      CHECK(state.generation(0) == Generation{});
      CHECK(state.journal() == full_journal());
      CHECK(state.operation("20261123T150405-1a2b3c") == full_operation("20261123T150405-1a2b3c"));
      CHECK(state.operation("20261123") == std::nullopt);
      CHECK(state.service_wish("chat") ==
            ServiceWish{.id = "chat", .running = false, .at_boot = true});
      CHECK(state.service_wish("other") == std::nullopt);
      CHECK(state.ports() == std::vector<PortLease>{{.port = 8080, .owner = "chat"}});
      CHECK(state.health("chat") == full_health("chat"));
      CHECK(state.health("other") == std::nullopt);
      CHECK(state.model("tiny") == full_model("tiny"));
      CHECK(state.model("") == std::nullopt);
      CHECK(state.pinned_digest("https://example.test/a") == full_pin("https://example.test/a"));
      CHECK(state.pinned_digest(long_url) == full_pin(long_url));
      CHECK(state.pinned_digest(long_url + "x") == std::nullopt);
    });
    CHECK(store->check().empty());
  }
}

TEST_CASE("erased records are gone and the others stay", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([](WriteTransaction& state) {
    state.put_generation(full_generation(1));
    state.put_generation(full_generation(2));
    state.put_journal(full_journal());
    state.put_service_wish({.id = "chat", .at_boot = {}});
    state.put_service_wish({.id = "code", .at_boot = {}});
    state.put_port({.port = 1, .owner = "chat"});
    state.put_port({.port = 2, .owner = "code"});
    state.put_port({.port = 3, .owner = "chat"});
    state.put_health(full_health("chat"));
    state.put_health(full_health("code"));
    state.put_model(full_model("big"));
    state.put_model(full_model("tiny"));
  });
  store->write([](WriteTransaction& state) {
    state.erase_health("chat");
    state.erase_health("never was");
    state.erase_generation(1);
    state.clear_journal();
    state.erase_service_wish("chat");
    state.erase_service_wish("never was");
    state.erase_ports_of("chat");
    state.erase_model("big");
  });
  store->read([](const ReadTransaction& state) {
    CHECK(state.generation_numbers() == std::vector<std::uint64_t>{2});
    CHECK(state.journal() == std::nullopt);
    CHECK(state.service_wish("chat") == std::nullopt);
    CHECK(state.service_wish("code") == ServiceWish{.id = "code", .at_boot = {}});
    CHECK(state.health("chat") == std::nullopt);
    CHECK(state.health("code") == full_health("code"));
    CHECK(state.ports() == std::vector<PortLease>{{.port = 2, .owner = "code"}});
  });
  CHECK(model_names(*store) == std::vector<std::string>{"tiny"});
}

TEST_CASE("what the looks at a service find is no matter for the audit trail", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  const auto entries = [&] {
    std::size_t count = 0;
    store->read([&](const ReadTransaction& state) { count = state.audit().size(); });
    return count;
  };
  const std::size_t before = entries();
  store->write([](WriteTransaction& state) { state.put_health(full_health("chat")); });
  store->write([](WriteTransaction& state) { state.erase_health("chat"); });
  CHECK(entries() == before);
}

TEST_CASE("reading a place where las never ran gives an empty store and creates nothing",
          "[state]") {
  const TempDirectory temp;
  const auto store = StateStore::open(temp / "db", Access::ReadOnly);
  store->read([](const ReadTransaction& state) {
    CHECK(state.current_generation() == 0);
    CHECK(state.current() == Generation{});
    CHECK(state.generation_numbers().empty());
    CHECK(state.journal() == std::nullopt);
    CHECK(state.operations().empty());
    CHECK(state.ports().empty());
    CHECK(state.models().empty());
    CHECK(state.model("tiny") == std::nullopt);
    CHECK(state.pinned_digest("x") == std::nullopt);
  });
  CHECK(store->check().empty());
  CHECK(fs::is_empty(temp.path()));
  CHECK(error_of([&] { store->write([](WriteTransaction&) {}); }, ErrorKind::Permission) ==
        "the state is open for reading only");
}

TEST_CASE("a store opened for reading refuses to write", "[state]") {
  const TempDirectory temp;
  StateStore::open(temp / "db", Access::ReadWrite);
  const auto store = StateStore::open(temp / "db", Access::ReadOnly);
  CHECK(error_of([&] { store->write([](WriteTransaction&) {}); }, ErrorKind::Permission) ==
        "the state is open for reading only: " + (temp / "db").string());
}

TEST_CASE("nothing of a write is kept when its body throws", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([](WriteTransaction& state) { state.put_model(full_model("old")); });
  CHECK_THROWS_WITH(store->write([](WriteTransaction& state) {
    state.put_model(full_model("new"));
    state.erase_model("old");
    state.put_generation(full_generation(1));
    state.set_current_generation(1);
    CHECK(state.model("new").has_value());
    throw std::runtime_error("changed my mind");
  }),
                    "changed my mind");
  CHECK(model_names(*store) == std::vector<std::string>{"old"});
  CHECK(current_of(*store) == 0);
}

TEST_CASE("the map grows until a transaction fits, and the others see all of it", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  int runs = 0;
  store->write([&](WriteTransaction& state) {
    ++runs;
    for (int i = 0; i < 5; ++i) {
      ModelRecord model = full_model("model-" + std::to_string(100 + i));
      model.note.assign(1 << 18, 'x');
      state.put_model(model);
    }
  });
  CHECK(runs > 1);  // else the first map was large enough and this test shows nothing
  CHECK(model_names(*store).size() == 5);
  store.reset();
  CHECK(model_names(*StateStore::open(temp / "db", Access::ReadOnly)).size() == 5);
}

TEST_CASE("a body that swallows the error of a full map is still run again", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([&](WriteTransaction& state) {
    ModelRecord model = full_model("big");
    model.note.assign(5 << 18, 'x');
    try {
      state.put_model(model);
    } catch (const Error&) {
    }
  });
  CHECK(model_names(*store) == std::vector<std::string>{"big"});
}

TEST_CASE("generation numbers are never used again", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  std::set<std::uint64_t> used;
  const auto next = [&] {
    std::uint64_t number = 0;
    store->write([&](WriteTransaction& state) {
      number = state.next_generation_number();
      state.put_generation(full_generation(number));
    });
    CHECK(used.insert(number).second);
    return number;
  };
  CHECK(next() == 1);
  CHECK(next() == 2);
  store->write([](WriteTransaction& state) { state.erase_generation(2); });
  CHECK(next() == 3);
  store.reset();
  store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([](WriteTransaction& state) { state.put_generation(full_generation(300)); });
  store->write([](WriteTransaction& state) { state.erase_generation(300); });
  CHECK(next() == 301);
  store->write([](WriteTransaction& state) {  // taken, though nothing was put under them
    CHECK(state.next_generation_number() == 302);
    CHECK(state.next_generation_number() == 303);
  });
  CHECK(next() == 304);
  store->read([](const ReadTransaction& state) {
    CHECK(state.generation_numbers() == std::vector<std::uint64_t>{1, 3, 301, 304});
  });
}

TEST_CASE("registries are told in the order of adding, whatever their names", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([](WriteTransaction& state) {
    for (const char* name : {"zoo", "lab", "attic"}) {
      RegistryRecord registry = full_registry(name);
      registry.number = 0;
      state.put_registry(registry);
    }
  });
  const auto names = [&] {
    std::string all;
    store->read([&](const ReadTransaction& state) {
      all.clear();
      for (const RegistryRecord& registry : state.registries())
        all += registry.name + " ";
    });
    return all;
  };
  CHECK(names() == "zoo lab attic ");
  store->write([](WriteTransaction& state) {
    RegistryRecord registry = *state.registry("zoo");
    CHECK(registry.number == 1);
    registry.version = 13;
    state.put_registry(registry);
    state.erase_registry("lab");
    state.erase_registry("never was");
  });
  CHECK(names() == "zoo attic ");
  store->read([](const ReadTransaction& state) {
    CHECK(state.registry("zoo")->version == 13);
    CHECK(state.registry("lab") == std::nullopt);
  });
  CHECK(store->check().empty());
}

TEST_CASE("events of overrides are numbered from one and only ever added", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([](WriteTransaction& state) {
    CHECK(state.add_override_event(full_override_event(77)) == 1);
    CHECK(state.add_override_event(full_override_event(0)) == 2);
  });
  store->read([](const ReadTransaction& state) {
    CHECK(state.override_events() ==
          std::vector<OverrideEvent>{full_override_event(1), full_override_event(2)});
  });
}

TEST_CASE("a state without the tables of later versions is read, and written on", "[state]") {
  const TempDirectory temp;
  const auto directory = temp / "db";
  StateStore::open(directory, Access::ReadWrite)->write([](WriteTransaction& state) {
    state.put_generation(full_generation(1));
    state.set_current_generation(1);
  });
  fs::create_directories(temp / "generations/1");
  // As a las of before these tables left it.
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi table = 0;
  REQUIRE(mdb_env_create(&environment) == 0);
  REQUIRE(mdb_env_set_maxdbs(environment, 3) == 0);
  REQUIRE(mdb_env_open(environment, directory.c_str(), 0, 0600) == 0);
  REQUIRE(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0);
  for (const char* name : {"overrides", "registries", "health"}) {
    REQUIRE(mdb_dbi_open(transaction, name, 0, &table) == 0);
    REQUIRE(mdb_drop(transaction, table, 1) == 0);
  }
  REQUIRE(mdb_txn_commit(transaction) == 0);
  mdb_env_close(environment);

  {
    const auto reader = StateStore::open(directory, Access::ReadOnly, temp / "generations");
    reader->read([](const ReadTransaction& state) {
      CHECK(state.override_events().empty());
      CHECK(state.registries().empty());
      CHECK(state.health("chat") == std::nullopt);
    });
    CHECK(current_of(*reader) == 1);
  }
  auto store = StateStore::open(directory, Access::ReadWrite, temp / "generations");
  store->write([](WriteTransaction& state) {
    state.add_override_event(full_override_event(0));
    state.put_registry(full_registry("lab"));
    state.put_health(full_health("chat"));
  });
  store->read([](const ReadTransaction& state) {
    CHECK(state.override_events().size() == 1);
    CHECK(state.health("chat") == full_health("chat"));
    CHECK(state.registry("lab") == full_registry("lab"));
  });
  CHECK(current_of(*store) == 1);
  CHECK(store->check().empty());
}

TEST_CASE("generations and ports are in the order of numbers, operations in that of time",
          "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([](WriteTransaction& state) {
    for (const std::uint64_t number : {256U, 2U, 65536U, 10U, 255U})
      state.put_generation(full_generation(number));
    for (const std::uint16_t port : std::vector<std::uint16_t>{256, 80, 65535, 255})
      state.put_port({.port = port, .owner = "x"});
    for (const char* id :
         {"20270101T000000-0a0a0a", "20261123T150405-ffffff", "20261123T150404-000000"})
      state.put_operation(full_operation(id));
  });
  store->read([](const ReadTransaction& state) {
    CHECK(state.generation_numbers() == std::vector<std::uint64_t>{2, 10, 255, 256, 65536});
    std::vector<int> ports;
    for (const PortLease& lease : state.ports())
      ports.push_back(lease.port);
    CHECK(ports == std::vector<int>{80, 255, 256, 65535});
    std::vector<std::string> ids;
    std::vector<OperationRecord> visited;
    state.each_operation([&](const OperationRecord& operation) { visited.push_back(operation); });
    CHECK(visited == state.operations());
    for (const OperationRecord& operation : visited)
      ids.push_back(operation.id);
    CHECK(state.operation_ids() == ids);
    CHECK(ids == std::vector<std::string>{
                     "20261123T150404-000000", "20261123T150405-ffffff", "20270101T000000-0a0a0a"});
  });
}

TEST_CASE("only a generation that exists can become current, and it cannot be erased", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  CHECK(error_of(
            [&] { store->write([](WriteTransaction& state) { state.set_current_generation(4); }); },
            ErrorKind::NotFound) == "no such generation: 4");
  store->write([](WriteTransaction& state) {
    state.put_generation(full_generation(4));
    state.set_current_generation(4);
  });
  CHECK(error_of([&] { store->write([](WriteTransaction& state) { state.erase_generation(4); }); },
                 ErrorKind::Busy) == "the current generation cannot be erased: 4");
  CHECK(error_of([&] { store->write([](WriteTransaction& state) { state.put_generation({}); }); },
                 ErrorKind::InvalidData) ==
        "generation 0 is the empty state and cannot be written");
  store->write([](WriteTransaction& state) {
    state.set_current_generation(0);
    state.erase_generation(4);
  });
  CHECK(current_of(*store) == 0);
}

TEST_CASE("a record without a name cannot be written", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  CHECK(error_of([&] { store->write([](WriteTransaction& state) { state.put_model({}); }); },
                 ErrorKind::InvalidData) == "the name of a record is empty or too long: models/");
}

TEST_CASE("a reader keeps its snapshot while another thread writes", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->write([](WriteTransaction& state) { state.put_model(full_model("old")); });
  store->read([&](const ReadTransaction& state) {
    std::thread([&] {
      store->write([](WriteTransaction& change) {
        change.put_model(full_model("new"));
        change.erase_model("old");
      });
    }).join();
    CHECK(state.model("old") == full_model("old"));
    CHECK(state.model("new") == std::nullopt);
    store->read([](const ReadTransaction& later) { CHECK(later.model("new").has_value()); });
  });
  CHECK(model_names(*store) == std::vector<std::string>{"new"});
}

TEST_CASE("a write inside another use of the same state is refused instead of waiting for itself",
          "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  const std::string expected =
      "a change of the state was begun inside another use of it: " + (temp / "db").string();
  const auto nested_write = [&] { store->write([](WriteTransaction&) {}); };
  store->read(
      [&](const ReadTransaction&) { CHECK(error_of(nested_write, ErrorKind::Io) == expected); });
  store->write(
      [&](WriteTransaction&) { CHECK(error_of(nested_write, ErrorKind::Io) == expected); });
  nested_write();
}

TEST_CASE("a directory is not opened twice in one process", "[state]") {
  const TempDirectory temp;
  auto store = StateStore::open(temp / "db", Access::ReadWrite);
  CHECK(error_of([&] { StateStore::open(temp / "db/../db", Access::ReadOnly); }, ErrorKind::Io) ==
        "the state is open already in this process: " + (temp / "db").string());
  store.reset();
  CHECK_NOTHROW(StateStore::open(temp / "db", Access::ReadOnly));
}

TEST_CASE("damaged records are CorruptState when read and all of them are found by check",
          "[state]") {
  const TempDirectory temp;
  StateStore::open(temp / "db", Access::ReadWrite)->write([](WriteTransaction& state) {
    state.put_generation(full_generation(1));
    state.put_model(full_model("good"));
  });
  const std::string nine("\0\0\0\0\0\0\0\x09", 8), port_80("\0\x50", 2);
  write_raw(temp / "db",
            {{lmdb::Table::Generations, nine, "{\"number\":9}"},
             {lmdb::Table::Meta, "current_generation", "8"},
             {lmdb::Table::Meta, "journal", "{}"},
             {lmdb::Table::Meta, "lost", "1"},
             {lmdb::Table::Meta, "highest_generation", "\"many\""},
             {lmdb::Table::Models, "bad", "\x01\x02"},
             {lmdb::Table::Models,
              "moved",
              R"({"architecture":"","context_length":0,"digest":"sha256:)" + std::string(64, 'c') +
                  R"(","format":"","imported_at":"","license":"","name":)"
                  R"("other","note":"","parameters":0,"quantization":"",)"
                  R"("size":1,"source":""})"},
             {lmdb::Table::Operations, "20261123T150405-1a2b3c", "[]"},
             {lmdb::Table::Pins, "https://example.test/a", R"({"url":1})"},
             {lmdb::Table::Ports, port_80, R"({"port":"80","owner":"x"})"},
             {lmdb::Table::ServiceWishes, "chat", R"({"id":"chat"})"},
             {lmdb::Table::Registries, "lab", R"({"name":"lab"})"},
             {lmdb::Table::Health, "chat", R"({"service":"chat"})"}});

  const auto store = StateStore::open(temp / "db", Access::ReadOnly);
  CHECK(store->check() == std::vector<RecordFault>{
                              {"meta/highest_generation", "not a whole number"},
                              {"meta/journal", "operation_id: missing"},
                              {"meta/current_generation", "generation 8 is not there"},
                              {"meta/lost", "no such record is known"},
                              {"generations/9", "parent: missing"},
                              {"operations/20261123T150405-1a2b3c", "not an object"},
                              {"service_wishes/chat", "running: missing"},
                              {"ports/80", "port: not a whole number"},
                              {"models/bad", "not JSON"},
                              {"models/moved", "it lies under the key of another record"},
                              {"pins/https://example.test/a", "url: not a text"},
                              {"registries/lab", "number: missing"},
                              {"health/chat", "checked_at: missing"},
                          });
  store->read([](const ReadTransaction& state) {
    const std::string start = "a record of the state is damaged: ";
    const auto fault = [](const std::function<void()>& body) {
      return error_of(body, ErrorKind::CorruptState);
    };
    CHECK(fault([&] { state.current(); }) ==
          start + "meta/current_generation: generation 8 is not there");
    CHECK(fault([&] { state.generation(9); }) == start + "generations/9: parent: missing");
    CHECK(fault([&] { state.models(); }) == start + "models/bad: not JSON");
    CHECK(fault([&] { state.ports(); }) == start + "ports/80: port: not a whole number");
    CHECK(state.generation(1) == full_generation(1));
    CHECK(state.model("good") == full_model("good"));
    CHECK(state.model_names() == std::vector<std::string>{"bad", "good", "moved"});
  });
}

TEST_CASE("the state of a newer las is refused and left as it is", "[state]") {
  const TempDirectory temp;
  StateStore::open(temp / "db", Access::ReadWrite);
  write_raw(temp / "db", {{lmdb::Table::Meta, "schema", "3"}});
  for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
    try {
      StateStore::open(temp / "db", access);
      FAIL("opened a newer state");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::CorruptState);
      CHECK(std::string(error.what()) ==
            "the state was written by a newer las: " + (temp / "db").string() +
                ": its schema is 3, this las knows 2");
      CHECK(error.hint() == "upgrade las; an older one never touches a newer state");
    }
  }
}

TEST_CASE("a state of the first schema is read, and marked as soon as it is opened for writing",
          "[state]") {
  const TempDirectory temp;
  StateStore::open(temp / "db", Access::ReadWrite);
  const OperationRecord old = full_operation("20261123T150405-1a2b3c");
  write_raw(temp / "db",
            {{lmdb::Table::Meta, "schema", "1"},
             {lmdb::Table::Operations, old.id, record_json::encode(old)}});
  const auto found = [&](Access access) {
    std::optional<OperationRecord> operation;
    StateStore::open(temp / "db", access)->read([&](const ReadTransaction& state) {
      operation = state.operation(old.id);
    });
    return operation;
  };
  CHECK(found(Access::ReadOnly) == old);
  CHECK(raw(temp / "db", lmdb::Table::Meta, "schema") == "1");
  CHECK(found(Access::ReadWrite) == old);
  CHECK(raw(temp / "db", lmdb::Table::Meta, "schema") == "2");
  CHECK(found(Access::ReadOnly) == old);

  StateStore::open(temp / "db", Access::ReadWrite)->write([&](WriteTransaction& state) {
    state.put_operation(old);
  });
  CHECK(raw(temp / "db", lmdb::Table::Operations, old.id).starts_with("\x01"));
  CHECK(found(Access::ReadOnly) == old);
}

TEST_CASE("a state without a readable schema is corrupt", "[state]") {
  const TempDirectory temp;
  StateStore::open(temp / "db", Access::ReadWrite);
  const auto fault = [&] {
    return error_of([&] { StateStore::open(temp / "db", Access::ReadWrite); },
                    ErrorKind::CorruptState);
  };
  write_raw(temp / "db", {{lmdb::Table::Meta, "schema", "0"}});
  CHECK(fault() == "a record of the state is damaged: meta/schema: out of range");
  write_raw(temp / "db", {{lmdb::Table::Meta, "schema", "one"}});
  CHECK(fault() == "a record of the state is damaged: meta/schema: not JSON");
}

TEST_CASE("a file that is no database is CorruptState, an empty one an empty store", "[state]") {
  const TempDirectory temp;
  fs::create_directory(temp / "db");
  const auto write_file = [&](const std::string& content) {
    std::ofstream(temp / "db/data.mdb", std::ios::binary | std::ios::trunc) << content;
  };
  write_file("");
  CHECK(current_of(*StateStore::open(temp / "db", Access::ReadOnly)) == 0);
  write_file(std::string(16384, 'x'));
  for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
    CHECK(error_of([&] { StateStore::open(temp / "db", access); }, ErrorKind::CorruptState) ==
          "the state is damaged: " + (temp / "db").string() +
              ": page 0: this is not the head of a database");
  }
  write_file("");
  CHECK(current_of(*StateStore::open(temp / "db", Access::ReadWrite)) == 0);
}
