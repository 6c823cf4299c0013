// SPDX-License-Identifier: Apache-2.0
#include "entry_path.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"

using namespace las;
using namespace las::source;
using las::test::error_of;
using Parts = std::vector<std::string>;

TEST_CASE("an entry's name is tidied into parts", "[source]") {
  CHECK(entry_parts("a/b/c") == Parts{"a", "b", "c"});
  CHECK(entry_parts("./a//b/./c/") == Parts{"a", "b", "c"});
  CHECK(entry_parts("./").empty());
  CHECK(entry_parts("..a/b..") == Parts{"..a", "b.."});
}

TEST_CASE("an entry's name that leaves the tree is refused by name", "[source]") {
  const auto refusal = [](const std::string& name) {
    const Error error = error_of([&] { entry_parts(name); });
    CHECK(error.kind() == ErrorKind::Integrity);
    return std::string(error.what());
  };
  CHECK(refusal("/etc/passwd") == "a path is absolute: /etc/passwd");
  CHECK(refusal("a/../../b") == "a path climbs with \"..\": a/../../b");
  CHECK(refusal("..") == "a path climbs with \"..\": ..");
  CHECK(refusal("a\x1b[2J") == "a path holds control characters: a?[2J");
  CHECK(refusal("") == "an entry has no name");
}

TEST_CASE("a manifest's path that leaves the payload is invalid data", "[source]") {
  const Error error = error_of([] { manifest_parts("../bin/sh"); });
  CHECK(error.kind() == ErrorKind::InvalidData);
  CHECK(std::string(error.what()) == "a path climbs with \"..\": ../bin/sh");
}

TEST_CASE("a symlink may climb only as far as the tree reaches", "[source]") {
  CHECK_NOTHROW(check_link_target("lib/a.so", {"lib", "a.so"}, "a.so.1"));
  CHECK_NOTHROW(check_link_target("bin/tool", {"bin", "tool"}, "../lib/./tool"));
  CHECK_NOTHROW(check_link_target("a/b/c", {"a", "b", "c"}, "../.."));
  const auto refusal = [](const Parts& link, const std::string& target) {
    const Error error = error_of([&] { check_link_target("x", link, target); });
    CHECK(error.kind() == ErrorKind::Integrity);
    return std::string(error.what());
  };
  CHECK(refusal({"x"}, "/etc") == "a symlink leaves the tree: x: /etc");
  CHECK(refusal({"x"}, "../etc") == "a symlink leaves the tree: x: ../etc");
  CHECK(refusal({"a", "x"}, "../../etc") == "a symlink leaves the tree: x: ../../etc");
  CHECK(refusal({"x"}, "") == "a symlink points nowhere: x");
}

TEST_CASE("a symlink may not climb through what may be another symlink", "[source]") {
  // a/b/c/up -> ../../.. is the top; then up/../../etc counts one real folder too few.
  const Error error = error_of([] {
    check_link_target("a/b/c/l", {"a", "b", "c", "l"}, "up/../../etc");
  });
  CHECK(std::string(error.what()) == "a symlink climbs after going down: a/b/c/l: up/../../etc");
}

TEST_CASE("an unpacking refuses what its earlier entries forbid", "[source]") {
  EntryTree tree;
  CHECK(tree.add_folder("bin/", {"bin"}));
  CHECK_FALSE(tree.add_folder("bin/", {"bin"}));
  CHECK_FALSE(tree.add_file("bin/a", {"bin", "a"}));
  CHECK(tree.add_link("lib/l", {"lib", "l"}));
  CHECK(tree.holds_file({"bin", "a"}));
  CHECK_FALSE(tree.holds_file({"bin"}));
  CHECK_FALSE(tree.holds_file({"lib", "l"}));

  const auto refusal = [](auto&& body) { return std::string(error_of(body).what()); };
  CHECK(refusal([&] { tree.add_file("bin/a", {"bin", "a"}); }) == "an entry is there twice: bin/a");
  CHECK(refusal([&] { tree.add_link("bin", {"bin"}); }) == "an entry is there twice: bin");
  CHECK(refusal([&] {
          tree.add_folder("lib/l", {"lib", "l"});
        }) == "an entry is there twice: lib/l");
  CHECK(refusal([&] {
          tree.add_file("lib/l/x", {"lib", "l", "x"});
        }) == "an entry is written through a symlink: lib/l/x");
  CHECK(refusal([&] {
          tree.add_folder("bin/a/x", {"bin", "a", "x"});
        }) == "an entry lies below a file: bin/a/x");
}
