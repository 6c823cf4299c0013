// SPDX-License-Identifier: Apache-2.0
#include "program_versions.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <filesystem>

using namespace las;
using namespace las::app;

TEST_CASE("versions of programs are kept for this boot only, and make no folder", "[app]") {
  const test::TempDirectory folder;
  const auto files = platform::make_posix_file_system();
  const auto cache = folder.path() / "cache";
  hardware::ProgramVersions programs;
  programs.versions = {{"/usr/bin/docker 1 2 3 4", "27.3.1"}};
  programs.changed = true;
  save_program_versions(*files, cache, "boot-1", programs);
  CHECK_FALSE(files->exists(cache));
  files->make_directories(cache);
  save_program_versions(*files, cache, "boot-1", programs);
  CHECK(load_program_versions(*files, cache, "boot-1").versions == programs.versions);
  CHECK(load_program_versions(*files, cache, "boot-2").versions.empty());
  CHECK(load_program_versions(*files, cache, "").versions.empty());
  programs.versions.clear();
  programs.changed = false;
  save_program_versions(*files, cache, "boot-1", programs);
  CHECK(load_program_versions(*files, cache, "boot-1").versions.size() == 1);
}

TEST_CASE("a damaged record of versions is as none", "[app]") {
  const test::TempDirectory folder;
  const auto files = platform::make_posix_file_system();
  for (const char* text : {"",
                           "[]",
                           "{\"boot\": 3}",
                           "{\"boot\": \"b\", \"versions\": []}",
                           "{\"boot\": \"b\", \"versions\": {\"x\": 1}}"}) {
    files->replace_file(folder.path() / "program-versions.json", text);
    CHECK(load_program_versions(*files, folder.path(), "b").versions.empty());
  }
}
