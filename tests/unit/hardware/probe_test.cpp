// SPDX-License-Identifier: Apache-2.0
#include "profile_fields.hpp"
#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/platform/environment.hpp"

#include <fstream>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

const char* const kNoNvml = "NVML is not asked about a captured machine";

// Facts without a value and without a reason.
struct SilentFacts {
  std::vector<std::string> names;

  template <typename T>
  void operator()(const char* name, const Fact<T>& fact) {
    if (fact.is_known() ? fact.origin.empty() : fact.unknown.empty())
      names.emplace_back(name);
  }
};

std::vector<std::string> silent_facts(const HardwareProfile& profile) {
  SilentFacts silent;
  for_each_section(profile,
                   [&](const char*, const auto& section) { for_each_fact(section, silent); });
  silent("gpus", profile.gpus);
  silent("nvlink", profile.nvlink);
  for (const Gpu& gpu : profile.gpus.value.value_or(std::vector<Gpu>{}))
    for_each_fact(gpu, silent);
  for (const Storage& storage : profile.storage)
    for_each_fact(storage, silent);
  return silent.names;
}

}  // namespace

TEST_CASE("a captured VM without GPU is read completely", "[hardware]") {
  const HardwareProfile profile = probe_fixture("capture-of-a-cpu-only-vm");
  CHECK(profile.os.id == known(std::string("debian"), "/etc/os-release"));
  CHECK(profile.os.version == known(std::string("12"), "/etc/os-release"));
  CHECK(profile.os.codename == known(std::string("bookworm"), "/etc/os-release"));
  CHECK(profile.os.kernel == known(std::string("6.18.44-fc-v669"), "/proc/sys/kernel/osrelease"));
  CHECK(profile.os.architecture == known(std::string("x86_64"), "/proc/sys/kernel/arch"));
  CHECK(profile.os.glibc == Fact<Version>::missing("the captured tree holds no libc.so.6"));
  CHECK(profile.os.virtualization == known(std::string("vm:other"), "/proc/cpuinfo"));
  CHECK(profile.cpu.vendor == known(std::string("AuthenticAMD"), "/proc/cpuinfo"));
  CHECK(profile.cpu.model == known(std::string("AMD EPYC"), "/proc/cpuinfo"));
  CHECK(profile.cpu.sockets == known(1, "hwloc"));
  CHECK(profile.cpu.cores == known(2, "hwloc"));
  CHECK(profile.cpu.threads == known(2, "hwloc"));
  CHECK(profile.cpu.numa_nodes == known(1, "hwloc"));
  CHECK(profile.cpu.usable_threads == known(2, "hwloc"));
  CHECK(profile.memory.total == known(ByteSize(24684084ULL * 1024), "/proc/meminfo"));
  CHECK(profile.memory.effective == profile.memory.total);
  CHECK(profile.gpus == known(std::vector<Gpu>{}, "/sys/bus/pci/devices"));
  CHECK(profile.total_vram() == known(ByteSize(), "/sys/bus/pci/devices"));
  CHECK(profile.nvlink == known(false, "/sys/bus/pci/devices"));
  CHECK(profile.tools.systemd_running == known(false, "/run/systemd/system"));
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("a captured VM with an H100 keeps what its driver answered", "[hardware]") {
  const HardwareProfile profile = probe_fixture("capture-of-an-h100-vm");
  CHECK(profile.os.glibc == known(Version("2.39"), "confstr"));
  CHECK(profile.cpu.cores.value == 16);
  CHECK(profile.memory.total.value == ByteSize(131981020ULL * 1024));
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 1);
  const Gpu& gpu = profile.gpus.value->front();
  CHECK(gpu.vendor == GpuVendor::Nvidia);
  CHECK(gpu.name.value == "NVIDIA H100 80GB HBM3");
  CHECK(gpu.uuid.value == "GPU-00000000-0000-4000-8000-000000000001");
  CHECK(gpu.vram == known(ByteSize(85520809984), "NVML"));
  CHECK(gpu.compute_capability == known(Version("9.0"), "NVML"));
  CHECK(gpu.driver_state.value == "working");
  CHECK(gpu.power_limit.value == 700);
  CHECK(gpu.mig == known(false, "NVML"));
  CHECK(gpu.integrated.value == false);
  CHECK(profile.tools.nvidia_driver.value == Version("580.159.04"));
  CHECK(profile.tools.cuda_driver == known(Version("13.0"), "NVML"));
  CHECK(profile.nvlink.value == false);
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("a captured desktop names its NVIDIA card but not what only NVML knows", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-rtx-4090-desktop");
  CHECK(profile.os.glibc == known(Version("2.39"), "/lib/x86_64-linux-gnu/libc.so.6"));
  CHECK(profile.os.virtualization == known(std::string("none"), "/sys/class/dmi/id"));
  CHECK(profile.cpu.sockets == known(1, "/proc/cpuinfo"));
  CHECK(profile.cpu.cores == known(8, "/proc/cpuinfo"));
  CHECK(profile.cpu.threads == known(16, "/proc/cpuinfo"));
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 2);
  const Gpu& intel = profile.gpus.value->at(0);
  CHECK(intel.vendor == GpuVendor::Intel);
  CHECK(intel.integrated == known(true, "PCI address"));
  CHECK(intel.name == known(std::string("Raptor Lake-S GT1 [UHD Graphics 770]"), "pci.ids"));
  const Gpu& nvidia = profile.gpus.value->at(1);
  CHECK(nvidia.name.value == "NVIDIA GeForce RTX 4090");
  CHECK(nvidia.uuid.value == "GPU-00000000-0000-4000-8000-000000000001");
  CHECK(nvidia.kernel_driver == known(std::string("nvidia"), "/sys/bus/pci/devices/0000:01:00.0"));
  CHECK(nvidia.vram == Fact<ByteSize>::missing(kNoNvml));
  CHECK(nvidia.compute_capability == Fact<Version>::missing(kNoNvml));
  CHECK(profile.tools.nvidia_driver == known(Version("580.65.06"), "/proc/driver/nvidia/version"));
  CHECK(profile.tools.systemd_running == known(true, "/run/systemd/system"));
  REQUIRE(profile.storage.size() == 1);
  CHECK(profile.storage[0].file_system == known(std::string("xfs"), "/proc/self/mountinfo"));
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("an AMD card is read from amdgpu and KFD", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-rx-7900-xtx-desktop");
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 1);
  const Gpu& gpu = profile.gpus.value->front();
  CHECK(gpu.vendor == GpuVendor::Amd);
  CHECK(gpu.name.value == "Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]");
  CHECK(gpu.vram.value == ByteSize(25753026560));
  CHECK(gpu.vram_free.value == ByteSize(25753026560 - 1073741824));
  CHECK(gpu.gfx_target ==
        known(std::string("gfx1100"), "/sys/class/kfd/kfd/topology/nodes/1/properties"));
  CHECK(gpu.integrated == known(false, "gfx target"));
  CHECK(profile.total_vram().value == ByteSize(25753026560));
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("an APU's carve-out is no discrete VRAM", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-a-strix-halo-128gb-mini-pc");
  CHECK(profile.gpus.value->at(0).integrated == known(true, "gfx target"));
  CHECK(profile.gpus.value->at(0).vram.value == ByteSize::mib(512));
  CHECK(profile.total_vram() == known(ByteSize(), "/sys/bus/pci/devices"));
}

TEST_CASE("each silent GPU says why, and does not hide the one that speaks", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-a-nouveau-and-arc-desktop");
  REQUIRE(profile.gpus.is_known());
  const std::vector<Gpu>& gpus = *profile.gpus.value;
  REQUIRE(gpus.size() == 4);
  CHECK(gpus[0].vram == Fact<ByteSize>::missing("the nouveau driver does not report it"));
  CHECK(gpus[1].vram.value == ByteSize(17045651456));
  CHECK(gpus[1].integrated == known(false, "VRAM"));
  CHECK(gpus[2].vendor == GpuVendor::Other);
  CHECK(gpus[2].name.value == "ASPEED Graphics Family");
  CHECK(gpus[3].vram ==
        Fact<ByteSize>::missing("it is set aside for a virtual machine (vfio-pci)"));
  CHECK(profile.total_vram().value == ByteSize(17045651456));
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("an arm64 server is read from other keys", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-a-neoverse-n1-server");
  CHECK(profile.os.architecture.value == "aarch64");
  CHECK(profile.os.virtualization == known(std::string("vm:kvm"), "/proc/device-tree"));
  CHECK(profile.cpu.vendor.value == "ARM");
  CHECK(profile.cpu.model.value == "Neoverse-N1");
  CHECK(profile.cpu.threads == known(4, "/proc/cpuinfo"));
  CHECK(profile.cpu.cores ==
        Fact<int>::missing("neither /sys/devices/system/cpu nor /proc/cpuinfo tells it"));
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("a container has the limits of its cgroup, not the machine's size", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-a-docker-container-with-limits");
  CHECK(profile.os.virtualization == known(std::string("container:docker"), "/.dockerenv"));
  CHECK(profile.os.version == Fact<std::string>::missing("os-release has no VERSION_ID"));
  CHECK(profile.cpu.threads == known(16, "/proc/cpuinfo"));
  CHECK(profile.cpu.usable_threads == known(3, "/sys/fs/cgroup/limited/cpu.max"));
  CHECK(profile.memory.total.value == ByteSize(65633432ULL * 1024));
  CHECK(profile.memory.effective == known(ByteSize::gib(8), "/sys/fs/cgroup/limited/memory.max"));
  CHECK(profile.gpus == Fact<std::vector<Gpu>>::missing("/sys/bus/pci/devices could not be read"));
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("under WSL the GPUs are unknown rather than absent", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-a-wsl-machine");
  CHECK(profile.os.virtualization == known(std::string("wsl"), "/proc/version"));
  CHECK(profile.gpus ==
        Fact<std::vector<Gpu>>::missing("WSL shows GPUs to its own libraries only"));
}

TEST_CASE("an empty tree is all unknown, and every fact says why", "[hardware]") {
  const las::test::TempDirectory tree;
  const HardwareProfile profile = probe_tree(tree.path());
  CHECK_FALSE(profile.cpu.threads.is_known());
  CHECK_FALSE(profile.cpu.usable_threads.is_known());
  CHECK_FALSE(profile.memory.effective.is_known());
  CHECK_FALSE(profile.gpus.is_known());
  CHECK(silent_facts(profile).empty());
}

TEST_CASE("empty, huge and binary files never stop a probe", "[hardware]") {
  std::string binary;
  for (int i = 0; i < 5000; ++i)
    binary += static_cast<char>(i * 37 % 256);
  const std::vector<std::string> contents = {"",
                                             std::string(std::size_t{1} << 20, '9'),
                                             binary,
                                             std::string(100000, '\n'),
                                             ":::\n= =\n0x\n- -\n"};
  const std::string device = "/sys/bus/pci/devices/0000:03:00.0/";
  for (const std::string& content : contents) {
    const las::test::TempDirectory tree;
    for (const std::string& path : {std::string("/etc/os-release"),
                                    std::string("/proc/cpuinfo"),
                                    std::string("/proc/meminfo"),
                                    std::string("/proc/version"),
                                    std::string("/proc/self/cgroup"),
                                    std::string("/proc/self/status"),
                                    std::string("/proc/self/mountinfo"),
                                    std::string("/proc/1/cgroup"),
                                    std::string("/proc/sys/kernel/osrelease"),
                                    std::string("/proc/sys/kernel/arch"),
                                    std::string("/proc/driver/nvidia/version"),
                                    std::string("/sys/module/nvidia/version"),
                                    std::string("/sys/fs/cgroup/memory.max"),
                                    std::string("/sys/fs/cgroup/cpu.max"),
                                    std::string("/sys/class/dmi/id/sys_vendor"),
                                    std::string("/run/systemd/container"),
                                    std::string("/sys/class/kfd/kfd/topology/nodes/1/properties"),
                                    device + "product_name",
                                    device + "mem_info_vram_total",
                                    device + "unique_id",
                                    std::string("/usr/share/misc/pci.ids"),
                                    std::string("/sys/bus/pci/devices/0000:04:00.0/class"),
                                    std::string("/lib64/libc.so.6")}) {
      const auto file = tree.path() / path.substr(1);
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file, std::ios::binary) << content;
    }
    std::ofstream(tree.path() / (device.substr(1) + "class")) << "0x030000\n";
    std::ofstream(tree.path() / (device.substr(1) + "vendor")) << "0x1002\n";
    std::ofstream(tree.path() / (device.substr(1) + "device")) << "0x744c\n";
    const HardwareProfile profile = probe_tree(tree.path());
    REQUIRE(profile.gpus.is_known());
    CHECK(profile.gpus.value->size() == 1);
    CHECK(silent_facts(profile).empty());
    CHECK(from_json(to_json(profile)) == profile);
  }
}

TEST_CASE("a cancelled probe stops", "[hardware]") {
  StandInPrograms programs;
  NullReporter reporter;
  Cancellation cancellation;
  cancellation.request(2);
  CHECK_THROWS_AS(probe({}, programs, {}, {reporter, cancellation}), Error);
}

TEST_CASE("the live machine can be probed", "[hardware]") {
  StandInPrograms programs;
  NullReporter reporter;
  const Cancellation cancellation;
  ProbeOptions options;
  options.storage = {{"models", "/nonexistent/below/root"}};
  const HardwareProfile profile = probe({}, programs, options, {reporter, cancellation});
  CHECK(profile.os.kernel.is_known());
  CHECK(profile.cpu.threads.is_known());
  CHECK(profile.memory.total.is_known());
  REQUIRE(profile.storage.size() == 1);
  CHECK(profile.storage[0].free.origin == "statvfs");
  CHECK(silent_facts(profile).empty());
  CHECK(from_json(to_json(profile)) == profile);
}
