// SPDX-License-Identifier: Apache-2.0
#include "pci.hpp"

#include "parse.hpp"

#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr const char* kDevices = "/sys/bus/pci/devices";

std::optional<std::uint64_t> read_hex(const platform::FileReader& files,
                                      const std::filesystem::path& path) {
  const auto text = files.try_read(path);
  return text ? parse_unsigned(*text, 16) : std::nullopt;
}

// Not worth a second look: storage, network, sound, memory, bridges, serial ports, USB and the
// like. Accelerators were seen as "processing accelerator", "signal processing controller" (AMD's
// NPU), "co-processor", "system peripheral" and without a class.
bool may_compute(std::uint64_t device_class) {
  switch (device_class >> 16) {
    case 0x00:
    case 0x03:
    case 0x08:
    case 0x0B:
    case 0x11:
    case 0x12:
    case 0xFF:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string PciDevice::id() const {
  return fmt::format("{:04x}:{:04x}", vendor, device);
}

bool is_gpu_class(std::uint64_t device_class, std::uint64_t vendor) {
  constexpr std::uint64_t kDisplay = 0x03, kAccelerator = 0x12, kAmd = 0x1002;
  const std::uint64_t base = device_class >> 16;
  return base == kDisplay || (base == kAccelerator && vendor == kAmd);
}

std::optional<std::string> normal_pci_address(std::string_view text) {
  const std::vector<std::string> parts = text::split(text::trim(text), ':');
  if (parts.size() != 3)
    return std::nullopt;
  const auto dot = parts[2].find('.');
  if (dot == std::string::npos)
    return std::nullopt;
  const auto domain = parse_unsigned(parts[0], 16);
  const auto bus = parse_unsigned(parts[1], 16);
  const auto slot = parse_unsigned(std::string_view(parts[2]).substr(0, dot), 16);
  const auto function = parse_unsigned(std::string_view(parts[2]).substr(dot + 1), 16);
  if (!domain || !bus || !slot || !function || *domain > 0xFFFFFFFF || *bus > 0xFF ||
      *slot > 0x1F || *function > 7)
    return std::nullopt;
  return fmt::format("{:04x}:{:02x}:{:02x}.{}", *domain, *bus, *slot, *function);
}

std::optional<std::string> pci_name(std::string_view database,
                                    std::uint32_t vendor,
                                    std::uint32_t device) {
  const std::string vendor_line = fmt::format("\n{:04x}  ", vendor);
  auto position = database.find(vendor_line);
  if (position == std::string_view::npos)
    return std::nullopt;
  position = database.find('\n', position + 1);
  const std::string device_start = fmt::format("\t{:04x}  ", device);
  while (position != std::string_view::npos) {
    const std::string_view line =
        database.substr(position + 1, database.find('\n', position + 1) - position - 1);
    if (!line.starts_with('\t') && !line.starts_with('#'))
      return std::nullopt;  // the next vendor
    if (line.starts_with(device_start)) {
      std::string name = printable(line.substr(device_start.size()));
      return name.empty() ? std::nullopt : std::optional<std::string>(std::move(name));
    }
    position = database.find('\n', position + 1);
  }
  return std::nullopt;
}

std::optional<std::string> PciNames::find(const PciDevice& device) const {
  if (!databases_) {
    databases_.emplace();
    for (const char* path : {"/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"}) {
      if (auto database = files_.try_read(path))
        databases_->push_back(std::move(*database));
    }
  }
  for (const std::string& database : *databases_) {
    if (auto name = pci_name(database, device.vendor, device.device))
      return name;
  }
  return std::nullopt;
}

std::optional<std::vector<PciDevice>> read_pci_devices(const platform::FileReader& files) {
  const auto names = try_list(files, kDevices);
  if (!names)
    return std::nullopt;
  std::vector<PciDevice> devices;
  for (const std::string& name : *names) {
    const std::filesystem::path folder = std::filesystem::path(kDevices) / name;
    const auto address = normal_pci_address(name);
    const auto device_class = address ? read_hex(files, folder / "class") : std::nullopt;
    if (!device_class || *device_class > 0xFFFFFF || !may_compute(*device_class))
      continue;
    const auto vendor = read_hex(files, folder / "vendor");
    const auto device = read_hex(files, folder / "device");
    if (!vendor || !device || *vendor > 0xFFFF || *device > 0xFFFF ||
        files.exists(folder / "physfn"))
      continue;
    devices.push_back({*address,
                       folder,
                       static_cast<std::uint32_t>(*device_class),
                       static_cast<std::uint32_t>(*vendor),
                       static_cast<std::uint32_t>(*device),
                       try_link_name(files, folder / "driver")});
  }
  return devices;
}

}  // namespace las::hardware
