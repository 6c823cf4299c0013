// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pci.hpp"

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// What an accelerator or GPU of a vendor that pci.ids says little about is called, by its PCI id:
/// "19e5:d802" gives "Ascend 910B".
std::optional<std::string> accelerator_name(std::string_view id);

/// Whether the device is an accelerator and no GPU: by its class, or by its id where the class
/// tells nothing. Compression engines and the like are none.
bool is_accelerator(const PciDevice& device);

/// The accelerators: those with a device below /sys/class/accel (Documentation/accel in Linux) and
/// those that PCI shows. Unknown if there is no list of PCI devices.
Fact<std::vector<Accelerator>> read_accelerators(
    const platform::FileReader& files,
    const PciNames& names,
    const std::optional<std::vector<PciDevice>>& devices);

}  // namespace las::hardware
