// SPDX-License-Identifier: Apache-2.0
#include "las/service/overrides.hpp"

#include "support/catch.hpp"

using las::service::Contradiction;
using las::service::contradictions;

namespace {

constexpr const char* kBefore =
    "[Unit]\nDescription=x\n[Service]\nMemoryMax=100\nEnvironment=A=1\nEnvironment=B=2\n";

}  // namespace

TEST_CASE("what a drop-in sets and las generates as before is no contradiction") {
  CHECK(contradictions(kBefore, kBefore, "[Service]\nMemoryMax=7\n").empty());
}

TEST_CASE("a contradiction names what was, what is, and what the user says") {
  const auto found = contradictions(
      kBefore, "[Service]\nMemoryMax=200\nEnvironment=A=1\n", "[Service]\nMemoryMax=7\n");
  REQUIRE(found.size() == 1);
  CHECK(found.front() == Contradiction{"Service.MemoryMax", "100", "200", "7"});
}

TEST_CASE("a directive of another section is another directive") {
  CHECK(contradictions(kBefore, "[Service]\nMemoryMax=200\n", "[Unit]\nMemoryMax=7\n").empty());
}

TEST_CASE("all values of a directive count, and one that goes is a change") {
  const auto found = contradictions(
      kBefore, "[Service]\nMemoryMax=100\nEnvironment=A=1\n", "[Service]\nEnvironment=C=3\n");
  REQUIRE(found.size() == 1);
  CHECK(found.front() == Contradiction{"Service.Environment", "A=1\nB=2", "A=1", "C=3"});
}

TEST_CASE("comments, blanks and lines that go on are read as systemd reads them") {
  const auto found = contradictions(kBefore,
                                    "[Service]\nMemoryMax=300\n",
                                    "# mine\n; too\n\n [Service]\n MemoryMax = 7 \\\n  8\n");
  REQUIRE(found.size() == 1);
  CHECK(found.front().users == "7  8");
}
