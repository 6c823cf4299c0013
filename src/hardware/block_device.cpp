// SPDX-License-Identifier: Apache-2.0
#include "block_device.hpp"

#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <vector>

#include <fmt/format.h>

namespace las::hardware {

namespace fs = std::filesystem;

namespace {

fs::path folder_of(const std::string& name) {
  return fs::path("/sys/class/block") / name;
}

// Where the kernel's device tree has it: ".../ata1/host0/.../sda", ".../nvme/nvme0/nvme0n1".
std::string place_of(const platform::FileReader& files, const std::string& name) {
  try {
    return files.read_symlink(folder_of(name)).string();
  } catch (const Error&) {
    return {};
  }
}

void collect_disks(const platform::FileReader& files,
                   const std::string& name,
                   int depth,
                   std::set<std::string>& disks) {
  constexpr int kDeepest = 8;
  if (depth > kDeepest || name.empty() || name.find('/') != std::string::npos)
    return;
  if (files.exists(folder_of(name) / "partition")) {
    collect_disks(
        files, fs::path(place_of(files, name)).parent_path().filename(), depth + 1, disks);
    return;
  }
  const auto below = try_list(files, folder_of(name) / "slaves");
  if (!below || below->empty()) {
    disks.insert(name);
    return;
  }
  for (const std::string& slave : *below)
    collect_disks(files, slave, depth + 1, disks);
}

bool starts(const std::string& name, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(
      prefixes.begin(), prefixes.end(), [&](auto prefix) { return name.starts_with(prefix); });
}

// Disks that a hypervisor or a cloud shows under the names of real ones: what lies behind them is
// not known. SCSI vendors as their emulations spell them; the models of network volumes.
bool is_virtual_model(std::string_view vendor, std::string_view model) {
  static constexpr std::array<std::string_view, 6> kVendors = {
      "QEMU", "VMware", "VBOX", "Msft", "Google", "XENSRC"};
  static constexpr std::array<std::string_view, 6> kModels = {"QEMU",
                                                              "VBOX",
                                                              "VMware Virtual",
                                                              "Amazon Elastic Block Store",
                                                              "nvme_card-pd",
                                                              "MSFT NVMe Accelerator"};
  const auto begins = [](std::string_view text) {
    return [text](std::string_view mark) { return text.starts_with(mark); };
  };
  return std::any_of(kVendors.begin(), kVendors.end(), begins(vendor)) ||
         std::any_of(kModels.begin(), kModels.end(), begins(model));
}

// The folder of the NVMe controller: above the disk, or, where one disk may have several
// controllers, below the subsystem.
fs::path nvme_controller(const platform::FileReader& files, const std::string& name) {
  const fs::path above = folder_of(name) / "device";
  if (files.exists(above / "transport"))
    return above;
  for (const std::string& entry : try_list(files, above).value_or(std::vector<std::string>{})) {
    if (entry.starts_with("nvme") && files.exists(above / entry / "transport"))
      return above / entry;
  }
  return above;
}

Fact<std::string> nvme_read_class(const platform::FileReader& files, const fs::path& controller) {
  const fs::path pci = controller / "device";
  const std::string origin = (pci / "current_link_speed").string();
  const auto speed = files.try_read(pci / "current_link_speed");
  const auto width = files.try_read(pci / "current_link_width");
  const auto rate = speed ? parse_link_speed(*speed) : std::nullopt;
  const auto lanes = width ? parse_int(*width) : std::nullopt;
  if (!rate || !lanes)
    return Fact<std::string>::missing(_("the speed of its PCIe link cannot be read"));
  if (auto name = pcie_class(*rate, *lanes))
    return Fact<std::string>::known(*name, origin);
  return Fact<std::string>::missing(fmt::format(
      fmt::runtime(_("its PCIe link ({:g} GT/s, {} lanes) is slower than four lanes of PCIe 3")),
      *rate,
      *lanes));
}

BlockDevice read_nvme(const platform::FileReader& files, const std::string& name) {
  const fs::path controller = nvme_controller(files, name);
  const std::string origin = folder_of(name).string();
  BlockDevice disk;
  if (const auto transport = files.try_read(controller / "transport");
      transport && *transport != "pcie") {
    disk.kind = Fact<std::string>::known("network", (controller / "transport").string());
    disk.read_class = Fact<std::string>::missing(_("the speed of a network is not known"));
    return disk;
  }
  disk.kind = Fact<std::string>::known("nvme", origin);
  disk.read_class = nvme_read_class(files, controller);
  return disk;
}

BlockDevice read_scsi(const platform::FileReader& files, const std::string& name) {
  BlockDevice disk;
  const fs::path rotational = folder_of(name) / "queue" / "rotational";
  const auto spins = files.try_read(rotational);
  if (!spins || (*spins != "0" && *spins != "1")) {
    disk.kind = Fact<std::string>::missing(_("the kernel does not tell whether the disk spins"));
    disk.read_class = disk.kind;
    return disk;
  }
  const bool hdd = *spins == "1";
  disk.kind = Fact<std::string>::known(hdd ? "hdd" : "ssd", rotational.string());
  const std::string place = place_of(files, name);
  if (place.find("/usb") != std::string::npos)
    disk.read_class = Fact<std::string>::missing(_("it is behind USB"));
  else if (hdd)
    disk.read_class = Fact<std::string>::known("hdd", rotational.string());
  else if (place.find("/ata") != std::string::npos)
    disk.read_class = Fact<std::string>::known("sata", folder_of(name).string());
  else
    disk.read_class = Fact<std::string>::missing(_("its bus is not SATA, and its speed not known"));
  return disk;
}

BlockDevice read_disk(const platform::FileReader& files, const std::string& name) {
  BlockDevice disk;
  const auto read = [&](const char* what) {
    return printable(files.try_read(folder_of(name) / "device" / what).value_or(""));
  };
  if (starts(name, {"zram", "ram"})) {
    disk.kind = Fact<std::string>::known("memory", folder_of(name).string());
    disk.read_class = Fact<std::string>::missing(_("it lies in memory"));
  } else if (starts(name, {"vd", "xvd"}) || is_virtual_model(read("vendor"), read("model"))) {
    disk.kind = Fact<std::string>::known("virtual", folder_of(name).string());
    disk.read_class = Fact<std::string>::missing(_("what lies behind a virtual disk is not known"));
  } else if (starts(name, {"nvme"})) {
    disk = read_nvme(files, name);
  } else if (starts(name, {"sd"})) {
    disk = read_scsi(files, name);
  } else if (starts(name, {"nbd", "rbd", "drbd"})) {
    disk.kind = Fact<std::string>::known("network", folder_of(name).string());
    disk.read_class = Fact<std::string>::missing(_("the speed of a network is not known"));
  } else {
    disk.kind = Fact<std::string>::missing(
        fmt::format(fmt::runtime(_("las does not know disks called {}")), printable(name)));
    disk.read_class = disk.kind;
  }
  disk.device = text_fact(name, "/sys/class/block", _("the disk has no name"));
  return disk;
}

// The slower of two, by the order of `ranks`; what is not known is slower than anything known.
void take_slower(Fact<std::string>& slowest,
                 const Fact<std::string>& other,
                 std::initializer_list<std::string_view> ranks) {
  const auto rank = [&](const Fact<std::string>& fact) {
    return fact.is_known() ? std::find(ranks.begin(), ranks.end(), *fact.value) : ranks.begin();
  };
  if (slowest.is_known() && rank(other) < rank(slowest))
    slowest = other;
}

}  // namespace

std::optional<double> parse_link_speed(std::string_view text) {
  const auto version = first_version(text);  // "16.0 GT/s PCIe", "Unknown"
  if (!version || text.find("GT/s") == std::string_view::npos)
    return std::nullopt;
  const std::vector<std::string> parts = text::split(version->text(), '.');
  const auto whole = parse_int(parts[0]);
  const auto tenths = parts.size() > 1 ? parse_int(parts[1].substr(0, 1)) : 0;
  if (!whole || !tenths || *whole > 1000)
    return std::nullopt;
  return *whole + *tenths / 10.0;
}

std::optional<std::string> pcie_class(double gigatransfers, int lanes) {
  // Rates below 8 GT/s spend two bits of ten on the code, those from 8 on two of 130.
  const double useful = gigatransfers < 8 ? gigatransfers * 0.8 : gigatransfers * 128 / 130;
  const double total = useful * std::clamp(lanes, 0, 32);
  constexpr double kFourLanesOfPcie3 = 8.0 * 128 / 130 * 4;
  if (total < kFourLanesOfPcie3)
    return std::nullopt;
  if (total < kFourLanesOfPcie3 * 2)
    return "pcie3";
  return total < kFourLanesOfPcie3 * 4 ? "pcie4" : "pcie5";
}

BlockDevice read_block_device(const platform::FileReader& files, const std::string& name) {
  std::set<std::string> names;
  collect_disks(files, name, 0, names);
  BlockDevice result;
  if (names.empty()) {
    result.device = result.kind = result.read_class =
        Fact<std::string>::missing(_("/sys/class/block does not show its disk"));
    return result;
  }
  for (const std::string& disk_name : names) {
    const BlockDevice disk = read_disk(files, disk_name);
    if (disk_name == *names.begin()) {
      result = disk;
      continue;
    }
    take_slower(result.kind, disk.kind, {"", "hdd", "network", "virtual", "ssd", "nvme", "memory"});
    take_slower(result.read_class, disk.read_class, {"", "hdd", "sata", "pcie3", "pcie4", "pcie5"});
    if (result.device.is_known())
      *result.device.value += " " + printable(disk_name);
  }
  return result;
}

}  // namespace las::hardware
