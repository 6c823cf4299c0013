// SPDX-License-Identifier: Apache-2.0
// A state whose file is damaged, cut off or lost.
#include "full_records.hpp"
#include "lmdb.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/state/store.hpp"

#include <cstring>
#include <fstream>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

using namespace las;
using namespace las::state;
using namespace las::test;
using Access = StateStore::Access;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPage = 4096;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put_bytes(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A state with branch pages, records on pages of their own, and free pages.
void make_state(const fs::path& directory) {
  auto store = StateStore::open(directory, Access::ReadWrite);
  store->write([](WriteTransaction& state) {
    state.put_generation(full_generation(state.next_generation_number()));
    state.set_current_generation(1);
    state.put_journal(full_journal());
    state.put_port({.port = 8080, .owner = "chat"});
    state.put_pinned_digest(full_pin("https://example.test/a"));
    for (int i = 0; i < 20; ++i)
      state.put_operation(full_operation("20261123T1504" + std::to_string(10 + i) + "-1a2b3c"));
  });
  store->write([](WriteTransaction& state) {
    ModelRecord model = full_model("big");
    model.note.assign(3 * kPage, 'x');
    state.put_model(model);
    state.put_operation(full_operation("20261123T150430-1a2b3c"));
  });
}

/// Reads everything, and changes much of it where that is asked; whether all was sound.
bool use_state(const fs::path& directory, bool writing) {
  const auto passes = [](const std::function<void()>& body) {
    try {
      body();
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::CorruptState)
        throw;
      return false;
    }
  };
  bool sound = true;
  const auto read = [&](const StateStore& store,
                        const std::function<void(const ReadTransaction&)>& body) {
    sound = passes([&] { store.read(body); }) && sound;
  };
  const auto all = [&] {
    {
      const auto store = StateStore::open(directory, Access::ReadOnly);
      sound = store->check().empty();
      read(*store, [](const ReadTransaction& state) { state.current(); });
      read(*store, [](const ReadTransaction& state) { state.operations(); });
      read(*store, [](const ReadTransaction& state) { state.models(); });
    }
    if (!writing)
      return;
    StateStore::open(directory, Access::ReadWrite)->write([](WriteTransaction& state) {
      ModelRecord model = full_model("new");
      model.note.assign(2 * kPage, 'y');
      state.put_model(model);
      state.erase_model("big");
      for (int i = 0; i < 20; ++i)
        state.put_operation(full_operation("20261124T1504" + std::to_string(10 + i) + "-1a2b3c"));
    });
  };
  return passes(all) && sound;
}

/// The wait status of a child that runs `body`, whose result is its exit status.
int status_of(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

Error refusal(const fs::path& directory, Access access, const fs::path& generations = {}) {
  try {
    StateStore::open(directory, access, generations);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::Usage, "it was opened");
}

void drop_table(const fs::path& directory, const char* name) {
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi table = 0;
  REQUIRE(mdb_env_create(&environment) == 0);
  REQUIRE(mdb_env_set_maxdbs(environment, 1) == 0);
  REQUIRE(mdb_env_open(environment, directory.c_str(), 0, 0600) == 0);
  REQUIRE(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0);
  REQUIRE(mdb_dbi_open(transaction, name, 0, &table) == 0);
  REQUIRE(mdb_drop(transaction, table, 1) == 0);
  REQUIRE(mdb_txn_commit(transaction) == 0);
  mdb_env_close(environment);
}

void erase_meta(const fs::path& directory, std::string_view key) {
  lmdb::Environment(directory, lmdb::Environment::Access::ReadWrite, lmdb::kStateTables, [](auto&) {
  }).write([&](lmdb::Transaction& transaction) { transaction.erase(lmdb::Table::Meta, key); });
}

}  // namespace

TEST_CASE("a state that was cut off is refused with the way out", "[state]") {
  const TempDirectory temp;
  make_state(temp / "las/db");
  const std::string whole = bytes_of(temp / "las/db/data.mdb");
  CHECK(use_state(temp / "las/db", false));
  for (std::size_t length = 2 * kPage; length < whole.size(); length += kPage / 2 - 1) {
    for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
      put_bytes(temp / "las/db/data.mdb", whole.substr(0, length));
      const int status = status_of([&] {
        const Error error = refusal(temp / "las/db", access);
        const bool says_all =
            error.kind() == ErrorKind::CorruptState &&
            error.cause().find("the file ends before its end") != std::string::npos &&
            error.hint() == "put " + (temp / "las/db").string() +
                                " back from a backup, or begin anew with: mv " +
                                (temp / "las").string() + " " + (temp / "las.lost").string();
        return says_all ? 0 : 1;
      });
      CAPTURE(length, access == Access::ReadWrite);
      CHECK(status == 0);
    }
  }
}

TEST_CASE("a state whose making was cut short begins anew, unless generations say that it was more",
          "[state]") {
  for (const std::size_t length : {std::size_t{1}, kPage, 2 * kPage - 1}) {
    CAPTURE(length);
    const TempDirectory temp;
    make_state(temp / "las/db");
    const std::string whole = bytes_of(temp / "las/db/data.mdb");
    put_bytes(temp / "las/db/data.mdb", whole.substr(0, length));
    fs::create_directories(temp / "las/generations");
    const auto open = [&](Access access) {
      return StateStore::open(temp / "las/db", access, temp / "las/generations");
    };
    fs::create_directories(temp / "las/generations/1");
    for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
      try {
        open(access);
        FAIL("it was opened");
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::CorruptState);
        CHECK(error.message() == "the record of what is installed is lost");
      }
    }
    fs::remove(temp / "las/generations/1");
    open(Access::ReadOnly)->read([](const ReadTransaction& t) {
      CHECK(t.generation_numbers().empty());
    });
    open(Access::ReadWrite)->write([](WriteTransaction& t) {
      t.put_service_wish({"a", true, {}});
    });
    CHECK(open(Access::ReadOnly)->check().empty());
  }
}

TEST_CASE("a flipped bit is an error or does not matter, but never the end of the process",
          "[state]") {
  const TempDirectory temp;
  make_state(temp / "db");
  const std::string whole = bytes_of(temp / "db/data.mdb");
  REQUIRE(whole.size() > 10 * kPage);
  int damaged_pages = 0;
  for (std::size_t page = 0; page < whole.size() / kPage; ++page) {
    const int status = status_of([&] {
      bool seen = false;
      for (std::size_t at = 0; at < kPage; at += at < 40 ? 1 : 131) {
        std::string bytes = whole;
        bytes[page * kPage + at] = static_cast<char>(bytes[page * kPage + at] ^ (1 << at % 8));
        put_bytes(temp / "db/data.mdb", bytes);
        const bool writing = at % 11 == 0;  // a write waits for the disk
        seen = !use_state(temp / "db", writing) || seen;
      }
      return seen ? 1 : 0;
    });
    CAPTURE(page, status);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) <= 1);
    damaged_pages += WEXITSTATUS(status);
  }
  // The others are free ones.
  CHECK(damaged_pages > 10);
}

TEST_CASE("what LMDB gives up about is told before the process ends", "[state]") {
  const TempDirectory temp;
  make_state(temp / "db");
  const int status = status_of([&] {
    const LastWords words([&](const Error& error) {
      const bool says_all = error.kind() == ErrorKind::CorruptState &&
                            error.subject() == (temp / "db").string() &&
                            error.cause().find("root > 1") != std::string::npos &&
                            error.hint() == way_out(temp / "db");
      ::_exit(says_all ? 42 : 43);
    });
    const auto store = StateStore::open(temp / "db", Access::ReadOnly);
    // Damaged only after it was looked through: the root of the models' tree becomes page 1.
    std::string bytes = bytes_of(temp / "db/data.mdb");
    constexpr std::size_t kRootInMdbDb = 40;
    for (std::size_t at = 0; (at = bytes.find("models", at)) != std::string::npos; ++at) {
      const std::size_t one = 1;
      std::memcpy(bytes.data() + at + std::strlen("models") + kRootInMdbDb, &one, sizeof one);
    }
    std::fstream file(temp / "db/data.mdb", std::ios::binary | std::ios::in | std::ios::out);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    store->read([](const ReadTransaction& state) { state.models(); });
    return 0;
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 42);
}

TEST_CASE("a state that was never written is refused beside generations that it made", "[state]") {
  const TempDirectory temp;
  const fs::path directory = temp / "db", generations = temp / "generations";
  fs::create_directories(generations / "draft");
  for (const Access access : {Access::ReadOnly, Access::ReadWrite})
    CHECK_NOTHROW(StateStore::open(temp / "other", access, generations));

  fs::create_directory(generations / "3");
  const auto refused = [&] {
    for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
      const Error error = refusal(directory, access, generations);
      CHECK(to_string(error.kind()) == "corrupt-state");
      CHECK(std::string(error.what()) ==
            "the record of what is installed is lost: " + directory.string() + ": " +
                (generations / "3").string() + " is there, but nothing is recorded");
      CHECK(error.hint() == way_out(directory));
    }
  };
  refused();
  CHECK(!fs::exists(directory));
  fs::create_directory(directory);
  put_bytes(directory / "data.mdb", "");
  refused();
  CHECK(fs::file_size(directory / "data.mdb") == 0);
  {
    MDB_env* environment = nullptr;  // made, but no table in it
    REQUIRE(mdb_env_create(&environment) == 0);
    REQUIRE(mdb_env_open(environment, directory.c_str(), 0, 0600) == 0);
    mdb_env_close(environment);
  }
  refused();

  CHECK_NOTHROW(StateStore::open(directory, Access::ReadWrite));
  CHECK_NOTHROW(StateStore::open(directory, Access::ReadOnly, generations));
}

TEST_CASE("a state without one of its first tables is damaged, not new", "[state]") {
  const TempDirectory temp;
  make_state(temp / "db");
  drop_table(temp / "db", "meta");
  for (const Access access : {Access::ReadOnly, Access::ReadWrite})
    CHECK(std::string(refusal(temp / "db", access).what()) ==
          "the state is damaged: " + (temp / "db").string() + ": the table meta is not there");
}

TEST_CASE(
    "generations without the number of the current or highest one are damage, not a new start",
    "[state]") {
  const TempDirectory temp;
  make_state(temp / "db");
  erase_meta(temp / "db", "current_generation");
  erase_meta(temp / "db", "highest_generation");
  const auto store = StateStore::open(temp / "db", Access::ReadWrite);
  CHECK(store->check() == std::vector<RecordFault>{{"meta/highest_generation", "missing"},
                                                   {"meta/current_generation", "missing"}});
  CHECK_THROWS_WITH(store->write([](WriteTransaction& state) { state.next_generation_number(); }),
                    "a record of the state is damaged: meta/highest_generation: missing");
  CHECK_THROWS_WITH(store->read([](const ReadTransaction& state) { state.current(); }),
                    "a record of the state is damaged: meta/current_generation: missing");
}

// ---- A large state is checked as it is read.

namespace {

/// More pages than are checked at once, in tables of several levels.
void make_large_state(const fs::path& directory) {
  make_state(directory);
  StateStore::open(directory, Access::ReadWrite)->write([](WriteTransaction& state) {
    for (int i = 0; i < 1200; ++i) {
      OperationRecord operation =
          full_operation("20261124T" + std::to_string(100000 + i) + "-1a2b3c");
      operation.error.assign(1400, 'e');
      state.put_operation(operation);
    }
  });
}

constexpr const char* kOneOfMany = "20261124T100600-1a2b3c";

/// How reading one of many records ends, and reading all.
struct Outcome {
  bool one = false, all = false;
};

Outcome read_large(const fs::path& directory) {
  Outcome outcome;
  const auto passes = [](const std::function<void()>& body) {
    try {
      body();
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::CorruptState)
        throw;
      return false;
    }
  };
  passes([&] {
    const auto store = StateStore::open(directory, Access::ReadOnly);
    outcome.one = passes([&] {
      store->read([](const ReadTransaction& state) {
        if (!state.operation(kOneOfMany) || !state.last_operation())
          throw Error(ErrorKind::CorruptState, "it is gone");
        state.current();
        state.models();
      });
    });
    outcome.all =
        passes([&] { store->read([](const ReadTransaction& state) { state.operations(); }); }) &&
        store->check().empty();
  });
  return outcome;
}

}  // namespace

TEST_CASE(
    "a large state that is damaged is an error where it is read, never the end of the process",
    "[state]") {
  const TempDirectory temp;
  make_large_state(temp / "db");
  const std::string whole = bytes_of(temp / "db/data.mdb");
  REQUIRE(whole.size() > 600 * kPage);
  const Outcome sound = read_large(temp / "db");
  REQUIRE(sound.one);
  REQUIRE(sound.all);
  int all_damaged = 0, one_damaged = 0;
  const auto try_bytes = [&](const std::string& bytes) {
    put_bytes(temp / "db/data.mdb", bytes);
    const int status = status_of([&] {
      const Outcome outcome = read_large(temp / "db");
      return (outcome.one ? 1 : 0) + (outcome.all ? 2 : 0);
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) <= 3);
    one_damaged += (WEXITSTATUS(status) & 1) == 0 ? 1 : 0;
    all_damaged += (WEXITSTATUS(status) & 2) == 0 ? 1 : 0;
  };
  // The first and the last pages hold what is followed most; of the others some.
  const std::size_t pages = whole.size() / kPage;
  for (std::size_t page = 0; page < pages; page += page < 6 || page + 24 > pages ? 1 : 83) {
    // The number of the page, its kind, its bounds, the first places, the middle.
    for (const std::size_t at : {0U, 10U, 14U, 17U}) {
      std::string bytes = whole;
      bytes[page * kPage + at] = static_cast<char>(bytes[page * kPage + at] ^ 0x41);
      CAPTURE(page, at);
      try_bytes(bytes);
    }
  }
  CHECK(all_damaged > 60);
  CHECK(one_damaged > 3);
  CHECK(one_damaged < all_damaged);
  for (std::size_t length = 2 * kPage; length < whole.size(); length += 101 * kPage + 7) {
    CAPTURE(length);
    try_bytes(whole.substr(0, length));
  }
}
