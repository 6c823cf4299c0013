// SPDX-License-Identifier: Apache-2.0
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/platform/file_system.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <stdlib.h>

namespace las::test {

TempDirectory::TempDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "las-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("mkdtemp failed: " + pattern);
  path_ = std::filesystem::canonical(pattern);
}

TempDirectory::~TempDirectory() {
  try {
    platform::make_posix_file_system()->remove_tree(path_);
  } catch (const Error&) {
    // What is left in /tmp shows in its own tests; a destructor cannot say it.
  }
}

std::filesystem::path TempDirectory::write(const std::string& name,
                                           std::string_view content) const {
  const std::filesystem::path path = path_ / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file)
    throw std::runtime_error("cannot write " + path.string());
  return path;
}

std::string TempDirectory::read(const std::string& name) const {
  std::ifstream file(path_ / name, std::ios::binary);
  if (!file)
    throw std::runtime_error("cannot read " + (path_ / name).string());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace las::test
