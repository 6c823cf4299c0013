// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"
#include "gpus.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <array>

namespace las::hardware {

namespace {

Fact<ByteSize> read_bytes(const platform::FileReader& files,
                          const std::filesystem::path& path,
                          const std::string& why) {
  const auto text = files.try_read(path);
  const auto bytes = text ? parse_unsigned(*text) : std::nullopt;
  return bytes ? Fact<ByteSize>::known(ByteSize(*bytes), path.string())
               : Fact<ByteSize>::missing(why);
}

// The driver tells VRAM of the whole GPU; a partition has what its topology node tells.
void read_vram(const platform::FileReader& files,
               const PciDevice& device,
               const std::string& why,
               Gpu& gpu) {
  gpu.vram = read_bytes(files, device.folder / "mem_info_vram_total", why);
  gpu.vram_free = Fact<ByteSize>::missing(why);
  const Fact<ByteSize> used = read_bytes(files, device.folder / "mem_info_vram_used", why);
  if (gpu.vram.is_known() && used.is_known() && *used.value <= *gpu.vram.value)
    gpu.vram_free =
        Fact<ByteSize>::known(ByteSize(gpu.vram.value->bytes() - used.value->bytes()), used.origin);
}

// An MI300A counts all of its memory as VRAM, though the CPU has the same.
constexpr std::string_view kAllShared = "AMD MI300A";

Fact<bool> read_integrated(const Gpu& gpu) {
  if (const auto integrated = is_integrated_amd(gpu.gfx_target.value.value_or("")))
    return Fact<bool>::known(*integrated, "gfx target");
  if (unified_family_of_pci_id(*gpu.pci_id.value))
    return Fact<bool>::known(true, "PCI id");
  return Fact<bool>::missing(gpu.gfx_target.is_known()
                                 ? std::string(_("the gfx target does not tell"))
                                 : gpu.gfx_target.unknown);
}

// What all partitions of the device share.
Gpu whole_gpu(const GpuSources& sources, const PciDevice& device) {
  const platform::FileReader& files = sources.files;
  Gpu gpu = pci_gpu(sources, device, GpuVendor::Amd);
  if (const auto product = files.try_read(device.folder / "product_name");
      product && !printable(*product).empty())
    gpu.name =
        Fact<std::string>::known(printable(*product), (device.folder / "product_name").string());
  gpu.uuid = text_fact(files.try_read(device.folder / "unique_id"),
                       (device.folder / "unique_id").string(),
                       _("amdgpu gives this GPU no unique id"));
  const std::string why =
      silent_driver_reason(device.driver).value_or(_("the kernel driver does not report it"));
  read_vram(files, device, why, gpu);
  gpu.gtt = read_bytes(files, device.folder / "mem_info_gtt_total", why);
  gpu.power_limit = read_power_limit(files, device, "power1_cap");
  if (!gpu.driver_state.is_known() && device.driver == "amdgpu")
    gpu.driver_state = Fact<std::string>::known(gpu.vram.is_known() ? "working" : "broken",
                                                device.folder.string());
  return gpu;
}

}  // namespace

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

std::vector<Gpu> amd_gpus(const GpuSources& sources,
                          const std::optional<std::vector<KfdNode>>& topology,
                          const PciDevice& device) {
  Gpu whole = whole_gpu(sources, device);
  std::vector<KfdNode> parts;
  for (const KfdNode& node : topology.value_or(std::vector<KfdNode>{})) {
    if (node.pci_address == device.address)
      parts.push_back(node);
  }
  if (parts.empty()) {
    const std::string why = topology ? _("amdkfd does not list this GPU")
                                     : _("the kernel has no /sys/class/kfd (amdkfd is not loaded)");
    whole.gfx_target = Fact<std::string>::missing(why);
    whole.links = Fact<std::vector<GpuLink>>::missing(why);
    whole.integrated = read_integrated(whole);
    return {whole};
  }
  std::vector<Gpu> gpus;
  for (const KfdNode& part : parts) {
    Gpu gpu = whole;
    const std::string properties = (part.folder / "properties").string();
    gpu.gfx_target =
        text_fact(gfx_target(part.gfx_version), properties, _("amdkfd gives this GPU no target"));
    gpu.links = Fact<std::vector<GpuLink>>::known(read_xgmi_links(sources.files, part, *topology),
                                                  (part.folder / "io_links").string());
    gpu.integrated = read_integrated(gpu);
    if (parts.size() > 1) {
      const std::string why = _("the GPU is divided into partitions");
      const auto memory = read_kfd_memory(sources.files, part);
      gpu.vram = memory ? Fact<ByteSize>::known(*memory, (part.folder / "mem_banks").string())
                        : Fact<ByteSize>::missing(why);
      gpu.vram_free = Fact<ByteSize>::missing(why);
    }
    if (unified_family_of_pci_id(*gpu.pci_id.value) == kAllShared)
      gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(_("the GPU shares the machine's memory"));
    gpus.push_back(std::move(gpu));
  }
  return gpus;
}

}  // namespace las::hardware
