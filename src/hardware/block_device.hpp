// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace las::hardware {

/// What a file system lies on: the facts of Storage with these names.
struct BlockDevice {
  Fact<std::string> device, kind, read_class;
};

/// The disks below block device `name` ("nvme0n1p2", "dm-0", "md127"): through partitions, device
/// mapper and RAID down to whole disks, as /sys/class/block shows them. Of several disks the
/// slowest one tells kind and class.
BlockDevice read_block_device(const platform::FileReader& files, const std::string& name);

/// Where a link of `lanes` lanes at `gigatransfers` GT/s stands among the classes: "pcie3" has at
/// least what four lanes of PCIe 3 have. Nothing for slower ones.
std::optional<std::string> pcie_class(double gigatransfers, int lanes);

/// current_link_speed: "16.0 GT/s PCIe" is 16.
std::optional<double> parse_link_speed(std::string_view text);

}  // namespace las::hardware
