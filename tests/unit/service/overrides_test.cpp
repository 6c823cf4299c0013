// SPDX-License-Identifier: Apache-2.0
#include "las/service/overrides.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using las::service::Contradiction;
using las::service::contradictions;
using las::service::drop_in_folders;
using las::service::drop_in_folders_of;

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

TEST_CASE("drop-ins are looked for where systemd looks for them") {
  using Names = std::vector<std::string>;
  CHECK(drop_in_folders_of("las-a-b.service") ==
        Names{"las-a-b.service.d", "las-a-.service.d", "las-.service.d", "service.d"});
  CHECK(drop_in_folders_of("las-health@a-b.timer") ==
        Names{"las-health@a-b.timer.d", "las-health@.timer.d", "las-.timer.d", "timer.d"});
}

TEST_CASE("folders of drop-ins for one service are found, and whose they are") {
  const las::test::TempDirectory root;
  const auto files = las::platform::make_posix_file_system();
  CHECK(drop_in_folders(*files, root / "none").empty());
  for (const char* name : {"las-a-b.service.d",
                           "las-health@c.timer.d",
                           "las-.service.d",
                           "redis.service.d",
                           "las-a-b.service"})
    files->make_directories(root / name);
  files->create_symlink(root / "las-d.service.d", root / "redis.service.d");
  using Folders = std::map<std::filesystem::path, std::string>;
  CHECK(drop_in_folders(*files, root.path()) ==
        Folders{{root / "las-a-b.service.d", "a-b"}, {root / "las-health@c.timer.d", "c"}});
}

TEST_CASE("comments, blanks and lines that go on are read as systemd reads them") {
  const auto found = contradictions(kBefore,
                                    "[Service]\nMemoryMax=300\n",
                                    "# mine\n; too\n\n [Service]\n MemoryMax = 7 \\\n  8\n");
  REQUIRE(found.size() == 1);
  CHECK(found.front().users == "7  8");
}
