// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include "las/base/error.hpp"
#include "las/document/node.hpp"

using las::Error;
using las::ErrorKind;
using las::document::edit_scalar;
using las::document::keep_items;

namespace {

const std::string kConfig =
    "# My settings.\n"
    "\n"
    "fetch:\n"
    "  # Mirrors are tried in order.\n"
    "  parallel: 4   # connections\n"
    "  rate: \"10M\"\n"
    "\n"
    "# Services\n"
    "service:\n"
    "  ports:\n"
    "    first: 8000\n"
    "    last: 8999\n"
    "color: auto\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The message of the refusal.
std::string refusal(const std::string& text,
                    const std::string& key,
                    const std::optional<std::string>& value = "1") {
  try {
    edit_scalar(text, key, value);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::InvalidData);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a value is replaced and its comment stays", "[document]") {
  CHECK(edit_scalar(kConfig, "fetch.parallel", "8") ==
        replaced(kConfig, "parallel: 4   #", "parallel: 8   #"));
  CHECK(edit_scalar(kConfig, "fetch.rate", "5M") == replaced(kConfig, "\"10M\"", "5M"));
  CHECK(edit_scalar(kConfig, "service.ports.last", "9999") == replaced(kConfig, "8999", "9999"));
  CHECK(edit_scalar("a: 'it''s' # x\n", "a", "b") == "a: b # x\n");
  CHECK(edit_scalar("a:   # none yet\n", "a", "b") == "a: b # none yet\n");
  CHECK(edit_scalar("\"a\" : 1", "a", "2") == "\"a\" : 2\n");
}

TEST_CASE("a new key goes to the end of its section", "[document]") {
  CHECK(edit_scalar(kConfig, "fetch.timeout", "30") ==
        replaced(kConfig, "\"10M\"\n", "\"10M\"\n  timeout: 30\n"));
  CHECK(edit_scalar(kConfig, "service.ports.step", "1") ==
        replaced(kConfig, "8999\n", "8999\n    step: 1\n"));
  CHECK(edit_scalar(kConfig, "service.host", "::1") ==
        replaced(kConfig, "8999\n", "8999\n  host: ::1\n"));
  CHECK(edit_scalar(kConfig, "ui.language", "de") == kConfig + "ui:\n  language: de\n");
  CHECK(edit_scalar("", "a.b", "c") == "a:\n  b: c\n");
  CHECK(edit_scalar("# only this", "a", "c") == "# only this\na: c\n");
  CHECK(edit_scalar("a:\nb: 1\n", "a.c", "2") == "a:\n  c: 2\nb: 1\n");
  CHECK(edit_scalar("a:\n  l:\n  - x\n  - y\nb: 1\n", "a.c", "2") ==
        "a:\n  l:\n  - x\n  - y\n  c: 2\nb: 1\n");
  CHECK(edit_scalar("a:\n  t: |\n    one\n\n    two\nb: 1\n", "a.c", "2") ==
        "a:\n  t: |\n    one\n\n    two\n  c: 2\nb: 1\n");
}

TEST_CASE("a key is removed with its line only", "[document]") {
  CHECK(edit_scalar(kConfig, "fetch.rate", std::nullopt) ==
        replaced(kConfig, "  rate: \"10M\"\n", ""));
  CHECK(edit_scalar(kConfig, "color", std::nullopt) == replaced(kConfig, "color: auto\n", ""));
  CHECK(edit_scalar("a:\n  b: 1\nc: 2\n", "a.b", std::nullopt) == "a:\nc: 2\n");
  CHECK(edit_scalar("a: 1\n", "a", std::nullopt) == "");
  CHECK(edit_scalar(kConfig, "fetch.absent", std::nullopt) == kConfig);
}

TEST_CASE("values that would read as something else are quoted", "[document]") {
  CHECK(edit_scalar("", "a", "two words") == "a: two words\n");
  CHECK(edit_scalar("", "a", "") == "a: \"\"\n");
  CHECK(edit_scalar("", "a", "null") == "a: \"null\"\n");
  CHECK(edit_scalar("", "a", "x # y") == "a: \"x # y\"\n");
  CHECK(edit_scalar("", "a", "k: v") == "a: \"k: v\"\n");
  CHECK(edit_scalar("", "a", "[1]") == "a: \"[1]\"\n");
  CHECK(edit_scalar("", "a", "*x") == "a: \"*x\"\n");
  CHECK(edit_scalar("", "a", "say \"hi\" \\o/") == "a: say \"hi\" \\o/\n");
  CHECK(edit_scalar("", "a", "\"") == "a: \"\\\"\"\n");
  CHECK(edit_scalar("", "a", "one\ntwo\tthree") == "a: \"one\\ntwo\\tthree\"\n");
  CHECK(edit_scalar("", "a", " x ") == "a: \" x \"\n");
}

TEST_CASE("a name with dots in it is written in quotes", "[document]") {
  CHECK(edit_scalar("m:\n  a.b: 1\n", "m.\"a.b\"", "2") == "m:\n  a.b: 2\n");
  CHECK(edit_scalar("", "m.\"a.b\".c", "2") == "m:\n  a.b:\n    c: 2\n");
  for (const char* wrong : {"", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "\"\""}) {
    try {
      edit_scalar("", wrong, "1");
      FAIL("accepted " << wrong);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::Usage);
    }
  }
}

TEST_CASE("Windows line ends stay", "[document]") {
  CHECK(edit_scalar("a: 1\r\nb: 2 # c\r\n", "b", "3") == "a: 1\r\nb: 3 # c\r\n");
  CHECK(edit_scalar("a:\r\n  b: 1\r\n", "a.c", "2") == "a:\r\n  b: 1\r\n  c: 2\r\n");
  CHECK(edit_scalar("a:\r\nb: 1\r\n", "a", "2") == "a: 2\r\nb: 1\r\n");
}

TEST_CASE("what cannot be changed safely is refused", "[document]") {
  CHECK(refusal("a: [1, 2]\n", "a") == "the key holds a list or a section, not a single value: a");
  CHECK(refusal("a:\n  b: 1\n", "a", std::nullopt) ==
        "the key holds a list or a section, not a single value: a");
  CHECK(refusal("a: 1\n", "a.b") == "a part of the key is a value, not a section: a.b");
  CHECK(refusal("a: {b: 1}\n", "a.b") == "the section is written in braces on one line: a.b");
  CHECK(refusal("a: &x 1\nb: *x\n", "a") == "the value is shared through an anchor: a");
  CHECK(refusal("a: &x 1\nb: *x\n", "b") == "the value is shared through an anchor: b");
  CHECK(refusal("a: &x\n  c: 1\nb: *x\n", "a.c") == "the value is shared through an anchor: a.c");
  CHECK(refusal("a: |\n  text\n", "a") == "the value takes several lines or has a tag: a");
  CHECK(refusal("a: one\n  two\n", "a") == "the line of the key cannot be changed safely: a");
  CHECK(refusal("a: one\n  two\n", "a", std::nullopt) == "the file cannot be changed safely: a");
  CHECK(refusal("a: 1\n", "a", std::string("x\x1by")) == "the file cannot be changed safely: a");
  CHECK(refusal("a: ~\n", "a.b") == "the file cannot be changed safely: a.b");
  CHECK(refusal("a: 1\na: 2\n", "a") == "the file has errors and cannot be changed");
}

TEST_CASE("keep_items leaves the items of a list out that are not wanted", "[document]") {
  const auto only = [](const char* version) {
    return [version](const std::string& found) { return found == version; };
  };
  const std::string text =
      "# a comment\n"
      "name: x\n"
      "list:\n"
      "- {v: '1', it: [a, {b: \"c\\n\\\"\"}]}\n"
      "- v: 2\n"
      "- no: version\n"
      "other: [{v: 2}, ~, '', 'true']\n";
  CHECK(keep_items(text, "list", "v", only("1")) ==
        "{\"name\": \"x\", \"list\": [{\"v\": \"1\", \"it\": [\"a\", {\"b\": \"c\\n\\\"\"}]}, "
        "{\"no\": \"version\"}], \"other\": [{\"v\": \"2\"}, null, \"\", \"true\"]}\n");
  CHECK(keep_items("a: 1\n", "list", "v", only("1")) == "{\"a\": \"1\"}\n");
  // What an alias shares with the list stays whole.
  CHECK(keep_items("x: &l [{v: 1}, {v: 2}]\nlist: *l\n", "list", "v", only("2")) ==
        "{\"x\": [{\"v\": \"1\"}, {\"v\": \"2\"}], \"list\": [{\"v\": \"2\"}]}\n");
  std::string bomb = "x: &x " + std::string(100'000, 'x') + "\ny: [*x";
  for (int i = 0; i < 100; ++i)
    bomb += ", *x";
  CHECK_THROWS_AS(keep_items(bomb + "]\n", "list", "v", only("1")), Error);
  CHECK_THROWS_AS(keep_items("a: 1\na: 2\n", "list", "v", only("1")), Error);
}
