// SPDX-License-Identifier: Apache-2.0
#include "las/platform/environment.hpp"

#include "support/catch.hpp"
#include "support/manual_clock.hpp"

#include <stdlib.h>
#include <unistd.h>

using namespace las::platform;
using std::chrono::system_clock;

namespace {

system_clock::time_point at(std::int64_t seconds) {
  return system_clock::time_point(std::chrono::seconds(seconds));
}

}  // namespace

TEST_CASE("the environment says who runs what on which boot", "[platform]") {
  const std::string variable = "LAS_TEST_" + std::to_string(::getpid());
  ::setenv(variable.c_str(), "a=b", 1);
  const Environment environment = read_environment();
  ::unsetenv(variable.c_str());

  CHECK(environment.get(variable) == "a=b");
  CHECK(environment.uid == ::geteuid());
  CHECK(environment.boot_id.size() == 36);
  CHECK_FALSE(environment.user.empty());
  CHECK_FALSE(environment.host_name.empty());
  CHECK(environment.executable.starts_with('/'));
  CHECK(environment.executable.ends_with("unit_platform"));
}

TEST_CASE("HOME wins over the account's home folder", "[platform]") {
  const char* before = ::getenv("HOME");
  const std::string saved = before != nullptr ? before : "";
  ::setenv("HOME", "/somewhere/else", 1);
  const Environment environment = read_environment();
  if (before != nullptr)
    ::setenv("HOME", saved.c_str(), 1);
  else
    ::unsetenv("HOME");
  CHECK(environment.home == "/somewhere/else");
}

TEST_CASE("an empty variable counts as unset", "[platform]") {
  Environment environment;
  environment.variables = {{"EMPTY", ""}, {"SET", "x"}};
  CHECK(environment.get("EMPTY") == std::nullopt);
  CHECK(environment.get("MISSING") == std::nullopt);
  CHECK(environment.get("SET") == "x");
}

TEST_CASE("a day ends at midnight of the local time, also where the clocks change", "[platform]") {
  const auto end_in = [](const char* zone, const std::string& date) {
    const char* before = ::getenv("TZ");
    const std::string saved = before != nullptr ? before : "";
    ::setenv("TZ", zone, 1);
    ::tzset();
    const auto end = end_of_local_day(date);
    if (before != nullptr)
      ::setenv("TZ", saved.c_str(), 1);
    else
      ::unsetenv("TZ");
    ::tzset();
    return end ? to_iso8601(*end) : std::string("no date");
  };
  // Rules spelled out, so that no time zone data is needed.
  const char* const kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
  CHECK(end_in("UTC0", "2026-12-31") == "2027-01-01T00:00:00Z");
  CHECK(end_in(kBerlin, "2026-12-31") == "2026-12-31T23:00:00Z");
  CHECK(end_in(kBerlin, "2026-03-29") == "2026-03-29T22:00:00Z");
  CHECK(end_in("UTC0", "2028-02-29") == "2028-03-01T00:00:00Z");
  CHECK(end_in("UTC0", "2999-12-31") == "2262-04-11T23:47:16Z");
  for (const char* wrong : {"", "2026", "2026-02-30", "2026-13-01", "31.12.2026", "2026-12-31 "})
    CHECK(end_in("UTC0", wrong) == "no date");
}

TEST_CASE("a time is written as ISO 8601 in UTC and read back", "[platform]") {
  CHECK(to_iso8601(at(0)) == "1970-01-01T00:00:00Z");
  CHECK(to_iso8601(at(1'795'446'245)) == "2026-11-23T15:04:05Z");
  CHECK(to_iso8601(at(-1)) == "1969-12-31T23:59:59Z");
  CHECK(to_iso8601(at(5) + std::chrono::milliseconds(999)) == "1970-01-01T00:00:05Z");
  CHECK(from_iso8601("2026-11-23T15:04:05Z") == at(1'795'446'245));
  CHECK(from_iso8601("2024-02-29T00:00:00Z") == at(1'709'164'800));
}

TEST_CASE("times of other writers are read with their fraction and offset", "[platform]") {
  CHECK(from_iso8601("2026-11-23T17:04:05.123456+02:00") == at(1'795'446'245));
  CHECK(from_iso8601("2026-11-23T10:34:05-04:30") == at(1'795'446'245));
  CHECK(from_iso8601("2026-11-23 15:04:05Z") == at(1'795'446'245));
}

TEST_CASE("what is no time is not read as one", "[platform]") {
  for (const char* text : {"",
                           "2026-11-23",
                           "2026-11-23T15:04:05",
                           "2026-13-23T15:04:05Z",
                           "2026-02-29T15:04:05Z",
                           "2026-11-23T24:04:05Z",
                           "2026-11-23T15:60:05Z",
                           "2026-11-23T15:04:5Z",
                           "2026-11-23T15:04:05.Z",
                           "2026-11-23T15:04:05Zx",
                           "2026-11-23T15:04:05+0200",
                           "+026-11-23T15:04:05Z"}) {
    CAPTURE(text);
    CHECK(from_iso8601(text) == std::nullopt);
  }
}

TEST_CASE("operation ids sort by time and differ within a second", "[platform]") {
  const std::string first = make_operation_id(at(1'795'446'245));
  REQUIRE(first.size() == 27);
  CHECK(first.substr(0, 23) == "20261123T150405.000000-");
  CHECK(first.find_first_not_of("0123456789abcdef", 23) == std::string::npos);
  CHECK(first < make_operation_id(at(1'795'446'246)));
  CHECK(make_operation_id(at(1'795'446'245) + std::chrono::microseconds(5)) <
        make_operation_id(at(1'795'446'245) + std::chrono::microseconds(6)));

  // Two may be equal by chance (1 in 65536); eight are not.
  bool differs = false;
  for (int i = 0; i < 7; ++i)
    differs = differs || make_operation_id(at(1'795'446'245)) != first;
  CHECK(differs);
}

TEST_CASE("the system clock waits at least as long as asked", "[platform]") {
  const auto clock = make_system_clock();
  const auto before = clock->steady_now();
  clock->wait(std::chrono::milliseconds(2));
  CHECK(clock->steady_now() - before >= std::chrono::milliseconds(2));
  CHECK(clock->now() > at(1'700'000'000));
}

TEST_CASE("the manual clock moves only when told", "[platform][support]") {
  las::test::ManualClock clock;
  CHECK(to_iso8601(clock.now()) == "2026-11-23T15:04:05Z");
  const auto before = clock.steady_now();
  clock.wait(std::chrono::seconds(3));
  clock.advance(std::chrono::seconds(2));
  CHECK(to_iso8601(clock.now()) == "2026-11-23T15:04:10Z");
  CHECK(clock.steady_now() - before == std::chrono::seconds(5));
  CHECK(clock.waits == std::vector<std::chrono::milliseconds>{std::chrono::seconds(3)});
}
