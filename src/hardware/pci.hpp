// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// One display device of /sys/bus/pci/devices.
struct PciDevice {
  std::string address;  ///< "0000:65:00.0"
  std::filesystem::path folder;
  std::uint32_t vendor = 0, device = 0;
  std::optional<std::string> driver;  ///< nothing: no driver is bound

  std::string id() const;  ///< "10de:2684"
};

/// Whether a device of this class (the 24 bits of /sys/.../class) may be a GPU: any display
/// controller, and AMD's accelerators without display outputs, which call themselves "processing
/// accelerators" (that class is also used by NPUs of others).
bool is_gpu_class(std::uint64_t device_class, std::uint64_t vendor);

/// "0000:65:00.0" in this spelling, whatever case and domain width the source used.
std::optional<std::string> normal_pci_address(std::string_view text);

/// The device's name in a pci.ids database.
std::optional<std::string> pci_name(std::string_view database,
                                    std::uint32_t vendor,
                                    std::uint32_t device);
/// The same from the machine's own database, if it has one.
std::optional<std::string> read_pci_name(const platform::FileReader& files,
                                         const PciDevice& device);

/// GPUs by address; nothing if there is no such folder.
std::optional<std::vector<PciDevice>> read_pci_gpus(const platform::FileReader& files);

}  // namespace las::hardware
