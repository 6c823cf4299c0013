// SPDX-License-Identifier: Apache-2.0
#include "content_range.hpp"

#include "support/catch.hpp"

using las::fetch::ContentRange;
using las::fetch::parse_content_range;
using las::fetch::parse_number;

TEST_CASE("A content range names first, last and total", "[fetch]") {
  CHECK(parse_content_range("bytes 5-9/10") == ContentRange{5, 9, 10});
  CHECK(parse_content_range(" Bytes 0-0/1 ") == ContentRange{0, 0, 1});
  CHECK(parse_content_range("bytes 5-9/*") == ContentRange{5, 9, std::nullopt});
}

TEST_CASE("A malformed or contradicting content range is nothing", "[fetch]") {
  for (const char* text : {"",
                           "bytes",
                           "bytes 5-9",
                           "5-9/10",
                           "bytes */10",
                           "bytes 9-5/10",
                           "bytes 5-10/10",
                           "bytes -9/10",
                           "bytes 5-/10",
                           "bytes 5-9/",
                           "bytes 5-9/x",
                           "items 5-9/10",
                           "bytes 5-99999999999999999999/*"}) {
    INFO(text);
    CHECK_FALSE(parse_content_range(text));
  }
}

TEST_CASE("A number is digits and nothing else", "[fetch]") {
  CHECK(parse_number("18446744073709551615") == 18446744073709551615U);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text));
  }
}
