// SPDX-License-Identifier: Apache-2.0
#include "las/base/printable.hpp"

#include "support/catch.hpp"

using namespace las::text;

TEST_CASE("Foreign text becomes one line that a terminal does not obey", "[base]") {
  CHECK(printable("plain text") == "plain text");
  CHECK(printable("grüße 木 🙂") == "grüße 木 🙂");
  CHECK(printable("a\nb\tc\r\x1b[31m\x7f\a") == "a b c ?[31m??");
  CHECK(printable("a\xc2\x9b"
                  "b") == "a?b");
  CHECK(printable("txt.\u202egpj.exe") == "txt.?gpj.exe");
  CHECK(printable("one\u2028two") == "one two");
  CHECK(printable("a\xff"
                  "b\xc3") == "a?b?");
  CHECK(printable("\xc0\xaf \xe0\x80\xaf \xed\xa0\x80 \xf4\x90\x80\x80") == "?? ??? ??? ????");
  CHECK(printable("\xf8\xe6\x9c") == "???");
  CHECK(printable(std::string_view("\0x", 2)) == "?x");
  CHECK(printable("").empty());
}

TEST_CASE("Long text ends with an ellipsis, between two characters", "[base]") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abc...");
  CHECK(printable("üüüüüü", 5) == "üü...");
  CHECK(printable("abc", 2) == "..");
  CHECK(printable(std::string(200, 'x')) == std::string(200, 'x'));
  CHECK(printable(std::string(201, 'x')) == std::string(197, 'x') + "...");
}

TEST_CASE("A shell takes a quoted word as it was", "[base]") {
  CHECK(shell_word("--name=a/b.c") == "--name=a/b.c");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("two words") == "'two words'");
  CHECK(shell_word("it's $HOME") == "'it'\\''s $HOME'");
}

TEST_CASE("Columns are counted as a terminal does", "[base]") {
  CHECK(columns("abc") == 3);
  CHECK(columns("grüße") == 5);
  CHECK(columns("本地模型") == 8);
  CHECK(columns("e\u0301") == 1);
  CHECK(columns("🙂") == 2);
  CHECK(clip("abc", 2) == "ab");
  CHECK(clip("本地", 3) == "本");
  CHECK(clip("e\u0301x", 1) == "e\u0301");
  CHECK(clip("abc", 3) == "abc");
  CHECK(clip("abc", 0).empty());
}

namespace {

std::string filtered(std::initializer_list<std::string_view> pieces) {
  TerminalFilter filter;
  std::string out;
  for (const std::string_view piece : pieces)
    out += filter.feed(piece);
  return out;
}

}  // namespace

TEST_CASE("Streamed text keeps its lines and loses what steers a terminal", "[base]") {
  CHECK(filtered({"a\n\tb ü 木"}) == "a\n\tb ü 木");
  CHECK(filtered({"\x1b[31mred\x1b[0m"}) == "red");
  CHECK(filtered({"\x1b]0;title\x07text"}) == "text");
  CHECK(filtered({"\x1b]52;c;bGFz\x1b\\text"}) == "text");
  CHECK(filtered({"\x1bPq#0\x1b\\text",
                  "\x1b(Btext",
                  "\x1b"
                  "ctext"}) == "texttexttext");
  CHECK(filtered({"\xc2\x9b"
                  "2Jtext",
                  "\xc2\x9d"
                  "0;t\xc2\x9ctext"}) == "texttext");
  CHECK(filtered({"over\rwritten\b\b\a\x7f"}) == "overwritten");
  CHECK(filtered({"a\xff"
                  "b"}) == "a?b");
}

TEST_CASE("An escape sequence that comes in pieces is still removed", "[base]") {
  CHECK(filtered({"a\x1b", "[3", "1", "mred"}) == "ared");
  CHECK(filtered({"\x1b]0;ti", "tle\x1b", "\\text"}) == "text");
}

TEST_CASE("A sequence that does not end takes no more than its line", "[base]") {
  CHECK(filtered({"\x1b]0;never ends\nnext line"}) == "\nnext line");
  CHECK(filtered({"\x1b[12ü"}) == "ü");
}
