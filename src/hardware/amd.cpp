// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr const char* kNodes = "/sys/class/kfd/kfd/topology/nodes";

// "0000:03:00.0" as KFD writes it: the domain, and bus, slot and function in one number.
struct Location {
  std::uint64_t domain = 0, id = 0;
};

std::optional<Location> location_of(const std::string& address) {
  const std::vector<std::string> parts = text::split(address, ':');
  if (parts.size() != 3 || parts[2].size() < 4)
    return std::nullopt;
  const auto domain = parse_unsigned(parts[0], 16);
  const auto bus = parse_unsigned(parts[1], 16);
  const auto slot = parse_unsigned(std::string_view(parts[2]).substr(0, 2), 16);
  const auto function = parse_unsigned(std::string_view(parts[2]).substr(3), 16);
  if (!domain || !bus || !slot || !function)
    return std::nullopt;
  return Location{*domain, *bus << 8 | *slot << 3 | *function};
}

Fact<std::string> read_gfx_target(const platform::FileReader& files, const std::string& address) {
  const auto location = location_of(address);
  const auto nodes = try_list(files, kNodes);
  if (!nodes || !location)
    return Fact<std::string>::missing(_("the kernel has no /sys/class/kfd (amdkfd is not loaded)"));
  for (const std::string& node : *nodes) {
    const auto text = files.try_read(std::filesystem::path(kNodes) / node / "properties");
    if (!text)
      continue;
    const auto properties = parse_kfd_properties(*text);
    const auto value = [&](const char* key) {
      const auto found = properties.find(key);
      return found == properties.end() ? std::uint64_t{0} : found->second;
    };
    if (value("simd_count") == 0 || value("location_id") != location->id ||
        value("domain") != location->domain)
      continue;
    if (auto target = gfx_target(value("gfx_target_version")))
      return Fact<std::string>::known(*target, fmt::format("{}/{}/properties", kNodes, node));
  }
  return Fact<std::string>::missing(_("amdkfd does not list this GPU"));
}

Fact<ByteSize> read_bytes(const platform::FileReader& files,
                          const std::filesystem::path& path,
                          const std::string& why) {
  const auto text = files.try_read(path);
  const auto bytes = text ? parse_unsigned(*text) : std::nullopt;
  return bytes ? Fact<ByteSize>::known(ByteSize(*bytes), path.string())
               : Fact<ByteSize>::missing(why);
}

}  // namespace

std::map<std::string, std::uint64_t> parse_kfd_properties(std::string_view text) {
  std::map<std::string, std::uint64_t> values;
  for (const std::string& line : text::lines(text)) {
    const auto space = line.find(' ');
    if (space == std::string::npos)
      continue;
    if (const auto number = parse_unsigned(std::string_view(line).substr(space + 1)))
      values[line.substr(0, space)] = *number;
  }
  return values;
}

std::optional<std::string> gfx_target(std::uint64_t version) {
  const std::uint64_t major = version / 10000;
  const std::uint64_t minor = version / 100 % 100;
  const std::uint64_t stepping = version % 100;
  if (major == 0 || major > 99 || minor > 15 || stepping > 15)
    return std::nullopt;
  return fmt::format("gfx{}{:x}{:x}", major, minor, stepping);
}

std::optional<bool> is_integrated_amd(std::string_view target) {
  // The "APU"/"dGPU" column of LLVM's AMDGPUUsage; gfx942 is both (MI300A, MI300X).
  static constexpr std::array<std::string_view, 17> kIntegrated = {"gfx700",
                                                                   "gfx703",
                                                                   "gfx705",
                                                                   "gfx801",
                                                                   "gfx810",
                                                                   "gfx902",
                                                                   "gfx909",
                                                                   "gfx90c",
                                                                   "gfx1013",
                                                                   "gfx1033",
                                                                   "gfx1035",
                                                                   "gfx1036",
                                                                   "gfx1103",
                                                                   "gfx1150",
                                                                   "gfx1151",
                                                                   "gfx1152",
                                                                   "gfx1153"};
  static constexpr std::array<std::string_view, 24> kDiscrete = {
      "gfx701",  "gfx702",  "gfx704",  "gfx802",  "gfx803",  "gfx805",  "gfx900",  "gfx904",
      "gfx906",  "gfx908",  "gfx90a",  "gfx950",  "gfx1010", "gfx1011", "gfx1012", "gfx1030",
      "gfx1031", "gfx1032", "gfx1034", "gfx1100", "gfx1101", "gfx1102", "gfx1200", "gfx1201"};
  const auto in = [&](const auto& table) {
    return std::find(table.begin(), table.end(), target) != table.end();
  };
  if (in(kIntegrated))
    return true;
  if (in(kDiscrete))
    return false;
  return std::nullopt;
}

Gpu amd_gpu(const platform::FileReader& files, const PciDevice& device) {
  Gpu gpu = pci_gpu(files, device, GpuVendor::Amd);
  gpu.compute_capability = Fact<Version>::missing(_("only NVIDIA GPUs have one"));
  if (const auto product = files.try_read(device.folder / "product_name");
      product && !printable(*product).empty())
    gpu.name =
        Fact<std::string>::known(printable(*product), (device.folder / "product_name").string());
  gpu.uuid = text_fact(files.try_read(device.folder / "unique_id"),
                       (device.folder / "unique_id").string(),
                       _("amdgpu gives this GPU no unique id"));
  const std::string why =
      silent_driver_reason(device.driver).value_or(_("the kernel driver does not report it"));
  gpu.vram = read_bytes(files, device.folder / "mem_info_vram_total", why);
  gpu.vram_free = Fact<ByteSize>::missing(why);
  const Fact<ByteSize> used = read_bytes(files, device.folder / "mem_info_vram_used", why);
  if (gpu.vram.is_known() && used.is_known() && *used.value <= *gpu.vram.value)
    gpu.vram_free =
        Fact<ByteSize>::known(ByteSize(gpu.vram.value->bytes() - used.value->bytes()), used.origin);
  gpu.gfx_target = read_gfx_target(files, device.address);
  const auto integrated =
      gpu.gfx_target.is_known() ? is_integrated_amd(*gpu.gfx_target.value) : std::nullopt;
  gpu.integrated = integrated
                       ? Fact<bool>::known(*integrated, "gfx target")
                       : Fact<bool>::missing(gpu.gfx_target.is_known()
                                                 ? std::string(_("the gfx target does not tell"))
                                                 : gpu.gfx_target.unknown);
  return gpu;
}

}  // namespace las::hardware
