// SPDX-License-Identifier: Apache-2.0
// The state shared by processes: each child opens its own environment, as LMDB demands.
#include "full_records.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/state/store.hpp"

#include <csignal>
#include <functional>

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace las;
using namespace las::state;
using namespace las::test;
using Access = StateStore::Access;
namespace fs = std::filesystem;

namespace {

/// A forked child; its exit status says which of its expectations failed (0: none).
class Child {
 public:
  explicit Child(const std::function<int()>& body) : pid_(::fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ != 0)
      return;
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    ::_exit(status);
  }

  /// The wait status.
  int wait() const {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    return status;
  }

 private:
  pid_t pid_;
};

/// One process waits until the other has come to a point.
class Gate {
 public:
  Gate() { REQUIRE(::pipe(ends_) == 0); }

  void open() const { (void)!::write(ends_[1], "x", 1); }

  /// False when the other process never comes there.
  bool pass() const {
    constexpr int kFarTooLongMs = 60'000;
    pollfd ready{ends_[0], POLLIN, 0};
    char byte = 0;
    return ::poll(&ready, 1, kFarTooLongMs) == 1 && ::read(ends_[0], &byte, 1) == 1;
  }

 private:
  int ends_[2] = {-1, -1};
};

void put_model(StateStore& store, const std::string& name, std::size_t note_size = 14) {
  store.write([&](WriteTransaction& state) {
    ModelRecord model = full_model(name);
    model.note.resize(note_size, 'x');
    state.put_model(model);
  });
}

std::size_t count_models(const StateStore& store) {
  std::size_t count = 0;
  store.read([&](const ReadTransaction& state) { count = state.models().size(); });
  return count;
}

}  // namespace

TEST_CASE("kill -9 in the middle of a write leaves the old state and blocks nobody", "[state]") {
  const TempDirectory temp;
  put_model(*StateStore::open(temp / "db", Access::ReadWrite), "old");

  const Child child([&] {
    const auto store = StateStore::open(temp / "db", Access::ReadWrite);
    store->write([](WriteTransaction& state) {
      state.erase_model("old");
      for (int i = 0; i < 1000; ++i)
        state.put_model(full_model("new-" + std::to_string(i)));
      state.put_generation(full_generation(1));
      state.set_current_generation(1);
      ::kill(::getpid(), SIGKILL);
    });
    return 1;
  });
  const int status = child.wait();
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);

  const auto store = StateStore::open(temp / "db", Access::ReadWrite);
  store->read([](const ReadTransaction& state) {
    CHECK(state.models() == std::vector<ModelRecord>{full_model("old")});
    CHECK(state.current_generation() == 0);
    CHECK(state.generation_numbers().empty());
  });
  CHECK(store->check().empty());
  put_model(*store, "next");
  CHECK(count_models(*store) == 2);
}

TEST_CASE("a process sees what another wrote beyond the map it knew", "[state]") {
  const TempDirectory temp;
  const Gate opened, written;
  StateStore::open(temp / "db", Access::ReadWrite);

  const Child child([&] {
    const auto store = StateStore::open(temp / "db", Access::ReadOnly);
    if (count_models(*store) != 0)
      return 1;
    opened.open();
    if (!written.pass())
      return 2;
    return count_models(*store) == 5 ? 0 : 3;
  });
  REQUIRE(opened.pass());
  {
    const auto store = StateStore::open(temp / "db", Access::ReadWrite);
    for (int i = 0; i < 5; ++i)
      put_model(*store, "model-" + std::to_string(i), 1 << 18);
  }
  written.open();
  CHECK(child.wait() == 0);
}

TEST_CASE("a writer follows the map that another writer made larger", "[state]") {
  const TempDirectory temp;
  const Gate opened, written;
  StateStore::open(temp / "db", Access::ReadWrite);

  const Child child([&] {
    const auto store = StateStore::open(temp / "db", Access::ReadWrite);
    put_model(*store, "child-first");
    opened.open();
    if (!written.pass())
      return 1;
    put_model(*store, "child-last", 4 << 18);
    return count_models(*store) == 7 ? 0 : 2;
  });
  REQUIRE(opened.pass());
  {
    const auto store = StateStore::open(temp / "db", Access::ReadWrite);
    for (int i = 0; i < 5; ++i)
      put_model(*store, "model-" + std::to_string(i), 1 << 18);
  }
  written.open();
  CHECK(child.wait() == 0);
}

TEST_CASE("a user who may not write the lock file reads, and reads again when overtaken",
          "[state]") {
  const TempDirectory temp;
  const Gate reading, written;
  const auto directory = temp / "db";
  put_model(*StateStore::open(directory, Access::ReadWrite), "old");
  REQUIRE(::chmod(temp.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((directory / "lock.mdb").c_str(), 0444) == 0);

  const Child child([&] {
    if (::geteuid() == 0 && (::setegid(65534) != 0 || ::seteuid(65534) != 0))
      return 1;
    const auto store = StateStore::open(directory, Access::ReadOnly);
    int runs = 0;
    std::size_t seen = 0;
    store->read([&](const ReadTransaction& state) {
      if (++runs == 1) {
        reading.open();
        written.pass();
        return;
      }
      seen = state.models().size();
    });
    return runs == 2 && seen == 4 ? 0 : 2;
  });
  REQUIRE(reading.pass());
  REQUIRE(::chmod((directory / "lock.mdb").c_str(), 0644) == 0);
  {
    const auto store = StateStore::open(directory, Access::ReadWrite);
    for (const char* name : {"a", "b", "c"})
      put_model(*store, name);
  }
  written.open();
  CHECK(child.wait() == 0);
}
