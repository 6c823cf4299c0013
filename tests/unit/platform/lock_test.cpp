// SPDX-License-Identifier: Apache-2.0
#include "las/platform/lock.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

using namespace las;
using namespace las::platform;
using namespace std::chrono_literals;
using test::error_of;
using test::TempDirectory;
using test::test_activity;

namespace {

const LockOwner kMe{1, "ann", "las list", "2026-11-23T15:00:00Z"};

/// Another process that holds the lock until it is told to go.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& path, bool brief = false) {
    int ready[2] = {-1, -1};
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const LockOwner owner{
          ::getpid(), "root", "las install \"foo\"", "2026-11-23T15:04:05Z", brief};
      const auto lock = FileLock::acquire(path, owner, 0s, test_activity());
      static_cast<void>(::write(ready[1], "r", 1) < 0);
      ::pause();
      ::_exit(0);
    }
    char word = 0;
    ::close(ready[1]);
    REQUIRE(::read(ready[0], &word, 1) == 1);
    ::close(ready[0]);
  }

  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  ~Holder() { kill(); }

  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  std::string description() const {
    return "pid " + std::to_string(pid_) +
           " (las install \"foo\"), by root, since 2026-11-23T15:04:05Z";
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("who holds a lock can be asked without waiting for it", "[platform]") {
  const TempDirectory temp;
  CHECK(!FileLock::holder(temp / "lock"));
  CHECK(!std::filesystem::exists(temp / "lock"));
  Holder other(temp / "lock");
  const auto owner = FileLock::holder(temp / "lock");
  REQUIRE(owner);
  CHECK(owner->command == "las install \"foo\"");
  CHECK(other.description().starts_with("pid " + std::to_string(owner->pid) + " "));
  other.kill();
  CHECK(!FileLock::holder(temp / "lock"));
  CHECK_NOTHROW(FileLock::acquire(temp / "lock", kMe, 0s, test_activity()));
}

TEST_CASE("a free lock is taken and labelled with its owner", "[platform]") {
  const TempDirectory folder;
  const auto lock = FileLock::acquire(folder / "lock", kMe, 0s, test_activity());
  CHECK(
      folder.read("lock") ==
      "{\"pid\":1,\"user\":\"ann\",\"command\":\"las list\",\"since\":\"2026-11-23T15:00:00Z\"}\n");
}

TEST_CASE("a lock given back can be taken again, and names nobody meanwhile", "[platform]") {
  const TempDirectory folder;
  FileLock::acquire(folder / "lock", kMe, 0s, test_activity()).reset();
  CHECK(folder.read("lock").empty());
  CHECK(FileLock::acquire(folder / "lock", kMe, 0s, test_activity()) != nullptr);
}

TEST_CASE("who finds the lock taken is told by whom", "[platform]") {
  const TempDirectory folder;
  const Holder holder(folder / "lock");
  const auto error =
      error_of([&] { return FileLock::acquire(folder / "lock", kMe, 0s, test_activity()); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Busy);
  CHECK(std::string(error->what()) == "another las is running: " + holder.description());
  CHECK(error->hint() == "wait for it, or use --wait=SECONDS");
}

TEST_CASE("a lock dies with its process, even a killed one", "[platform]") {
  const TempDirectory folder;
  Holder holder(folder / "lock");
  holder.kill();
  CHECK(FileLock::acquire(folder / "lock", kMe, 0s, test_activity()) != nullptr);
  CHECK(folder.read("lock").empty());
}

TEST_CASE("who waits is told for whom, and gets the lock when it is free", "[platform]") {
  const TempDirectory folder;
  Holder holder(folder / "lock");
  const std::string expected = "waiting for another las: " + holder.description();
  test::RecordingReporter reporter;
  reporter.on_event = [&](const Event&) { holder.kill(); };
  const Cancellation cancellation;
  const auto lock = FileLock::acquire(folder / "lock", kMe, 600s, {reporter, cancellation});
  CHECK(lock != nullptr);
  CHECK(reporter.messages(Severity::Info) == std::vector<std::string>{expected});
}

TEST_CASE("who does not want to wait waits for a brief owner all the same", "[platform]") {
  const TempDirectory folder;
  Holder holder(folder / "lock", true);
  test::RecordingReporter reporter;
  reporter.on_event = [&](const Event&) { holder.kill(); };
  const Cancellation cancellation;
  CHECK(FileLock::acquire(folder / "lock", kMe, 0s, {reporter, cancellation}) != nullptr);
  CHECK(reporter.messages(Severity::Info).size() == 1);
}

TEST_CASE("waiting for a lock can be stopped", "[platform]") {
  const TempDirectory folder;
  const Holder holder(folder / "lock");
  Cancellation cancellation;
  test::RecordingReporter reporter;
  reporter.on_event = [&](const Event&) { cancellation.request(SIGINT); };
  const auto error = error_of([&] {
    return FileLock::acquire(folder / "lock", kMe, 600s, {reporter, cancellation});
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Interrupted);
}

TEST_CASE("waiting for a lock ends with its time", "[platform]") {
  const TempDirectory folder;
  const Holder holder(folder / "lock");
  test::RecordingReporter reporter;
  const Cancellation cancellation;
  const auto error = error_of([&] {
    return FileLock::acquire(folder / "lock", kMe, 1s, {reporter, cancellation});
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Busy);
  CHECK(reporter.messages(Severity::Info).size() == 1);
}

TEST_CASE("a label that cannot be read does not hide that the lock is taken", "[platform]") {
  for (const std::string label : {"", "not json", "[]", "{\"pid\":\"text\"}"}) {
    CAPTURE(label);
    const TempDirectory folder;
    const auto lock = FileLock::acquire(folder / "lock", kMe, 0s, test_activity());
    folder.write("lock", label);
    const auto error =
        error_of([&] { return FileLock::acquire(folder / "lock", kMe, 0s, test_activity()); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Busy);
    CHECK(std::string(error->what()) == "another las is running");
  }
}

TEST_CASE("a command line that is no UTF-8 is labelled all the same", "[platform]") {
  const TempDirectory folder;
  const LockOwner odd{1, "ann", "las \xff", "2026-11-23T15:00:00Z"};
  const auto lock = FileLock::acquire(folder / "lock", odd, 0s, test_activity());
  CHECK(folder.read("lock").find("\"command\":\"las \xef\xbf\xbd\"") != std::string::npos);
}

TEST_CASE("a lock file is not reached through a link", "[platform]") {
  const TempDirectory folder;
  folder.write("victim", "untouched");
  std::filesystem::create_symlink("victim", folder / "lock");
  const auto error =
      error_of([&] { return FileLock::acquire(folder / "lock", kMe, 0s, test_activity()); });
  REQUIRE(error);
  CHECK(error->message() == "cannot open the lock file");
  CHECK(folder.read("victim") == "untouched");
}
