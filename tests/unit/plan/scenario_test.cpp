// SPDX-License-Identifier: Apache-2.0
// Runs tests/scenario/*.test: see tests/scenario/README. With LAS_TEST_ACCEPT=1 it rewrites what a
// case expects and reports the case as not passed.
#include "unit/plan/scenario.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> scenario_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(LAS_SOURCE_DIR) / "tests/scenario")) {
    if (entry.path().extension() == ".test")
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("every scenario ends as its file expects", "[plan][scenario]") {
  const std::vector<fs::path> files = scenario_files();
  REQUIRE(files.size() >= 25);
  const bool accept = std::getenv("LAS_TEST_ACCEPT") != nullptr;
  for (const fs::path& file : files) {
    DYNAMIC_SECTION(file.stem().string()) {
      INFO(file.string());
      const std::string text = read_file(file);
      const scenario::Sections sections = scenario::split(text);
      const std::string actual = scenario::run(sections, LAS_SOURCE_DIR);
      const std::string& expected = sections.at("EXPECT");
      if (actual != expected && accept) {
        std::ofstream(file, std::ios::binary)
            << text.substr(0, text.find("@EXPECT\n")) << "@EXPECT\n"
            << actual;
        FAIL_CHECK("rewritten: read the difference before you keep it");
      } else {
        CHECK(actual == expected);
      }
    }
  }
}
