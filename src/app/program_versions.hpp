// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/probe.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <string>

namespace las::app {

/// What an earlier run within this boot kept in `cache`; nothing when there is nothing usable.
hardware::ProgramVersions load_program_versions(const platform::FileReader& files,
                                                const std::filesystem::path& cache,
                                                const std::string& boot_id);

/// Keeps it for the next run, if the folder is there already: looking makes no folders. It is only
/// a cache: that it cannot be written is nobody's trouble.
void save_program_versions(platform::FileSystem& files,
                           const std::filesystem::path& cache,
                           const std::string& boot_id,
                           const hardware::ProgramVersions& programs);

}  // namespace las::app
