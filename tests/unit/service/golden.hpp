// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

/// Compares with tests/golden/<name>; LAS_TEST_ACCEPT=1 rewrites the file instead.
inline void check_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(LAS_SOURCE_DIR) / "tests" / "golden" / name;
  if (const char* accept = std::getenv("LAS_TEST_ACCEPT"); accept && std::string(accept) == "1") {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    WARN("skipped: rewritten " << path.string());
    return;
  }
  std::ifstream file(path, std::ios::binary);
  INFO("golden file " << path.string());
  REQUIRE(file.good());
  std::ostringstream golden;
  golden << file.rdbuf();
  CHECK(text == golden.str());
}
