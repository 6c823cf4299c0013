// SPDX-License-Identifier: Apache-2.0
#include "support/faulty_file_system.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/temp_directory.hpp"

using namespace las;
using test::error_of;
using test::FaultyFileSystem;
using test::TempDirectory;

namespace {

struct Files {
  TempDirectory folder;
  std::unique_ptr<platform::FileSystem> real = platform::make_posix_file_system();
  FaultyFileSystem faulty{*real};
};

}  // namespace

TEST_CASE("effects are passed on and noted, reading is not", "[platform][support]") {
  Files files;
  const std::string base = files.folder.path();
  files.faulty.make_directories(base + "/a");
  const auto writer = files.faulty.create_file(base + "/a/b");
  writer->write(std::string("12345"));
  writer->sync();
  writer->close();
  CHECK(files.faulty.read_file(base + "/a/b") == "12345");
  CHECK(files.faulty.exists(base + "/a"));
  CHECK(files.faulty.effects() == std::vector<std::string>{"make_directories " + base + "/a",
                                                           "create_file " + base + "/a/b",
                                                           "write " + base + "/a/b 5",
                                                           "sync " + base + "/a/b"});
}

TEST_CASE("one planned effect fails as on a full disk, later ones work", "[platform][support]") {
  Files files;
  files.faulty.fail_at(2);
  files.faulty.replace_file(files.folder / "one", "1");
  const auto error = error_of([&] { files.faulty.replace_file(files.folder / "two", "2"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::NoSpace);
  CHECK(error->subject() == files.folder / "two");
  files.faulty.replace_file(files.folder / "three", "3");
  CHECK(files.real->list_directory(files.folder.path()) ==
        std::vector<std::string>{"one", "three"});
}

TEST_CASE("after a crash nothing reaches the disk any more", "[platform][support]") {
  Files files;
  files.faulty.crash_at(2);
  const auto writer = files.faulty.create_file(files.folder / "torn");
  CHECK_THROWS_AS(writer->write(std::string("123456")), test::Crash);
  CHECK(files.faulty.crashed());
  writer->write(std::string("more"));
  writer->sync();
  writer->close();
  files.faulty.remove_file(files.folder / "torn");
  files.faulty.create_file(files.folder / "new")->write(std::string("x"));
  CHECK(files.folder.read("torn") == "123");
  CHECK(files.real->list_directory(files.folder.path()) == std::vector<std::string>{"torn"});
  CHECK(files.faulty.effect_count() == 2);
}
