// SPDX-License-Identifier: Apache-2.0
#include "las/platform/process.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/base/text.hpp"

#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace las;
using namespace las::platform;
using namespace std::chrono_literals;
using test::error_of;
using test::TempDirectory;
using test::test_activity;

namespace {

const std::map<std::string, std::string> kEnvironment = {{"PATH", "/usr/bin:/bin"}};

Command command(std::vector<std::string> argv) {
  Command result;
  result.argv = std::move(argv);
  result.environment = kEnvironment;
  return result;
}

Command shell(const std::string& script) {
  return command({"sh", "-c", script});
}

DetachedCommand detached(std::vector<std::string> argv, const std::filesystem::path& log) {
  DetachedCommand result;
  result.argv = std::move(argv);
  result.environment = kEnvironment;
  result.log_file = log;
  return result;
}

/// A stop request that the test makes.
struct Stoppable {
  NullReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
};

bool has_children() {
  return ::waitpid(-1, nullptr, WNOHANG) >= 0;
}

}  // namespace

TEST_CASE("a program's status and both outputs come back", "[platform]") {
  const auto runner = make_posix_process_runner();
  const ProcessResult result =
      runner->run(shell("echo out; echo err >&2; exit 3"), test_activity());
  CHECK(result.status == 3);
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  CHECK_FALSE(result.ok());
  CHECK(runner->run(command({"true"}), test_activity()).ok());
}

TEST_CASE("a program that a signal ended has status 128 and the signal", "[platform]") {
  const auto runner = make_posix_process_runner();
  CHECK(runner->run(shell("kill -9 $$"), test_activity()).status == 128 + SIGKILL);
}

TEST_CASE("arguments reach the program as they are", "[platform]") {
  const auto runner = make_posix_process_runner();
  const auto result =
      runner->run(command({"printf", "%s|", "a b", "$HOME;", "", "*"}), test_activity());
  CHECK(result.out == "a b|$HOME;||*|");
}

TEST_CASE("a program that does not exist is named", "[platform]") {
  const auto runner = make_posix_process_runner();
  for (const char* program : {"no-such-program", "/no/such/program"}) {
    CAPTURE(program);
    const auto error = error_of([&] { return runner->run(command({program}), test_activity()); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::NotFound);
    CHECK(std::string(error->what()) == std::string("the program does not exist: ") + program);
  }
  CHECK_FALSE(has_children());
}

TEST_CASE("a file that is no program is an error of its own", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  const auto path = folder.write("text", "no program");
  const auto error = error_of([&] { return runner->run(command({path}), test_activity()); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Permission);
  CHECK(error->subject() == path);
  CHECK_FALSE(has_children());
}

TEST_CASE("programs are looked up in the child's PATH", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  const auto path = folder.write("tool", "#!/bin/sh\necho found\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  Command tool = command({"tool"});
  CHECK(error_of([&] { return runner->run(tool, test_activity()); }));
  tool.environment["PATH"] = folder.path().string();
  CHECK(runner->run(tool, test_activity()).out == "found\n");
  Command without = command({"true"});
  without.environment.clear();
  CHECK(runner->run(without, test_activity()).ok());
}

TEST_CASE("the child's environment is exactly the one given", "[platform]") {
  const auto runner = make_posix_process_runner();
  Command printer = command({"/usr/bin/env"});
  printer.environment = {{"A", "1"}, {"B", "x=y z"}};
  CHECK(runner->run(printer, test_activity()).out == "A=1\nB=x=y z\n");
}

TEST_CASE("the child works in the folder given", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  Command here = command({"pwd"});
  here.working_directory = folder.path();
  CHECK(runner->run(here, test_activity()).out == folder.path().string() + "\n");

  here.working_directory = folder / "absent";
  const auto error = error_of([&] { return runner->run(here, test_activity()); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::NotFound);
  CHECK(error->message() == "cannot enter the working directory of a program");
  CHECK(error->subject() == folder / "absent");
}

TEST_CASE("standard input is what is given, or nothing", "[platform]") {
  const auto runner = make_posix_process_runner();
  CHECK(runner->run(command({"cat"}), test_activity()).out.empty());
  Command reader = command({"cat"});
  reader.input = std::string(300'000, 'x') + "end";
  CHECK(runner->run(reader, test_activity()).out == reader.input);
  Command ignorant = command({"true"});
  ignorant.input = std::string(3'000'000, 'x');
  CHECK(runner->run(ignorant, test_activity()).ok());
}

TEST_CASE("much output on both pipes blocks nobody, and its end is kept", "[platform]") {
  const auto runner = make_posix_process_runner();
  const ProcessResult result = runner->run(
      shell("head -c 3000000 /dev/zero | tr '\\0' e >&2; head -c 3000000 /dev/zero | tr '\\0' o;"
            "printf END >&2; printf FIN"),
      test_activity());
  REQUIRE(result.ok());
  CHECK(result.out == std::string((1U << 20U) - 3, 'o') + "FIN");
  CHECK(result.err == std::string((1U << 20U) - 3, 'e') + "END");
}

TEST_CASE("lines are seen as they come, the last one without its end too", "[platform]") {
  const auto runner = make_posix_process_runner();
  std::vector<std::string> lines;
  const auto result = runner->run(shell("printf 'one\\r\\n\\ntwo\\nthree'"),
                                  test_activity(),
                                  std::nullopt,
                                  [&](std::string_view line) { lines.emplace_back(line); });
  CHECK(lines == std::vector<std::string>{"one", "", "two", "three"});
  CHECK(result.out == "one\r\n\ntwo\nthree");
}

TEST_CASE("a line is seen while the program still runs", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  const std::string go = folder / "go";
  REQUIRE(::mkfifo(go.c_str(), 0600) == 0);
  // The program ends only after the callback has answered its first line.
  const auto result = runner->run(shell("echo ready; read -r word < '" + go + "'; echo \"$word\""),
                                  test_activity(),
                                  std::nullopt,
                                  [&](std::string_view line) {
                                    if (line != "ready")
                                      return;
                                    const int fifo = ::open(go.c_str(), O_WRONLY | O_CLOEXEC);
                                    REQUIRE(::write(fifo, "answer\n", 7) == 7);
                                    ::close(fifo);
                                  });
  CHECK(result.out == "ready\nanswer\n");
}

TEST_CASE("a stop request ends the whole process group", "[platform]") {
  const auto runner = make_posix_process_runner();
  Stoppable stoppable;
  std::optional<ProcessIdentity> grandchild;
  const auto error = error_of([&] {
    return runner->run(shell("sleep 1000 & echo $!; wait"),
                       stoppable.activity,
                       std::nullopt,
                       [&](std::string_view line) {
                         grandchild = runner->identify(std::stoi(std::string(line)));
                         stoppable.cancellation.request(SIGINT);
                       });
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Interrupted);
  REQUIRE(grandchild);
  CHECK(runner->wait_gone(*grandchild, 60s));
  CHECK_FALSE(has_children());
}

TEST_CASE("a program that ignores the request to end is killed", "[platform]") {
  const auto runner = make_posix_process_runner(50ms);
  Stoppable stoppable;
  std::optional<ProcessIdentity> child;
  const auto error = error_of([&] {
    return runner->run(shell("trap '' TERM; echo $$; while :; do sleep 1000; done"),
                       stoppable.activity,
                       std::nullopt,
                       [&](std::string_view line) {
                         child = runner->identify(std::stoi(std::string(line)));
                         stoppable.cancellation.request(SIGTERM);
                       });
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Interrupted);
  REQUIRE(child);
  CHECK_FALSE(runner->alive(*child));
}

TEST_CASE("a program asked to end may clean up first", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner(60s);
  Stoppable stoppable;
  const std::string mark = folder / "cleaned";
  CHECK(error_of([&] {
    return runner->run(
        shell("trap 'echo yes > \"" + mark + "\"; exit 0' TERM; echo ready; while :; do :; done"),
        stoppable.activity,
        std::nullopt,
        [&](std::string_view) { stoppable.cancellation.request(SIGTERM); });
  }));
  CHECK(folder.read("cleaned") == "yes\n");
}

TEST_CASE("the other members of the group may clean up as well", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner(60s);
  Stoppable stoppable;
  const std::string mark = folder / "cleaned";
  CHECK(error_of([&] {
    return runner->run(shell("(trap 'echo yes > \"" + mark +
                             "\"; exit 0' TERM; echo ready; while :; do :; done) & wait"),
                       stoppable.activity,
                       std::nullopt,
                       [&](std::string_view) { stoppable.cancellation.request(SIGTERM); });
  }));
  CHECK(folder.read("cleaned") == "yes\n");
}

TEST_CASE("a time-out ends the whole process group", "[platform]") {
  const auto runner = make_posix_process_runner();
  std::optional<ProcessIdentity> grandchild;
  std::optional<Error> error;
  // On a machine too busy to start the program within the time, it gets more.
  std::chrono::milliseconds timeout = 125ms;
  while (!grandchild) {
    timeout *= 2;
    error = error_of([&] {
      return runner->run(shell("sleep 1000 & echo $!; wait"),
                         test_activity(),
                         timeout,
                         [&](std::string_view line) {
                           grandchild = runner->identify(std::stoi(std::string(line)));
                         });
    });
    REQUIRE(error);
  }
  CHECK(error->kind() == ErrorKind::Io);
  CHECK(error->message() == "the program did not finish in time");
  CHECK(error->subject() == "sh");
  CHECK(error->cause().starts_with("stopped after "));
  CHECK(runner->wait_gone(*grandchild, 60s));
  CHECK_FALSE(has_children());
}

TEST_CASE("after a stop request no program is started", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  Stoppable stoppable;
  stoppable.cancellation.request(SIGINT);
  const auto error = error_of([&] {
    return runner->run(command({"touch", folder / "x"}), stoppable.activity);
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Interrupted);
  CHECK_FALSE(std::filesystem::exists(folder / "x"));
}

TEST_CASE("an error of the reader of lines ends the program", "[platform]") {
  const auto runner = make_posix_process_runner();
  std::optional<ProcessIdentity> child;
  const auto error = error_of([&] {
    return runner->run(shell("echo $$; exec sleep 1000"),
                       test_activity(),
                       std::nullopt,
                       [&](std::string_view line) {
                         child = runner->identify(std::stoi(std::string(line)));
                         throw Error(ErrorKind::InvalidData, "cannot understand this line");
                       });
  });
  REQUIRE(error);
  CHECK(error->message() == "cannot understand this line");
  REQUIRE(child);
  CHECK_FALSE(runner->alive(*child));
  CHECK_FALSE(has_children());
}

TEST_CASE("a background process that holds the pipes is not waited for", "[platform]") {
  const auto runner = make_posix_process_runner();
  const auto result = runner->run(shell("sleep 1000 & echo $!"), test_activity());
  CHECK(result.ok());
  const int background = std::stoi(result.out);
  const auto identity = runner->identify(background);
  REQUIRE(identity);
  ::kill(background, SIGKILL);
  CHECK(runner->wait_gone(*identity, 60s));
}

TEST_CASE("a child inherits no descriptors", "[platform]") {
  const auto runner = make_posix_process_runner();
  const int leaky = ::open("/dev/null", O_RDONLY);  // NOLINT(android-cloexec-open): on purpose
  REQUIRE(leaky > 2);
  const int high = ::fcntl(leaky, F_DUPFD, 500);
  const auto result = runner->run(command({"ls", "/proc/self/fd"}), test_activity());
  ::close(leaky);
  ::close(high);
  CHECK(result.out == "0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

TEST_CASE("a child has its own session, and no signal settings of ours", "[platform]") {
  const auto runner = make_posix_process_runner();
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const auto status = runner->run(command({"cat", "/proc/self/status"}), test_activity()).out;
  const auto stat = runner->run(command({"cat", "/proc/self/stat"}), test_activity()).out;
  std::signal(SIGPIPE, before);
  CHECK(status.find("SigIgn:\t0000000000000000\n") != std::string::npos);
  CHECK(status.find("SigBlk:\t0000000000000000\n") != std::string::npos);
  const auto fields = text::split(stat, ' ');
  CHECK(fields.at(4) == fields.at(0));  // process group
  CHECK(fields.at(5) == fields.at(0));  // session
}

TEST_CASE("a detached process runs on, as nobody's zombie", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  folder.write("log", "before\n");
  const ProcessIdentity process = runner->spawn_detached(
      detached({"sh", "-c", "echo started; echo problem >&2; exec sleep 1000"}, folder / "log"));
  CHECK(runner->alive(process));
  CHECK(runner->identify(process.pid) == process);
  CHECK(::getpgid(process.pid) == process.pid);
  CHECK(::getsid(process.pid) == process.pid);
  CHECK_FALSE(has_children());
  CHECK_FALSE(runner->wait_gone(process, 0ms));

  runner->signal_group(process, SIGTERM);
  CHECK(runner->wait_gone(process, 60s));
  CHECK_FALSE(runner->alive(process));
  runner->signal_group(process, SIGTERM);  // gone already is fine
}

TEST_CASE("a detached process writes both outputs to the end of its log", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  folder.write("log", "before\n");
  const auto process = runner->spawn_detached(
      detached({"sh", "-c", "echo out; echo err >&2; cat; ls /proc/self/fd"}, folder / "log"));
  REQUIRE(runner->wait_gone(process, 60s));
  CHECK(folder.read("log") == "before\nout\nerr\n0\n1\n2\n3\n");
}

TEST_CASE("a detached process that cannot start is an error now, not later", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  auto error = error_of(
      [&] { return runner->spawn_detached(detached({"/no/such/program"}, folder / "log")); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::NotFound);
  CHECK(std::string(error->what()) == "the program does not exist: /no/such/program");

  DetachedCommand misplaced = detached({"true"}, folder / "log");
  misplaced.working_directory = folder / "absent";
  error = error_of([&] { return runner->spawn_detached(misplaced); });
  REQUIRE(error);
  CHECK(error->message() == "cannot enter the working directory of a program");

  error = error_of([&] { return runner->spawn_detached(detached({"true"}, folder / "a/log")); });
  REQUIRE(error);
  CHECK(error->message() == "cannot open the log file");
  CHECK_FALSE(has_children());
}

TEST_CASE("a detached process has the OOM score asked for", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  DetachedCommand printer = detached({"cat", "/proc/self/oom_score_adj"}, folder / "log");
  printer.oom_score_adjust = 500;
  REQUIRE(runner->wait_gone(runner->spawn_detached(printer), 60s));
  CHECK(folder.read("log") == "500\n");
}

TEST_CASE("a signal reaches the whole group, and its rest after the leader has gone",
          "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  const std::string fifo = folder / "pid";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const auto leader = runner->spawn_detached(
      detached({"sh", "-c", "sleep 1000 & echo $! > '" + fifo + "'"}, folder / "log"));
  const int member = std::stoi(folder.read("pid"));
  const auto identity = runner->identify(member);
  REQUIRE(identity);
  REQUIRE(runner->wait_gone(leader, 60s));
  CHECK(runner->alive(*identity));
  runner->signal_group(leader, SIGKILL);
  CHECK(runner->wait_gone(*identity, 60s));
}

TEST_CASE("another process under a recycled number is not taken for it", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  const auto process = runner->spawn_detached(detached({"sleep", "1000"}, folder / "log"));
  const ProcessIdentity earlier{process.pid, process.start_time - 1};
  CHECK_FALSE(runner->alive(earlier));
  CHECK(runner->wait_gone(earlier, 0ms));
  runner->signal_group(earlier, SIGKILL);
  CHECK_FALSE(runner->wait_gone(process, 20ms));
  runner->signal_group(process, SIGKILL);
  CHECK(runner->wait_gone(process, 60s));
}

TEST_CASE("a signal is never sent to everybody", "[platform]") {
  const auto runner = make_posix_process_runner();
  // kill(-1) and kill(0) would end this test.
  runner->signal_group({0, 0}, SIGKILL);
  runner->signal_group({1, 0}, SIGKILL);
  runner->signal_group({-1, 0}, SIGKILL);
  CHECK_FALSE(runner->alive({0, 0}));
  CHECK(runner->identify(0) == std::nullopt);
  CHECK(runner->identify(-5) == std::nullopt);
}

TEST_CASE("a zombie does not run", "[platform]") {
  const auto runner = make_posix_process_runner();
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto identity = runner->identify(child);
  REQUIRE(identity);
  CHECK(runner->alive(*identity));
  ::kill(child, SIGKILL);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(runner->alive(*identity));
  CHECK(runner->identify(child) == std::nullopt);
  CHECK(runner->wait_gone(*identity, 0ms));
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("a program's name cannot confuse its identity", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  const std::string hostile = folder / "x) Z 1 (";
  std::filesystem::copy_file("/bin/sleep", hostile);
  const auto process = runner->spawn_detached(detached({hostile, "1000"}, folder / "log"));
  CHECK(runner->alive(process));
  CHECK(runner->identify(process.pid) == process);
  runner->signal_group(process, SIGKILL);
  CHECK(runner->wait_gone(process, 60s));
}

TEST_CASE("a program is found in absolute folders only, and if it may run", "[platform]") {
  const TempDirectory folder;
  const auto runner = make_posix_process_runner();
  folder.write("one/tool", "");
  const auto tool = folder.write("two/tool", "");
  std::filesystem::permissions(tool, std::filesystem::perms::owner_all);
  std::filesystem::create_directories(folder / "zero/tool");
  const std::string base = folder.path();
  const std::string path = ":.:relative:" + base + "/zero:" + base + "/one:" + base + "/two";
  CHECK(runner->find_program("tool", path) == tool);
  CHECK(runner->find_program(tool.string(), "") == tool);
  CHECK(runner->find_program("other", path) == std::nullopt);
  CHECK(runner->find_program("", path) == std::nullopt);
  CHECK(runner->find_program(base + "/one/tool", path) == std::nullopt);
}
