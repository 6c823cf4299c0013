// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace las::hardware {

struct MountPoint {
  std::string file_system;  ///< "ext4"
};

/// The file system type of the mount that holds `path`, from the text of /proc/self/mountinfo; ""
/// if none does.
std::string file_system_of(std::string_view mountinfo, const std::filesystem::path& path);

/// Of the live machine: the nearest existing parent of `path` is asked.
Storage read_storage(const platform::FileReader& files,
                     const std::string& purpose,
                     const std::filesystem::path& path);
/// A captured tree does not hold the sizes of its file systems.
Storage captured_storage(const platform::FileReader& files,
                         const std::string& purpose,
                         const std::filesystem::path& path);

}  // namespace las::hardware
