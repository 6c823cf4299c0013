// SPDX-License-Identifier: Apache-2.0
#include "log_file.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/manual_clock.hpp"
#include "support/temp_directory.hpp"

#include <csignal>
#include <deque>
#include <fstream>
#include <functional>

using namespace las;
using namespace las::service;
using Lines = std::vector<std::string>;

namespace {

/// A log, and things that happen to it one by one while somebody waits for more.
struct Reading {
  Reading() {
    clock.on_wait = [this] {
      if (events.empty()) {
        cancellation.request(SIGINT);
        return;
      }
      const auto event = events.front();
      events.pop_front();
      event();
    };
  }

  void append(const std::string& text) const {
    std::ofstream(log(), std::ios::app | std::ios::binary) << text;
  }

  std::filesystem::path log() const { return directory / "x.log"; }

  Lines read(const LogQuery& query) {
    Lines lines;
    read_log_file(
        *files,
        clock,
        log(),
        query,
        [&](const std::string& line) { lines.push_back(line); },
        Activity{reporter, cancellation});
    return lines;
  }

  /// What comes until somebody stops it after the last event.
  Lines follow(LogQuery query = {}) {
    query.follow = true;
    Lines lines;
    const auto error = test::error_of([&] {
      read_log_file(
          *files,
          clock,
          log(),
          query,
          [&](const std::string& line) { lines.push_back(line); },
          Activity{reporter, cancellation});
      return 0;
    });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Interrupted);
    return lines;
  }

  test::TempDirectory directory;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  test::ManualClock clock;
  std::deque<std::function<void()>> events;
  NullReporter reporter;
  Cancellation cancellation;
};

LogQuery query(std::size_t lines, const std::string& grep = {}) {
  LogQuery wanted;
  wanted.lines = lines;
  wanted.grep = grep;
  return wanted;
}

}  // namespace

TEST_CASE("a log beyond its limit is moved aside, and three old ones are kept", "[service]") {
  const test::TempDirectory directory;
  const auto files = platform::make_posix_file_system();
  const auto log = directory / "x.log";
  for (const char* text : {"first", "second", "third", "fourth", "fifth"}) {
    std::ofstream(log, std::ios::app) << text;
    rotate_log(*files, log, ByteSize(4));
  }
  CHECK(files->list_directory(directory.path()) ==
        std::vector<std::string>{"x.log.1", "x.log.2", "x.log.3"});
  CHECK(directory.read("x.log.1") == "fifth");
  CHECK(directory.read("x.log.3") == "third");
  std::ofstream(log) << "tiny";
  rotate_log(*files, log, ByteSize(4));
  CHECK(directory.read("x.log") == "tiny");
}

TEST_CASE("the last lines of a log are read from its end", "[service]") {
  const test::TempDirectory directory;
  CHECK(last_lines(directory / "absent.log", 5).empty());
  const auto log = directory.write("x.log", "one\ntwo\nthree");
  CHECK(last_lines(log, 2) == std::vector<std::string>{"two", "three"});
  CHECK(last_lines(log, 9) == std::vector<std::string>{"one", "two", "three"});
  const auto large = directory.write("y.log", std::string(std::size_t{5} << 20U, 'x') + "\nend\n");
  CHECK(last_lines(large, 1) == std::vector<std::string>{"end"});
}

TEST_CASE("a log is read from its end, as many lines as are asked for", "[service]") {
  Reading reading;
  CHECK(reading.read(query(5)).empty());
  reading.append("one\ntwo\nthree\n");
  CHECK(reading.read(query(2)) == Lines{"two", "three"});
  CHECK(reading.read(query(9)) == Lines{"one", "two", "three"});
  CHECK(reading.read(query(0)).empty());
  CHECK(reading.clock.waits.empty());
}

TEST_CASE("only lines that the regular expression matches are counted and told", "[service]") {
  Reading reading;
  reading.append("GET /a 200\nwarning: slow\nGET /b 404\nGET /c 500\n");
  CHECK(reading.read(query(2, "GET .* (2|5)[0-9]+$")) == Lines{"GET /a 200", "GET /c 500"});
  CHECK(reading.read(query(1, "^GET")) == Lines{"GET /c 500"});
  CHECK(reading.read(query(9, "nothing")).empty());
}

TEST_CASE("what is no regular expression is a fault of whoever typed it", "[service]") {
  Reading reading;
  reading.append("one\n");
  for (const char* wrong : {"(", "[a", "*", "a{2"}) {
    INFO(wrong);
    const auto error = test::error_of([&] { return reading.read(query(1, wrong)); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Usage);
    CHECK(std::string(error->what()) == std::string("not a regular expression: ") + wrong);
  }
}

TEST_CASE("following tells what comes, whole lines only", "[service]") {
  Reading reading;
  reading.append("one\n");
  reading.events = {[&] { reading.append("two\nthr"); },
                    [&] { reading.append("ee"); },
                    [&] { reading.append("\nfour\n"); }};
  CHECK(reading.follow() == Lines{"one", "two", "three", "four"});
}

TEST_CASE("following keeps to the regular expression", "[service]") {
  Reading reading;
  reading.append("a 1\nb 1\n");
  reading.events = {[&] { reading.append("a 2\nb 2\na 3\n"); }};
  CHECK(reading.follow(query(9, "^a")) == Lines{"a 1", "a 2", "a 3"});
}

TEST_CASE("following goes on in the new file when the log is moved aside", "[service]") {
  Reading reading;
  reading.append("old\n");
  reading.events = {[&] {
                      rotate_log(*reading.files, reading.log(), ByteSize(1));
                      reading.append("new and longer than the old one\n");
                    },
                    [&] { reading.append("more\n"); }};
  CHECK(reading.follow() == Lines{"old", "new and longer than the old one", "more"});
}

TEST_CASE("following goes on from the beginning of a log that was cut short", "[service]") {
  Reading reading;
  reading.append("a long line of the past\n");
  reading.events = {[&] { std::filesystem::resize_file(reading.log(), 0); },
                    [&] { reading.append("new\n"); }};
  CHECK(reading.follow() == Lines{"a long line of the past", "new"});
}

TEST_CASE("a log that is not there yet, or not for a while, is waited for", "[service]") {
  Reading reading;
  reading.events = {[&] { reading.append("first\n"); },
                    [&] { std::filesystem::rename(reading.log(), reading.directory / "away"); },
                    [&] { reading.append("second\n"); }};
  CHECK(reading.follow() == Lines{"first", "second"});
}

TEST_CASE("a line that is half written when following begins is told once, whole", "[service]") {
  Reading reading;
  reading.append("one\ntw");
  reading.events = {[&] { reading.append("o\nthree\n"); }};
  CHECK(reading.follow() == Lines{"one", "two", "three"});
}

TEST_CASE("a request to stop ends the following", "[service]") {
  Reading reading;
  reading.append("one\n");
  reading.cancellation.request(SIGINT);
  CHECK(reading.follow() == Lines{"one"});
  CHECK(reading.clock.waits.empty());
}
