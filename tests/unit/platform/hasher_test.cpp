// SPDX-License-Identifier: Apache-2.0
#include "las/platform/hasher.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/faulty_file_system.hpp"
#include "support/temp_directory.hpp"

#include <sys/stat.h>

using namespace las;
using namespace las::platform;

TEST_CASE("digests are those of the standard's examples", "[platform]") {
  CHECK(digest_of("hello").to_string() ==
        "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  CHECK(digest_of("") == Digest());
  Hasher hasher("sha512");
  hasher.update("abc");
  CHECK(hasher.finish().to_string() ==
        "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836b"
        "a3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

// Short ones are digested by libmd, long ones by libcrypto.
TEST_CASE("a text of any length has the digest that libcrypto gives it", "[platform]") {
  std::string text;
  const auto check = [&] {
    INFO(text.size() << " bytes");
    Hasher hasher;
    hasher.update(text);
    CHECK(digest_of(text) == hasher.finish());
  };
  for (unsigned int i = 0; i < 300; ++i, text += static_cast<char>(i * 151 % 256))
    check();
  for (const std::size_t size : {16'383U, 16'384U, 16'385U, 100'000U}) {
    text.resize(size, '\xff');
    check();
  }
}

TEST_CASE("pieces give the digest of the whole", "[platform]") {
  Hasher hasher;
  hasher.update("he");
  hasher.update("");
  Hasher moved = std::move(hasher);
  moved.update("llo");
  CHECK(moved.finish() == digest_of("hello"));
}

TEST_CASE("a digest is taken once", "[platform]") {
  Hasher hasher;
  static_cast<void>(hasher.finish());
  const auto error = test::error_of([&] { return hasher.finish(); });
  REQUIRE(error);
  CHECK(std::string(error->what()) == "the digest was already taken");
}

TEST_CASE("an algorithm that las does not trust is refused", "[platform]") {
  const auto error = test::error_of([] { Hasher("md5"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::InvalidData);
  CHECK(std::string(error->what()) == "unknown digest algorithm: md5");
}

TEST_CASE("a file larger than any buffer is digested as its content", "[platform]") {
  const test::TempDirectory folder;
  std::string content;
  for (int i = 0; content.size() < 3'000'000; ++i)
    content += std::to_string(i) + "\n";
  const auto path = folder.write("large", content);
  CHECK(digest_of_file(path) == digest_of(content));
  Hasher hasher("sha512");
  hasher.update(content);
  CHECK(digest_of_file(path, "sha512") == hasher.finish());
}

TEST_CASE("a missing file has no digest", "[platform]") {
  const test::TempDirectory folder;
  const auto error = test::error_of([&] { return digest_of_file(folder / "absent"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::NotFound);
  CHECK(error->subject() == folder / "absent");
}

TEST_CASE("the digest of a tree is of names, kinds, contents and nothing else", "[platform]") {
  const test::TempDirectory folder;
  const auto files = make_posix_file_system();
  const auto make_tree = [&](const std::string& name) {
    folder.write(name + "/bin/run", "#!/bin/sh\n");
    folder.write(name + "/readme", "text");
    files->set_mode(folder / (name + "/bin/run"), 0755);
    files->set_mode(folder / (name + "/readme"), 0644);
    files->create_symlink(folder / (name + "/link"), "readme");
    return folder / name;
  };
  const auto tree = make_tree("a");
  const Digest original = digest_of_tree(*files, tree);

  SECTION("another place, other times and read-only modes give the same") {
    const auto other = make_tree("b");
    fs::last_write_time(other / "readme", fs::file_time_type() + std::chrono::hours(1));
    files->set_mode(other / "readme", 0444);
    files->set_mode(other / "bin/run", 0555);
    CHECK(digest_of_tree(*files, other) == original);
  }
  SECTION("another content gives another") {
    folder.write("a/readme", "tExt");
    CHECK(digest_of_tree(*files, tree) != original);
  }
  SECTION("another executable bit gives another") {
    files->set_mode(tree / "readme", 0755);
    CHECK(digest_of_tree(*files, tree) != original);
  }
  SECTION("another link target gives another") {
    files->replace_symlink(tree / "link", "bin/run");
    CHECK(digest_of_tree(*files, tree) != original);
  }
  SECTION("another name gives another") {
    files->rename(tree / "readme", tree / "readme2");
    CHECK(digest_of_tree(*files, tree) != original);
  }
  SECTION("an additional empty folder gives another") {
    files->make_directories(tree / "empty");
    CHECK(digest_of_tree(*files, tree) != original);
  }
  SECTION("a file moved into a folder gives another") {
    files->rename(tree / "readme", tree / "bin/readme");
    CHECK(digest_of_tree(*files, tree) != original);
  }
}

TEST_CASE("the digest of a tree is read through the given reader", "[platform]") {
  const test::TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("root/tree/file", "inside");
  const auto below = make_sysroot_reader(folder / "root");
  CHECK(digest_of_tree(*below, "/tree") == digest_of_tree(*files, folder / "root/tree"));
}

TEST_CASE("a tree of any shape has the digest and the size that reading it in order gives",
          "[platform]") {
  const test::TempDirectory folder;
  const auto files = make_posix_file_system();
  const fs::path tree = folder / "tree";
  for (int i = 0; i < 300; ++i)
    folder.write("tree/many/f" + std::to_string(i), std::to_string(i));
  for (int i = 0; i < 40; ++i)
    folder.write("tree/d" + std::to_string(i) + "/e/f", std::string(100, 'x'));
  folder.write("tree/empty", "");
  for (const std::size_t size : {65535U, 65536U, 65537U, 200'000U})
    folder.write("tree/large" + std::to_string(size), std::string(size, 'y'));
  files->make_directories(tree / "nothing");
  files->create_symlink(tree / "dangling", "no/where");
  files->create_symlink(tree / "to-folder", "many");
  fs::create_hard_link(tree / "large65536", tree / "twin");
  files->set_mode(tree / "many/f7", 0755);
  REQUIRE(::mkfifo((tree / "pipe").c_str(), 0600) == 0);

  // What digest_of_tree() is defined as.
  Hasher expected;
  const auto field = [&](std::string_view text) {
    expected.update(text);
    expected.update(std::string_view("\0", 1));
  };
  walk(*files, tree, [&](const fs::path& relative, const FileStatus& status) {
    field(relative.native());
    switch (status.kind) {
      case FileKind::Directory:
        return field("directory");
      case FileKind::Symlink:
        field("symlink");
        return field(files->read_symlink(tree / relative).native());
      case FileKind::Regular:
        field((status.mode & 0100U) != 0 ? "executable" : "file");
        return field(digest_of_file(tree / relative).to_string());
      case FileKind::Other:
        return field("other");
    }
  });
  const Digest digest = expected.finish();
  const TreeFacts on_host = examine_tree(*files, tree);
  CHECK(on_host.digest == digest);
  CHECK(on_host.size == tree_size(*files, tree));
  // By the means of a reader that has no more than its interface.
  const test::FaultyFileSystem reader(*files);
  const TreeFacts by_reader = examine_tree(reader, tree);
  CHECK(by_reader.digest == digest);
  CHECK(by_reader.size == on_host.size);
}

TEST_CASE("a tree that is not there has no digest", "[platform]") {
  const test::TempDirectory folder;
  const auto error =
      test::error_of([&] { return digest_of_tree(*make_posix_file_system(), folder / "absent"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::NotFound);
}
