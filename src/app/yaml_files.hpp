// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"

#include <filesystem>
#include <vector>

namespace las::app {

/// The files themselves, and the *.yaml below the folders. NotFound for a path that is not there.
std::vector<std::filesystem::path> yaml_files(const platform::FileReader& files,
                                              const std::vector<std::filesystem::path>& paths);

}  // namespace las::app
