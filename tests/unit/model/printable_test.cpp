// SPDX-License-Identifier: Apache-2.0
#include "printable.hpp"

#include "support/catch.hpp"

using las::model::printable;

TEST_CASE("foreign text becomes one line that a terminal does not obey", "[model]") {
  CHECK(printable("plain text") == "plain text");
  CHECK(printable("grüße 木 🙂") == "grüße 木 🙂");
  CHECK(printable("  a\nb\tc\x1b[31m\x7f  ") == "a b c [31m");
  CHECK(printable("a\xc2\x9b"
                  "b") == "a b");
  CHECK(printable("a\xff"
                  "b\xc3") == "a?b?");
  CHECK(printable("\xc0\xaf \xe0\x80\xaf \xed\xa0\x80 \xf4\x90\x80\x80") == "?? ??? ??? ????");
  CHECK(printable("\xf8\xe6\x9c") == "???");
  CHECK(printable("") == "");
}

TEST_CASE("long text ends between two characters", "[model]") {
  CHECK(printable("abcdef", 4) == "abcd");
  CHECK(printable("abü", 3) == "ab");
  CHECK(printable(std::string(1000, 'x')).size() == 200);
}
