// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace las::hardware {

/// One line of /proc/self/mountinfo.
struct MountPoint {
  std::string number;       ///< "259:2" of the block device; "0:..." where there is not just one
  std::string point;        ///< where it is mounted
  std::string file_system;  ///< "ext4"
  std::string source;       ///< "/dev/nvme0n1p2", "server:/export", "tank/data"
  std::string options;      ///< of the file system: "rw,lowerdir=...,upperdir=..."
};

/// The mount that holds `path`, from the text of /proc/self/mountinfo.
std::optional<MountPoint> mount_of(std::string_view mountinfo, const std::filesystem::path& path);

/// Fills device, device_kind and read_class of what `mount` lies on. An overlay is as its upper
/// layer, where that can be seen from here.
void read_device(const platform::FileReader& files,
                 std::string_view mountinfo,
                 const MountPoint& mount,
                 Storage& storage);

/// Whether files of this file system can share blocks, as far as its name tells.
Fact<bool> reflink_of(std::string_view file_system);

/// Of the live machine: the nearest existing parent of `path` is asked.
Storage read_storage(const platform::FileReader& files,
                     const std::string& purpose,
                     const std::filesystem::path& path);
/// A captured tree does not hold the sizes of its file systems.
Storage captured_storage(const platform::FileReader& files,
                         const std::string& purpose,
                         const std::filesystem::path& path);

}  // namespace las::hardware
