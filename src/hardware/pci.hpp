// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// One device of /sys/bus/pci/devices.
struct PciDevice {
  std::string address;  ///< "0000:65:00.0"
  std::filesystem::path folder;
  std::uint32_t device_class = 0;  ///< 24 bits: base class, sub-class, interface
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

/// The machine's own pci.ids, if it has one: a megabyte, read when the first name is asked for.
class PciNames {
 public:
  explicit PciNames(const platform::FileReader& files) : files_(files) {}

  std::optional<std::string> find(const PciDevice& device) const;

 private:
  const platform::FileReader& files_;
  mutable std::optional<std::vector<std::string>> databases_;
};

/// Display controllers, processing accelerators and the rarer classes that accelerators go by, by
/// address; nothing if there is no such folder. The virtual functions of a device are left out on
/// the machine that has the device itself.
std::optional<std::vector<PciDevice>> read_pci_devices(const platform::FileReader& files);

}  // namespace las::hardware
