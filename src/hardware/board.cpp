// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr const char* kModel = "/proc/device-tree/model";
constexpr const char* kCompatible = "/proc/device-tree/compatible";
constexpr const char* kVendor = "/sys/class/dmi/id/sys_vendor";
constexpr const char* kProduct = "/sys/class/dmi/id/product_name";

constexpr const char* kGb10 = "NVIDIA GB10";
constexpr const char* kJetson = "NVIDIA Jetson";

// What makers of main boards leave in these fields.
bool is_placeholder(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kPlaceholders = {"to be filled by o.e.m.",
                                                                    "system manufacturer",
                                                                    "system product name",
                                                                    "default string",
                                                                    "not specified",
                                                                    "o.e.m.",
                                                                    "none"};
  return std::find(kPlaceholders.begin(), kPlaceholders.end(), text::lower(text)) !=
         kPlaceholders.end();
}

Fact<std::string> read_dmi(const platform::FileReader& files, const char* path) {
  auto fact = text_fact(files.try_read(path), path, _("neither DMI nor a device tree tells it"));
  if (fact.is_known() && is_placeholder(*fact.value))
    return Fact<std::string>::missing(
        fmt::format(fmt::runtime(_("the firmware says only \"{}\"")), *fact.value));
  return fact;
}

// Both are texts that end with NUL; `compatible` holds several, "VENDOR,PART" each.
void read_device_tree(const platform::FileReader& files, Board& board) {
  const auto model = files.try_read(kModel);
  if (!board.product.is_known() && model)
    board.product = text_fact(model, kModel, board.product.unknown);
  const auto compatible = files.try_read(kCompatible);
  if (!board.vendor.is_known() && compatible) {
    const auto comma = compatible->find(',');
    if (comma != std::string::npos)
      board.vendor = text_fact(compatible->substr(0, comma), kCompatible, board.vendor.unknown);
  }
}

std::optional<Fact<std::string>> family_of_gpus(const std::vector<Gpu>& gpus) {
  for (const Gpu& gpu : gpus) {
    if (auto family = unified_family_of_pci_id(gpu.pci_id.value.value_or("")))
      return Fact<std::string>::known(*family, gpu.pci_id.origin);
    if (gpu.gfx_target.value == "gfx1151")
      return Fact<std::string>::known("AMD Strix Halo", gpu.gfx_target.origin);
    if (gpu.vendor == GpuVendor::Nvidia && gpu.compute_capability.value == Version("12.1"))
      return Fact<std::string>::known(kGb10, gpu.compute_capability.origin);
  }
  return std::nullopt;
}

Fact<std::string> read_family(const platform::FileReader& files,
                              const Board& board,
                              const Fact<std::vector<Gpu>>& gpus) {
  if (read_tegra(files))
    return Fact<std::string>::known(kJetson, kCompatible);
  const std::string product = board.product.value.value_or("");
  if (product.find("Jetson") != std::string::npos)
    return Fact<std::string>::known(kJetson, board.product.origin);
  if (product == "NVIDIA_DGX_Spark")
    return Fact<std::string>::known(kGb10, board.product.origin);
  if (!gpus.is_known())
    return Fact<std::string>::missing(gpus.unknown);
  if (auto family = family_of_gpus(*gpus.value))
    return *family;
  return Fact<std::string>::known("none", gpus.origin);
}

}  // namespace

std::optional<Tegra> tegra_of(std::string_view compatible) {
  static constexpr std::array<Tegra, 5> kTegras = {{{"nvidia,tegra210", "5.3"},
                                                    {"nvidia,tegra186", "6.2"},
                                                    {"nvidia,tegra194", "7.2"},
                                                    {"nvidia,tegra234", "8.7"},
                                                    {"nvidia,tegra264", "11.0"}}};
  for (const std::string& word : text::split(compatible, '\0')) {
    for (const Tegra& tegra : kTegras) {
      if (word == tegra.compatible)
        return tegra;
    }
  }
  return std::nullopt;
}

std::optional<Tegra> read_tegra(const platform::FileReader& files) {
  const auto compatible = files.try_read(kCompatible);
  return compatible ? tegra_of(*compatible) : std::nullopt;
}

std::optional<std::string> unified_family_of_pci_id(std::string_view id) {
  // As pci.ids names them: GB20B [GB10]; Strix Halo [Radeon 8050S / 8060S]; Aqua Vanjaram
  // [Instinct MI300A]. GPUs of Grace Hopper and Grace Blackwell are not here: they have memory of
  // their own beside what they can reach of the CPU's.
  using Row = std::pair<std::string_view, const char*>;
  static constexpr std::array<Row, 3> kIds = {
      {{"10de:2e12", kGb10}, {"1002:1586", "AMD Strix Halo"}, {"1002:74a0", "AMD MI300A"}}};
  for (const auto& [row, family] : kIds) {
    if (row == id)
      return family;
  }
  return std::nullopt;
}

Board read_board(const platform::FileReader& files, const Fact<std::vector<Gpu>>& gpus) {
  Board board;
  board.vendor = read_dmi(files, kVendor);
  board.product = read_dmi(files, kProduct);
  read_device_tree(files, board);
  board.unified_memory = read_family(files, board, gpus);
  return board;
}

}  // namespace las::hardware
