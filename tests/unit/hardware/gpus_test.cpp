// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"

#include "stand_in_nvml.hpp"
#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/hardware/main_gpus.hpp"

#include <fstream>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

using MaybeReport = std::optional<NvmlReport>;

// The GPUs of a tree as a live machine's, with NVML's answer given.
HardwareProfile read_live(const platform::FileReader& files,
                          const MaybeReport& report,
                          const std::string& virtualization = "none") {
  HardwareProfile profile;
  profile.os.virtualization = known(virtualization, "test");
  const PciNames names(files);
  read_gpus(files, names, read_pci_devices(files), true, report, profile);
  return profile;
}

HardwareProfile read_live(const std::string& fixture_name, const MaybeReport& report) {
  return read_live(*fixture_files(fixture_name), report);
}

Gpu gpu_at(const HardwareProfile& profile, std::size_t index) {
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() > index);
  return profile.gpus.value->at(index);
}

Gpu only_gpu(const HardwareProfile& profile) {
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 1);
  return profile.gpus.value->front();
}

void write(const std::filesystem::path& file, const std::string& content) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
}

// A tree with one PCI device.
struct DeviceTree {
  las::test::TempDirectory root;
  std::filesystem::path folder;

  DeviceTree(const std::string& address,
             const std::string& device_class,
             const std::string& vendor,
             const std::string& device,
             const std::string& driver = {}) {
    folder = root.path() / "sys/bus/pci/devices" / address;
    write(folder / "class", device_class + "\n");
    write(folder / "vendor", vendor + "\n");
    write(folder / "device", device + "\n");
    if (!driver.empty())
      std::filesystem::create_symlink("../../../../bus/pci/drivers/" + driver, folder / "driver");
  }

  HardwareProfile read(const MaybeReport& report = std::nullopt) const {
    return read_live(*platform::make_sysroot_reader(root.path()), report);
  }
};

const char* const kShared = "the GPU shares the machine's memory";

}  // namespace

TEST_CASE("NVML's facts are joined to the PCI device with the same address", "[hardware]") {
  const auto profile = read_live("reconstruction-of-rtx-4090-desktop", ask({.gpus = {{}}}));
  const Gpu gpu = gpu_at(profile, 1);
  CHECK(profile.gpus.value->size() == 2);
  CHECK(gpu.pci_id == known(std::string("10de:2684"), "/sys/bus/pci/devices/0000:01:00.0"));
  CHECK(gpu.vram == known(ByteSize::mib(24564), "NVML"));
  CHECK(gpu.integrated == known(false, "compute capability"));
  CHECK(gpu.driver_state == known(std::string("working"), "NVML"));
  CHECK(gpu.driver_version == known(Version("580.65.06"), "NVML"));
  CHECK(gpu.power_limit == known(450, "NVML"));
  CHECK(profile.tools.cuda_driver == known(Version("12.4"), "NVML"));
  CHECK(profile.nvlink == known(false, "/sys/bus/pci/devices"));
}

TEST_CASE("a bound driver that does not answer is broken, with NVML's error as the reason",
          "[hardware]") {
  const auto profile = read_live("reconstruction-of-rtx-4090-desktop", ask({.init_status = 999}));
  const Gpu gpu = gpu_at(profile, 1);
  CHECK(gpu.driver_state == known(std::string("broken"), "NVML"));
  CHECK(gpu.vram == Fact<ByteSize>::missing("NVML: Unknown Error"));
  CHECK(gpu.links == Fact<std::vector<GpuLink>>::missing("NVML: Unknown Error"));
  CHECK(profile.total_vram() == Fact<ByteSize>::missing("NVML: Unknown Error"));
}

TEST_CASE("a GPU that fell off the bus is broken, and its neighbour works", "[hardware]") {
  const auto profile =
      read_live("reconstruction-of-an-h100-x2-server", ask({.gpus = {{.bus = 0x18}}, .lost = 1}));
  CHECK(gpu_at(profile, 0).driver_state.value == "working");
  CHECK(gpu_at(profile, 1).driver_state == known(std::string("broken"), "NVML"));
  CHECK(gpu_at(profile, 1).vram.unknown == "NVML: GPU is lost");
}

TEST_CASE("GPUs that a container is not given do not count there", "[hardware]") {
  const NvmlReport report = ask({.gpus = {{.bus = 0x18, .mib = 81559}}});
  const std::string why = "it is not given to this container";
  // Its folder in /proc is hidden there.
  const auto hidden = read_live("reconstruction-of-an-h100-x2-server", report);
  CHECK(gpu_at(hidden, 1).driver_state == known(std::string("reserved"), "NVML"));
  CHECK(gpu_at(hidden, 1).vram == Fact<ByteSize>::missing(why));
  CHECK(hidden.total_vram() == known(ByteSize::mib(81559), "NVML"));
  CHECK(hidden.nvlink == known(false, "/sys/bus/pci/devices"));
  // Or its device file is absent, or the container is known as one.
  const DeviceTree tree("0000:2a:00.0", "0x030200", "0x10de", "0x2330", "nvidia");
  write(tree.root.path() / "proc/driver/nvidia/gpus/0000:2a:00.0/information",
        "Model: \t\t NVIDIA H100\nDevice Minor: \t 1\n");
  const auto state = [&](const std::string& virtualization) {
    return gpu_at(
               read_live(*platform::make_sysroot_reader(tree.root.path()), report, virtualization),
               0)
        .driver_state.value;
  };
  CHECK(state("none") == "reserved");
  write(tree.root.path() / "dev/nvidia1", "");
  CHECK(state("none") == "broken");
  CHECK(state("container:docker") == "reserved");
}

TEST_CASE("kernel module and library of two versions are a mismatch that a reboot mends",
          "[hardware]") {
  const std::string reason =
      "the loaded NVIDIA kernel module is of version 550.144.03, the library of 550.163.01: "
      "reboot";
  const auto files = fixture_files("reconstruction-of-a-driver-mismatch");
  CHECK(nvidia_mismatch_reason(*files) == reason);
  // On the machine NVML says it.
  NvmlReport report = failed_nvml(reason);
  report.mismatch = true;
  const Gpu gpu = only_gpu(read_live(*files, report));
  CHECK(gpu.driver_state == known(std::string("mismatch"), "NVML"));
  CHECK(gpu.vram.unknown == reason);
  // Of a captured one the versions tell.
  const Gpu captured = only_gpu(probe_fixture("reconstruction-of-a-driver-mismatch"));
  CHECK(captured.driver_state == known(std::string("mismatch"), "/proc/driver/nvidia/version"));
  CHECK(captured.compute_capability.unknown == reason);
  CHECK(captured.driver_version == known(Version("550.144.03"), "/sys/module/nvidia/version"));
}

TEST_CASE("a mismatch is named without versions where they are not known", "[hardware]") {
  CHECK(nvidia_mismatch_reason(*fixture_files("reconstruction-of-a-wsl-machine")) ==
        "the loaded NVIDIA kernel module and the library are of different versions: reboot");
}

TEST_CASE("without /proc/driver/nvidia the driver is not loaded", "[hardware]") {
  const Gpu gpu = gpu_at(read_live("reconstruction-of-rtx-4090-desktop", std::nullopt), 1);
  CHECK(gpu.vram ==
        Fact<ByteSize>::missing("the NVIDIA driver is not loaded (no /proc/driver/nvidia)"));
  CHECK(gpu.driver_state.value == "broken");
}

TEST_CASE("the driver's name tells its state where it cannot compute", "[hardware]") {
  const auto state = [](const std::string& driver) {
    const DeviceTree tree("0000:01:00.0", "0x030000", "0x10de", "0x2684", driver);
    const Gpu gpu = only_gpu(tree.read());
    CHECK(gpu.driver_state.origin == "/sys/bus/pci/devices/0000:01:00.0");
    CHECK_FALSE(gpu.vram.unknown.empty());
    return gpu.driver_state.value;
  };
  CHECK(state("") == "none");
  CHECK(state("nouveau") == "nouveau");
  CHECK(state("vfio-pci") == "reserved");
}

TEST_CASE("a driver of the kernel's own has the kernel's version", "[hardware]") {
  const DeviceTree tree("0000:03:00.0", "0x030000", "0x8086", "0xe20b", "xe");
  write(tree.root.path() / "proc/sys/kernel/osrelease", "6.14.0-33-generic\n");
  const Gpu gpu = only_gpu(tree.read());
  CHECK(gpu.driver_version == known(Version("6.14.0"), "/proc/sys/kernel/osrelease"));
  CHECK(gpu.driver_state.value == "working");
}

TEST_CASE("a GPU that NVML finds without memory shares the machine's", "[hardware]") {
  const NvmlReport report = ask({.gpus = {{.bus = 1, .memory_status = nvml::kNotSupported}}});
  const DeviceTree tree("0000:01:00.0", "0x030000", "0x10de", "0x2e12", "nvidia");
  const Gpu gpu = only_gpu(tree.read(report));
  CHECK(gpu.integrated == known(true, "NVML"));
  CHECK(gpu.vram == Fact<ByteSize>::missing(kShared));
}

TEST_CASE("memory that a driver gives for the VRAM of a system on chip is not its own",
          "[hardware]") {
  const NvmlReport report = ask({.gpus = {{.mib = 124607, .major = 12, .minor = 1}}});
  const DeviceTree tree("0000:01:00.0", "0x030000", "0x10de", "0x2e12", "nvidia");
  const Gpu gpu = only_gpu(tree.read(report));
  CHECK(gpu.integrated == known(true, "compute capability"));
  CHECK(gpu.vram == Fact<ByteSize>::missing(kShared));
}

TEST_CASE("a GB10 without a driver is still known to share its memory", "[hardware]") {
  const DeviceTree tree("000f:01:00.0", "0x030000", "0x10de", "0x2e12");
  const Gpu gpu = only_gpu(tree.read());
  CHECK(gpu.integrated == known(true, "PCI id"));
  CHECK(gpu.vram == Fact<ByteSize>::missing(kShared));
  CHECK(gpu.driver_state.value == "none");
  CHECK(gpu.compute_capability.unknown == "no kernel driver is bound to it");
}

TEST_CASE("NVML GPUs that are no PCI devices are listed too", "[hardware]") {
  const auto profile =
      read_live("reconstruction-of-a-neoverse-n1-server", ask({.gpus = {{.pci_status = 3}}}));
  const Gpu gpu = only_gpu(profile);
  CHECK(gpu.name == known(std::string("NVIDIA GeForce RTX 4090"), "NVML"));
  CHECK(gpu.pci_address == Fact<std::string>::missing("it is no PCI device"));
  CHECK(gpu.pci_id == Fact<std::string>::missing("it is not in /sys/bus/pci/devices"));
}

TEST_CASE("under WSL the GPUs are those that NVML lists", "[hardware]") {
  const auto files = fixture_files("reconstruction-of-a-wsl-machine");
  const auto profile = read_live(*files, ask({.gpus = {{}}}), "wsl");
  const Gpu gpu = only_gpu(profile);
  CHECK(profile.gpus.origin == "NVML");
  CHECK(gpu.pci_address == known(std::string("0000:01:00.0"), "NVML"));
  CHECK(gpu.kernel_driver == known(std::string("dxgkrnl"), "/dev/dxg"));
  CHECK(gpu.driver_state.value == "working");
  CHECK(gpu.vram == known(ByteSize::mib(24564), "NVML"));
  CHECK(profile.tools.nvidia_driver == known(Version("580.65.06"), "NVML"));
  CHECK(profile.nvlink == known(false, "NVML"));
  CHECK(read_live(*files, ask({.init_status = 9}), "wsl").gpus ==
        Fact<std::vector<Gpu>>::missing("NVML: Unknown Error"));
  CHECK(read_live(*files, std::nullopt, "wsl").gpus ==
        Fact<std::vector<Gpu>>::missing("WSL shows GPUs to its own libraries only"));
}

TEST_CASE("a container under WSL does not take hidden GPUs for absent", "[hardware]") {
  const auto files = fixture_files("reconstruction-of-a-wsl-machine");
  CHECK_FALSE(read_live(*files, std::nullopt, "container:docker").gpus.is_known());
}

TEST_CASE("NVML is asked only where it has something to say", "[hardware]") {
  CHECK(should_ask_nvml(*fixture_files("reconstruction-of-rtx-4090-desktop")));
  CHECK(should_ask_nvml(*fixture_files("reconstruction-of-a-wsl-machine")));
  CHECK(should_ask_nvml(*fixture_files("reconstruction-of-a-jetson-agx-orin")));
  CHECK_FALSE(should_ask_nvml(*fixture_files("reconstruction-of-a-nouveau-and-arc-desktop")));
  CHECK_FALSE(should_ask_nvml(*fixture_files("reconstruction-of-a-neoverse-n1-server")));
}

TEST_CASE("a Jetson's GPU is known without PCI and without NVML", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-a-jetson-agx-orin");
  const Gpu gpu = only_gpu(profile);
  CHECK(gpu.vendor == GpuVendor::Nvidia);
  CHECK(gpu.integrated == known(true, "/proc/device-tree/compatible"));
  CHECK(gpu.compute_capability == known(Version("8.7"), "/proc/device-tree/compatible"));
  CHECK(gpu.kernel_driver == known(std::string("nvgpu"), "/sys/module/nvgpu"));
  CHECK(gpu.vram == Fact<ByteSize>::missing(kShared));
}

TEST_CASE("a Jetson's GPU that NVML lists is listed once", "[hardware]") {
  const auto profile = read_live("reconstruction-of-a-jetson-agx-orin",
                                 ask({.gpus = {{.name = "Orin (nvgpu)",
                                                .memory_status = nvml::kNotSupported,
                                                .pci_status = nvml::kNotSupported,
                                                .capability_status = nvml::kNotSupported}}}));
  const Gpu gpu = only_gpu(profile);
  CHECK(gpu.name == known(std::string("Orin (nvgpu)"), "NVML"));
  CHECK(gpu.compute_capability == known(Version("8.7"), "/proc/device-tree/compatible"));
  CHECK(gpu.driver_state.value == "working");
  CHECK(gpu.integrated.value == true);
}

TEST_CASE("two GPUs are joined if a link leads from one to the other", "[hardware]") {
  const auto nvlink = [](std::vector<StandInGpu::Link> first,
                         std::vector<StandInGpu::Link> second) {
    return read_live("reconstruction-of-an-h100-x2-server",
                     ask({.gpus = {{.bus = 0x18, .links = std::move(first)},
                                   {.bus = 0x2a, .links = std::move(second)}}}))
        .nvlink;
  };
  const StandInGpu::Link to_switch{.type = nvml::kRemoteIsSwitch};
  CHECK(nvlink({{.bus = 0x2a}}, {{.bus = 0x18}}) == known(true, "NVML"));
  CHECK(nvlink({to_switch}, {to_switch}) == known(true, "NVML"));
  CHECK(nvlink({to_switch}, {}) == known(false, "NVML"));
  CHECK(nvlink({}, {}) == known(false, "NVML"));
  CHECK(nvlink({{.bus = 0x2a}}, {}) == known(false, "NVML"));
  // A GPU that this container does not show.
  CHECK(nvlink({{.bus = 0x99}}, {{.bus = 0x9a}}) == known(false, "NVML"));
  CHECK(nvlink({{.type = -1}}, {}) ==
        Fact<bool>::missing("NVML does not tell where an NVLink of this GPU leads"));
}

TEST_CASE("eight MI300X are joined by XGMI, each with every other", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-an-mi300x-x8-xgmi-server");
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 8);
  std::vector<const Gpu*> all;
  for (const Gpu& gpu : *profile.gpus.value) {
    REQUIRE(gpu.links.is_known());
    CHECK(gpu.links.value->size() == 7);
    CHECK(gpu.links.value->front().kind == "xgmi");
    CHECK(gpu.links.value->front().lanes == 1);
    CHECK(gpu.driver_state.value == "working");
    all.push_back(&gpu);
  }
  const Gpu& gpu = profile.gpus.value->front();
  CHECK(gpu.links.value->front().peer == "0000:26:00.0");
  CHECK(gpu.gfx_target.value == "gfx942");
  CHECK(gpu.vram.value == ByteSize(206141652992));
  CHECK(gpu.gtt.value == ByteSize(1082054774784));
  CHECK(gpu.power_limit == known(750, "/sys/bus/pci/devices/0000:05:00.0/hwmon/hwmon3/power1_cap"));
  CHECK(gpu.driver_version == known(Version("6.12.12"), "/sys/module/amdgpu/version"));
  CHECK(count_linked(all, "test").value == 8);
  CHECK(profile.nvlink.value == false);
}

TEST_CASE("each partition of an MI300X is a GPU with the memory it has", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-an-mi300x-in-cpx-mode");
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 8);
  for (const Gpu& gpu : *profile.gpus.value) {
    CHECK(gpu.pci_address.value == "0000:05:00.0");
    CHECK(gpu.gfx_target.value == "gfx942");
    CHECK(gpu.vram.value == ByteSize(25767706624));
    CHECK(gpu.vram_free == Fact<ByteSize>::missing("the GPU is divided into partitions"));
    CHECK(gpu.links.value == std::vector<GpuLink>{});
  }
  CHECK(profile.largest_vram().value == ByteSize(25767706624));
}

TEST_CASE("an MI300A's memory counts once", "[hardware]") {
  const DeviceTree tree("0000:01:00.0", "0x120000", "0x1002", "0x74a0", "amdgpu");
  write(tree.folder / "mem_info_vram_total", "134217728000\n");
  write(tree.root.path() / "sys/class/kfd/kfd/topology/nodes/1/properties",
        "simd_count 912\ngfx_target_version 90402\nlocation_id 256\ndomain 0\n");
  const Gpu gpu = only_gpu(tree.read());
  CHECK(gpu.gfx_target.value == "gfx942");
  CHECK(gpu.integrated == known(true, "PCI id"));
  CHECK(gpu.vram == Fact<ByteSize>::missing(kShared));
}

TEST_CASE("amdgpu that tells nothing is broken", "[hardware]") {
  const DeviceTree tree("0000:03:00.0", "0x030000", "0x1002", "0x744c", "amdgpu");
  CHECK(only_gpu(tree.read()).driver_state.value == "broken");
}

TEST_CASE("the VRAM of an Arc card is the sum of its tiles", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-an-arc-b580-desktop");
  const Gpu gpu = only_gpu(profile);
  CHECK(gpu.vram == known(ByteSize::gib(12),
                          "/sys/bus/pci/devices/0000:03:00.0/tile*/physical_vram_size_bytes"));
  CHECK(gpu.integrated.value == false);
  CHECK(gpu.power_limit.value == 190);
  CHECK(profile.tools.level_zero ==
        known(Version("1.28.2"), "/usr/lib/x86_64-linux-gnu/libze_loader.so.1"));

  const DeviceTree two("0000:29:00.0", "0x038000", "0x8086", "0x0bd5", "xe");
  write(two.folder / "tile0/physical_vram_size_bytes", "68719476736\n");
  write(two.folder / "tile1/physical_vram_size_bytes", "68719476736\n");
  CHECK(only_gpu(two.read()).vram.value == ByteSize::gib(128));
}

TEST_CASE("i915 of Intel's kernels tells the memory of a Data Center GPU Max", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-a-data-center-gpu-max-server");
  CHECK(gpu_at(profile, 1).vram.value == ByteSize::gib(128));
  CHECK(gpu_at(profile, 1).name.value == "Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1550]");
  CHECK(profile.total_vram().value == ByteSize::gib(256));
  CHECK(profile.tools.level_zero == Fact<Version>::missing("there is no libze_loader.so.1"));
}

TEST_CASE("an Intel card whose driver keeps its memory to itself has unknown VRAM", "[hardware]") {
  const DeviceTree tree("0000:03:00.0", "0x030000", "0x8086", "0x56a0", "i915");
  const Gpu gpu = only_gpu(tree.read());
  CHECK(gpu.integrated == known(false, "PCI address"));
  CHECK(gpu.vram == Fact<ByteSize>::missing("the kernel driver does not report it"));
}

TEST_CASE("a card at the address of integrated graphics is told by its memory", "[hardware]") {
  const DeviceTree tree("0000:00:02.0", "0x030000", "0x8086", "0xe20b", "xe");
  CHECK(only_gpu(tree.read()).integrated.value == true);
  write(tree.folder / "tile0/physical_vram_size_bytes", "12884901888\n");
  CHECK(only_gpu(tree.read()).integrated == known(false, "VRAM"));
}

TEST_CASE("virtual functions on the machine of their device are no further GPUs", "[hardware]") {
  const DeviceTree tree("0000:03:00.0", "0x030000", "0x8086", "0x56c0", "i915");
  std::filesystem::create_symlink("../0000:03:00.0", tree.folder / "physfn");
  CHECK(tree.read().gpus.value == std::vector<Gpu>{});
}

TEST_CASE("a MetaX card is named by its PCI id", "[hardware]") {
  const Gpu gpu = only_gpu(probe_fixture("reconstruction-of-a-metax-c500-server"));
  CHECK(gpu.vendor == GpuVendor::Other);
  CHECK(gpu.name == known(std::string("MetaX C500"), "PCI id"));
  CHECK(gpu.vram == Fact<ByteSize>::missing("las does not know this vendor's GPUs"));
}

TEST_CASE("malformed files of the GPU drivers cost only the facts they hold", "[hardware]") {
  const std::string nodes = "sys/class/kfd/kfd/topology/nodes/";
  std::string binary;
  for (int i = 0; i < 5000; ++i)
    binary += static_cast<char>(i * 37 % 256);
  for (const std::string& junk : {std::string(),
                                  std::string(100000, '9'),
                                  binary,
                                  std::string("18446744073709551614"),
                                  std::string("type 11\nnode_to 1\nmin_bandwidth 1\n"
                                              "max_bandwidth 18446744073709551615\n")}) {
    const DeviceTree tree("0000:03:00.0", "0x030000", "0x1002", "0x744c", "amdgpu");
    for (const char* name : {"mem_info_gtt_total", "hwmon/hwmon0/power1_cap"})
      write(tree.folder / name, junk);
    for (const char* name : {"1/properties",
                             "x/properties",
                             "2/io_links/0/properties",
                             "2/io_links/junk",
                             "2/mem_banks/0/properties"})
      write(tree.root.path() / (nodes + name), junk);
    write(tree.root.path() / (nodes + "2/properties"),
          "simd_count 96\ngfx_target_version 110000\nlocation_id 768\ndomain 0\n");
    write(tree.root.path() / (nodes + "3/properties"),
          "simd_count 1\ngfx_target_version 18446744073709551615\nlocation_id "
          "18446744073709551615\ndomain 18446744073709551615\n");
    write(tree.root.path() / "sys/module/amdgpu/version", junk);
    const Gpu gpu = only_gpu(tree.read());
    CHECK(gpu.gfx_target.value == "gfx1100");
    CHECK_FALSE(gpu.power_limit.is_known());
    CHECK(gpu.links.value == std::vector<GpuLink>{});
  }
}

TEST_CASE("the driver version is read from both spellings of NVRM's line", "[hardware]") {
  CHECK(parse_nvrm_version("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 "
                           "18:56:32 UTC 2023")
            ->text() == "535.129.03");
  CHECK(parse_nvrm_version(
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build")
            ->text() == "580.65.06");
  CHECK_FALSE(parse_nvrm_version("GCC version: gcc 12"));
}

TEST_CASE("PCI addresses have one spelling", "[hardware]") {
  CHECK(normal_pci_address("00000000:65:00.0") == "0000:65:00.0");
  CHECK(normal_pci_address("0000:C1:00.0") == "0000:c1:00.0");
  CHECK_FALSE(normal_pci_address("65:00.0"));
  CHECK_FALSE(normal_pci_address("0000:165:00.0"));
  CHECK_FALSE(normal_pci_address(".keep"));
}

TEST_CASE("display controllers are GPUs, and so are AMD's accelerators without displays",
          "[hardware]") {
  CHECK(is_gpu_class(0x030000, 0x10de));
  CHECK(is_gpu_class(0x030200, 0x10de));
  CHECK(is_gpu_class(0x120000, 0x1002));
  CHECK_FALSE(is_gpu_class(0x120000, 0x8086));
  CHECK_FALSE(is_gpu_class(0x040300, 0x10de));
}

TEST_CASE("pci.ids names a device of its vendor only", "[hardware]") {
  const char* database =
      "# ids\n1002  AMD\n\t744c  Navi 31\n\t\t1002 0e3b  RX 7900 XTX\n10de  NVIDIA\n\t2684  "
      "AD102\n";
  CHECK(pci_name(database, 0x1002, 0x744c) == "Navi 31");
  CHECK(pci_name(database, 0x10de, 0x2684) == "AD102");
  CHECK_FALSE(pci_name(database, 0x1002, 0x2684));
  CHECK_FALSE(pci_name(database, 0x8086, 0x0001));
  CHECK_FALSE(pci_name("", 0x1002, 0x744c));
}

TEST_CASE("a library's version stands in the name of its file", "[hardware]") {
  CHECK(nvidia_versions_differ(*fixture_files("reconstruction-of-a-driver-mismatch")) == true);
  CHECK(nvidia_versions_differ(*fixture_files("reconstruction-of-an-h100-x2-server")) == false);
  CHECK_FALSE(nvidia_versions_differ(*fixture_files("reconstruction-of-rtx-4090-desktop")));
}

TEST_CASE("KFD's target number is spelled as LLVM does", "[hardware]") {
  CHECK(gfx_target(110000) == "gfx1100");
  CHECK(gfx_target(90010) == "gfx90a");
  CHECK(gfx_target(90012) == "gfx90c");
  CHECK(gfx_target(110501) == "gfx1151");
  CHECK_FALSE(gfx_target(0));
  CHECK_FALSE(gfx_target(UINT64_MAX));
}

TEST_CASE("the target tells an APU from a card where it can", "[hardware]") {
  CHECK(is_integrated_amd("gfx1151") == true);
  CHECK(is_integrated_amd("gfx1100") == false);
  CHECK_FALSE(is_integrated_amd("gfx942"));
  CHECK_FALSE(is_integrated_amd("gfx9999"));
}

TEST_CASE("the compute capabilities of embedded boards mean shared memory", "[hardware]") {
  CHECK(is_integrated_nvidia(Version("12.1")));
  CHECK(is_integrated_nvidia(Version("8.7")));
  CHECK_FALSE(is_integrated_nvidia(Version("12.0")));
  CHECK_FALSE(is_integrated_nvidia(Version("8.9")));
}
