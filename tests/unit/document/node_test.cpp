// SPDX-License-Identifier: Apache-2.0
#include "las/document/node.hpp"

#include "support/catch.hpp"

using las::ByteSize;
using las::Diagnostics;
using las::document::Node;
using las::document::parse;

namespace {

std::vector<std::string> texts(const Diagnostics& diagnostics) {
  std::vector<std::string> out;
  for (const auto& item : diagnostics.items())
    out.push_back(item.to_string());
  return out;
}

// The faults of a document that is only parsed, not asked anything.
std::vector<std::string> faults_of(std::string_view text) {
  Diagnostics diagnostics;
  parse(text, "f.yaml", diagnostics);
  return texts(diagnostics);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("values of every type are read", "[document]") {
  Diagnostics diagnostics;
  const Node root = parse(
      "text: hello\n"
      "quoted: \"4GB # no comment\"\n"
      "count: 42\n"
      "negative: -7\n"
      "ratio: 1.5\n"
      "flag: true\n"
      "size: 16GB\n"
      "list: [a, b]\n"
      "one: alone\n"
      "version: 1.10\n"
      "nothing:\n"
      "empty: ''\n",
      "f.yaml",
      diagnostics);
  CHECK(root["text"].string() == "hello");
  CHECK(root["quoted"].string() == "4GB # no comment");
  CHECK(root["count"].integer() == 42);
  CHECK(root["negative"].integer() == -7);
  CHECK(root["ratio"].number() == 1.5);
  CHECK(root["flag"].boolean() == true);
  CHECK(root["size"].size() == ByteSize::gib(16));
  CHECK(root["list"].strings() == Texts{"a", "b"});
  CHECK(root["one"].strings() == Texts{"alone"});
  CHECK(root["version"].string() == "1.10");
  CHECK(root["empty"].string() == "");
  CHECK(root["empty"].present());
  CHECK_FALSE(root["nothing"].present());
  CHECK_FALSE(root["absent"].present());
  CHECK_FALSE(root["absent"]["deeper"].string().has_value());
  CHECK(root["absent"].items().empty());
  CHECK(root.keys() == Texts{"text",
                             "quoted",
                             "count",
                             "negative",
                             "ratio",
                             "flag",
                             "size",
                             "list",
                             "one",
                             "version",
                             "nothing",
                             "empty"});
  CHECK(texts(diagnostics) == Texts{});
}

TEST_CASE("every wrong type is a fault with line, column and key path", "[document]") {
  Diagnostics diagnostics;
  const Node root = parse(
      "a:\n"
      "  count: many\n"
      "  flag: yes\n"
      "  size: 16 parsecs\n"
      "  list:\n"
      "    - x: 1\n"
      "    - y\n"
      "  text: [1]\n"
      "  big: 99999999999999999999\n"
      "  real: nan\n"
      "  map: 3\n",
      "f.yaml",
      diagnostics);
  const Node a = root["a"];
  CHECK_FALSE(a["count"].integer().has_value());
  CHECK_FALSE(a["flag"].boolean().has_value());
  CHECK_FALSE(a["size"].size().has_value());
  CHECK(a["list"].strings() == Texts{"y"});
  CHECK_FALSE(a["text"].string().has_value());
  CHECK_FALSE(a["big"].integer().has_value());
  CHECK_FALSE(a["real"].number().has_value());
  CHECK(a["map"].keys().empty());
  CHECK(a["map"].items().empty());
  CHECK(texts(diagnostics) ==
        Texts{"f.yaml:2:10: error: a.count: 'many' is not a whole number",
              "f.yaml:3:9: error: a.flag: 'yes' is neither true nor false (did you mean 'true'?)",
              "f.yaml:4:9: error: a.size: '16 parsecs' is not a size (write it like 16GB)",
              "f.yaml:6:7: error: a.list[0]: must be a single value",
              "f.yaml:8:9: error: a.text: must be a single value",
              "f.yaml:9:8: error: a.big: '99999999999999999999' is not a whole number",
              "f.yaml:10:9: error: a.real: 'nan' is not a number",
              "f.yaml:11:8: error: a.map: must be a map",
              "f.yaml:11:8: error: a.map: must be a list"});
}

TEST_CASE("unknown keys are faults with the nearest name, vendor extensions are not",
          "[document]") {
  Diagnostics diagnostics;
  const Node root = parse("name: a\nverison: 1\nx-mine: 2\nzzz: 3\n", "f.yaml", diagnostics);
  root.allow_only({"name", "version"});
  CHECK(texts(diagnostics) ==
        Texts{"f.yaml:2:1: error: verison: unknown key (did you mean 'version'?)",
              "f.yaml:4:1: error: zzz: unknown key"});
}

TEST_CASE("a missing key and an empty value are told apart and placed", "[document]") {
  Diagnostics diagnostics;
  const Node root = parse("\nsection:\n  name:\n  other: 1\n", "f.yaml", diagnostics);
  CHECK(root["section"]["name"].required_string() == "");
  CHECK(root["section"]["kind"].required_string() == "");
  CHECK(root["section"]["other"].required_string() == "1");
  CHECK(texts(diagnostics) == Texts{"f.yaml:3:3: error: section.name: missing value",
                                    "f.yaml:3:3: error: section.kind: missing key"});
}

TEST_CASE("one_of names the choices and the nearest", "[document]") {
  Diagnostics diagnostics;
  const Node root = parse("a: runtme\nb: tool\n", "f.yaml", diagnostics);
  CHECK_FALSE(root["a"].one_of({"runtime", "tool"}).has_value());
  CHECK(root["b"].one_of({"runtime", "tool"}) == "tool");
  CHECK_FALSE(root["c"].one_of({"runtime", "tool"}).has_value());
  CHECK(texts(diagnostics) == Texts{"f.yaml:1:4: error: a: 'runtme' is not one of runtime, tool "
                                    "(did you mean 'runtime'?)"});
}

TEST_CASE("warnings are no errors, and the same fault is said once", "[document]") {
  Diagnostics diagnostics;
  const Node root = parse("a: 1\n", "f.yaml", diagnostics);
  root["a"].warn("is old", "use b");
  CHECK_FALSE(diagnostics.has_errors());
  root["a"].fault("is wrong");
  root["a"].fault("is wrong");
  CHECK(texts(diagnostics) ==
        Texts{"f.yaml:1:4: warning: a: is old (use b)", "f.yaml:1:4: error: a: is wrong"});
}

TEST_CASE("anchors and aliases are resolved", "[document]") {
  Diagnostics diagnostics;
  const Node root =
      parse("base: &b {x: 1, y: [2, 3]}\ncopy: *b\nlist: [*b]\n", "f.yaml", diagnostics);
  CHECK(root["copy"]["x"].integer() == 1);
  CHECK(root["list"].items().at(0)["y"].strings() == Texts{"2", "3"});
  CHECK(texts(diagnostics) == Texts{});
}

TEST_CASE("nodes outlive the text and the root node", "[document]") {
  Diagnostics diagnostics;
  Node leaf;
  {
    std::string text = "a: {b: [c]}\n";
    leaf = parse(text, "f.yaml", diagnostics)["a"]["b"].items().at(0);
    text.assign(text.size(), 'x');
  }
  CHECK(leaf.string() == "c");
  CHECK(leaf.key_path() == "a.b[0]");
  CHECK(leaf.line() == 1);
  CHECK(leaf.column() == 9);
}

TEST_CASE("an empty document is absent and has no faults of its own", "[document]") {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "~\n"}) {
    Diagnostics diagnostics;
    const Node root = parse(text, "f.yaml", diagnostics);
    CHECK_FALSE(root.present());
    CHECK(texts(diagnostics) == Texts{});
    CHECK(root["name"].required_string() == "");
    CHECK(diagnostics.items().at(0).key_path == "name");
  }
}

TEST_CASE("duplicate keys are faults that name the first line", "[document]") {
  CHECK(faults_of("a: 1\nb:\n  - {c: 1, c: 2}\na: 3\n") ==
        Texts{"f.yaml:3:12: error: b[0].c: duplicate key (first on line 3)",
              "f.yaml:4:1: error: a: duplicate key (first on line 1)"});
}

TEST_CASE("syntax errors name line and column and quote the line", "[document]") {
  CHECK(faults_of("a: 1\n\tb: 2\n") ==
        Texts{"f.yaml:2:1: error: illegal tab when looking for indentation: \"b: 2\""});
  CHECK(faults_of("a: [1, 2\nb: 3\n") ==
        Texts{"f.yaml:2:2: error: end of sequence flow not found: \"b: 3\""});
  CHECK(faults_of("a: *nobody\n") ==
        Texts{"f.yaml:1:4: error: the referenced anchor is not defined: \"a: *nobody\""});
  CHECK(faults_of("a: 1\n---\nb: 2\n") ==
        Texts{"f.yaml:2:1: error: more than one document in one file: \"---\""});
  CHECK(faults_of("? [a, b]\n: 1\n") ==
        Texts{"f.yaml:1:3: error: a key must be a single value: \"? [a, b]\""});
}

TEST_CASE("a long line is quoted in part, without bytes that disturb a terminal", "[document]") {
  const auto faults = faults_of("ok: 1\nbad: \x1b[31m" + std::string(500, 'x') + "\n");
  REQUIRE(faults.size() == 1);
  CHECK(faults[0] ==
        "f.yaml:2:6: error: control character 0x1b: \"bad: ?[31m" + std::string(50, 'x') + "\"");
}

TEST_CASE("bytes that are no text are refused", "[document]") {
  using namespace std::string_literals;
  CHECK(faults_of("a: b\0c\n"s) == Texts{"f.yaml:1:5: error: control character 0x00: \"a: b?c\""});
  CHECK(faults_of("a: \"b\\0c\"\n") ==
        Texts{"f.yaml:1:4: error: a: control character in a value: \"a: \"b\\0c\"\""});
  CHECK(faults_of("a: \xff\n") == Texts{"f.yaml:1:4: error: not UTF-8 text: \"a: ?\""});
  CHECK(faults_of("a: \xc0\xaf\n").size() == 1);      // overlong
  CHECK(faults_of("a: \xed\xa0\x80\n").size() == 1);  // surrogate
  CHECK(faults_of("a: \xe4\xbd").size() == 1);        // cut short
  CHECK(faults_of("a: 你好 ✓ 😀\n") == Texts{});
}

TEST_CASE("an alias bomb is refused while reading", "[document]") {
  std::string bomb = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*l" + std::to_string(i - 1);
    bomb += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + last;
    for (int k = 1; k < 10; ++k)
      bomb += ", " + last;
    bomb += "]\n";
  }
  const auto faults = faults_of(bomb);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].find("more than 100000 values in a document") != std::string::npos);
}

TEST_CASE("an alias within its own value is refused", "[document]") {
  CHECK(faults_of("a: &a [*a]\n") ==
        Texts{"f.yaml:1:8: error: a[0]: alias that contains itself: \"a: &a [*a]\""});
}

TEST_CASE("nesting deeper than 64 levels is refused, also by aliases", "[document]") {
  const auto nested = [](std::size_t levels) {
    return "a: " + std::string(levels, '[') + std::string(levels, ']') + "\n";
  };
  CHECK(faults_of(nested(63)) == Texts{});
  REQUIRE(faults_of(nested(64)).size() == 1);
  CHECK(faults_of(nested(64))[0].find("nested more than 64 levels deep") != std::string::npos);
  CHECK(faults_of(nested(100'000)).size() == 1);
  CHECK(faults_of(std::string(200'000, '{')).size() == 1);

  std::string chain = "l0: &l0 [x]\n";
  for (int i = 1; i < 70; ++i)
    chain += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [*l" + std::to_string(i - 1) +
             "]\n";
  REQUIRE(faults_of(chain).size() == 1);
  CHECK(faults_of(chain)[0].find("nested more than 64 levels deep") != std::string::npos);
}

TEST_CASE("a document of more than 4 MiB is refused", "[document]") {
  const std::string limit = "# " + std::string((std::size_t{4} << 20) - 2, 'x');
  CHECK(faults_of(limit) == Texts{});
  CHECK(faults_of(limit + "x") == Texts{"f.yaml: error: document of more than 4 MiB"});
}

TEST_CASE("after a hundred faults the rest is left out", "[document]") {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += "key" + std::to_string(i) + ": 1\n";
  Diagnostics diagnostics;
  parse(text, "f.yaml", diagnostics).allow_only({"name"});
  REQUIRE(diagnostics.items().size() == 101);
  CHECK(diagnostics.items().back().to_string() == "f.yaml: error: more faults, not listed");
}

TEST_CASE("a long foreign value is shortened in the message", "[document]") {
  Diagnostics diagnostics;
  const Node root = parse("n: " + std::string(58, 'x') + "ééé\n", "f.yaml", diagnostics);
  CHECK_FALSE(root["n"].integer().has_value());
  CHECK(diagnostics.items().at(0).message ==
        "'" + std::string(58, 'x') + "é…' is not a whole number");
}
