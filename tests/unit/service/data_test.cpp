// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/service/supervisor.hpp"

using namespace las;
using namespace las::service;

TEST_CASE("purging removes data, and the data behind systemd's link as well", "[service]") {
  const test::TempDirectory directory;
  const auto files = platform::make_posix_file_system();
  directory.write("lib/las/data/plain/file", "x");
  directory.write("lib/private/las/data/linked/file", "x");
  files->create_symlink(directory / "lib/las/data/linked", "../../private/las/data/linked");
  purge_data(*files, directory / "lib/las/data/plain");
  purge_data(*files, directory / "lib/las/data/linked");
  purge_data(*files, directory / "lib/las/data/absent");
  CHECK(files->list_directory(directory / "lib/las/data").empty());
  CHECK(files->list_directory(directory / "lib/private/las/data").empty());
}

TEST_CASE("purging does not follow a link that systemd did not make", "[service]") {
  const test::TempDirectory directory;
  const auto files = platform::make_posix_file_system();
  directory.write("mine/file", "x");
  directory.write("lib/private/las/data/other/file", "x");
  for (const char* target : {"../../../mine", "../../private/las/data/other"}) {
    const auto link = directory / "lib/las/data/tiny";
    files->make_directories(link.parent_path());
    files->create_symlink(link, target);
    try {
      purge_data(*files, link);
      FAIL("purged");
    } catch (const Error& error) {
      CHECK(error.message() == "this data directory is a link that leads elsewhere");
      CHECK(error.cause() == (link.parent_path() / target).lexically_normal().string());
    }
    files->remove_file(link);
  }
  CHECK(files->exists(directory / "mine/file"));
  CHECK(files->exists(directory / "lib/private/las/data/other/file"));
}
