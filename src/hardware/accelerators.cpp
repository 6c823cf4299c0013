// SPDX-License-Identifier: Apache-2.0
#include "accelerators.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr const char* kClass = "/sys/class/accel";

using Row = std::pair<std::string_view, std::string_view>;

// Makers by PCI vendor id, as pci.ids has them.
std::string vendor_of(std::uint32_t id) {
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 17> kVendors = {
      {{0x1002, "amd"},
       {0x1022, "amd"},
       {0x10de, "nvidia"},
       {0x10ee, "amd"},
       {0x17cb, "qualcomm"},
       {0x19e5, "huawei"},
       {0x1ac1, "google"},
       {0x1d0f, "amazon"},
       {0x1d22, "baidu"},
       {0x1d95, "graphcore"},
       {0x1da3, "habana"},
       {0x1e36, "enflame"},
       {0x1e52, "tenstorrent"},
       {0x1e60, "hailo"},
       {0x8086, "intel"},
       {0x9999, "metax"},
       {0xcabc, "cambricon"}}};
  for (const auto& [vendor, name] : kVendors) {
    if (vendor == id)
      return name;
  }
  return fmt::format("{:04x}", id);
}

// The node of the kernel's accel class that belongs to each PCI device: "accel0" by address.
std::map<std::string, std::string> read_accel_nodes(const platform::FileReader& files) {
  std::map<std::string, std::string> nodes;
  for (const std::string& name : try_list(files, kClass).value_or(std::vector<std::string>{})) {
    const auto device = try_link_name(files, std::filesystem::path(kClass) / name / "device");
    if (const auto address = device ? normal_pci_address(*device) : std::nullopt)
      nodes[*address] = name;
  }
  return nodes;
}

Accelerator read_accelerator(const PciNames& names,
                             const PciDevice& device,
                             const std::map<std::string, std::string>& nodes) {
  Accelerator accelerator;
  accelerator.vendor = vendor_of(device.vendor);
  accelerator.pci_address = Fact<std::string>::known(device.address, "/sys/bus/pci/devices");
  accelerator.pci_id = Fact<std::string>::known(device.id(), device.folder.string());
  accelerator.kernel_driver =
      text_fact(device.driver, device.folder.string(), _("no kernel driver is bound to it"));
  accelerator.name = text_fact(names.find(device), "pci.ids", _("pci.ids does not name it"));
  if (!accelerator.name.is_known()) {
    if (const auto name = accelerator_name(device.id()))
      accelerator.name = Fact<std::string>::known(*name, "PCI id");
  }
  const auto node = nodes.find(device.address);
  if (node != nodes.end())
    accelerator.device = Fact<std::string>::known("/dev/accel/" + node->second, kClass);
  else
    accelerator.device =
        Fact<std::string>::missing(device.driver ? _("its driver has no device in /sys/class/accel")
                                                 : _("no kernel driver is bound to it"));
  return accelerator;
}

}  // namespace

std::optional<std::string> accelerator_name(std::string_view id) {
  // Huawei: the log collector of its driver package (PCIE_BDF_310 ... PCIE_BDF_910_93). AMD and
  // Intel: the id tables of amdxdna and intel_vpu in Linux. MetaX: its engines' tables of cards.
  static constexpr std::array<Row, 15> kNames = {{{"19e5:d100", "Ascend 310"},
                                                  {"19e5:d500", "Ascend 310P"},
                                                  {"19e5:d801", "Ascend 910"},
                                                  {"19e5:d802", "Ascend 910B"},
                                                  {"19e5:d803", "Ascend 910C"},
                                                  {"9999:4000", "MetaX C550"},
                                                  {"9999:4001", "MetaX C500"},
                                                  {"9999:4081", "MetaX C280"},
                                                  {"9999:4083", "MetaX N260"},
                                                  {"1022:1502", "XDNA NPU"},
                                                  {"1022:17f0", "XDNA 2 NPU"},
                                                  {"8086:7d1d", "Meteor Lake NPU"},
                                                  {"8086:ad1d", "Arrow Lake NPU"},
                                                  {"8086:643e", "Lunar Lake NPU"},
                                                  {"8086:b03e", "Panther Lake NPU"}}};
  for (const auto& [row, name] : kNames) {
    if (row == id)
      return std::string(name);
  }
  return std::nullopt;
}

bool is_accelerator(const PciDevice& device) {
  constexpr std::uint32_t kProcessing = 0x12;
  const std::string id = device.id();
  const auto in = [&](const auto& ids) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  // AMD's NPUs are "signal processing controllers", Hailo's "co-processors", Google's "system
  // peripherals".
  static constexpr std::array<std::string_view, 4> kOtherClasses = {
      "1022:1502", "1022:17f0", "1e60:2864", "1ac1:089a"};
  // HiSilicon's ZIP engine, in every Kunpeng processor.
  static constexpr std::array<std::string_view, 2> kOtherPurposes = {"19e5:a250", "19e5:a251"};
  if (is_gpu_class(device.device_class, device.vendor))
    return false;
  return (device.device_class >> 16 == kProcessing && !in(kOtherPurposes)) || in(kOtherClasses);
}

Fact<std::vector<Accelerator>> read_accelerators(
    const platform::FileReader& files,
    const PciNames& names,
    const std::optional<std::vector<PciDevice>>& devices) {
  using List = Fact<std::vector<Accelerator>>;
  if (!devices)
    return List::missing(_("/sys/bus/pci/devices could not be read"));
  const auto nodes = read_accel_nodes(files);
  std::vector<Accelerator> accelerators;
  for (const PciDevice& device : *devices) {
    const bool has_node = nodes.contains(device.address);
    if (is_accelerator(device) || (has_node && !is_gpu_class(device.device_class, device.vendor)))
      accelerators.push_back(read_accelerator(names, device, nodes));
  }
  return List::known(std::move(accelerators), "/sys/bus/pci/devices");
}

}  // namespace las::hardware
