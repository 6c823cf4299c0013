// SPDX-License-Identifier: Apache-2.0
#include "las/base/version.hpp"

#include "support/catch.hpp"

using las::Version;
using las::VersionRange;

TEST_CASE("Versions order as their publishers mean them", "[base]") {
  // Each line is older than the next.
  const std::vector<std::string> ascending = {"0.9",
                                              "1.0~beta1",
                                              "1.0-dev1",
                                              "1.0a1",
                                              "1.0-beta2",
                                              "1.0-rc1",
                                              "1.0-rc2",
                                              "1.0",
                                              "1.0+dfsg",
                                              "1.0.1",
                                              "1.2",
                                              "1.10",
                                              "2026.9.1",
                                              "2026.10.1"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      INFO(ascending[i] << " against " << ascending[j]);
      CHECK((Version(ascending[i]) < Version(ascending[j])) == (i < j));
    }
  }
}

TEST_CASE("A leading v or b, leading zeros and separators do not matter", "[base]") {
  CHECK(Version("v1.2") == Version("1.2"));
  CHECK(Version("b11194") == Version("11194"));
  CHECK(Version("b9999") < Version("b10000"));
  CHECK(Version("1.02") == Version("1.2"));
  CHECK(Version("1-2") == Version("1.2"));
}

TEST_CASE("A number too long for any integer still compares by value", "[base]") {
  CHECK(Version("1.99999999999999999999999998") < Version("1.99999999999999999999999999"));
}

TEST_CASE("Ranges contain what their operators say", "[base]") {
  struct Case {
    const char* range;
    const char* version;
    bool inside;
  };

  const Case cases[] = {
      {"", "0", true},           {"*", "9", true},           {">=1.2", "1.2", true},
      {">=1.2", "1.1.9", false}, {">1.2", "1.2", false},     {">=1.2,<2", "1.9", true},
      {">=1.2, <2", "2", false}, {"==1.5", "1.5", true},     {"=1.5", "1.5", true},
      {"1.5", "1.5", true},      {"1.5", "1.5.1", false},    {"!=1.5", "1.5", false},
      {"^1.2.3", "1.9", true},   {"^1.2.3", "2.0", false},   {"^1.2.3", "1.2.2", false},
      {"^0.2.3", "0.2.9", true}, {"^0.2.3", "0.3.0", false}, {"^0.0.3", "0.0.4", false},
      {"~1.2.3", "1.2.9", true}, {"~1.2.3", "1.3", false},   {"~1", "1.9", true},
  };
  for (const Case& c : cases) {
    INFO(c.range << " and " << c.version);
    const auto range = VersionRange::parse(c.range);
    REQUIRE(range);
    CHECK(range->contains(Version(c.version)) == c.inside);
  }
}

TEST_CASE("Text that is no range is refused", "[base]") {
  for (const char* text : {">=", "<>1", "=>1", ">= 1 2", "^x", ">=1,,<2", "1 .2"}) {
    INFO(text);
    CHECK_FALSE(VersionRange::parse(text));
  }
}

TEST_CASE("A range prints in one spelling", "[base]") {
  CHECK(VersionRange::parse("^1.2.3")->to_string() == ">=1.2.3,<2");
  CHECK(VersionRange::parse(" = 1.0 ")->to_string() == "==1.0");
}
