// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"

#include <cstring>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

// A stand-in for NVML on a machine with two linked 24 GB cards; a test changes `machine` first.
struct StandInMachine {
  nvml::Return init_status = 0;
  nvml::Return memory_status = 0;
  unsigned gpus = 2;
  int link_active = 1;
  int remote_type = 0;
  int shutdowns = 0;
};

StandInMachine machine;

unsigned index_of(nvml::Device device) {
  return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(device) - 1);
}

nvml::Functions stand_in_nvml() {
  nvml::Functions nvml;
  nvml.init = [] { return machine.init_status; };
  nvml.shutdown = [] { return ++machine.shutdowns, 0; };
  nvml.error_string = [](nvml::Return status) {
    return status == 18 ? "Driver/library version mismatch" : "Unknown Error";
  };
  nvml.cuda_driver_version = [](int* version) { return *version = 12040, 0; };
  nvml.device_count = [](unsigned* count) { return *count = machine.gpus, 0; };
  nvml.device_by_index = [](unsigned index, nvml::Device* device) {
    *device = reinterpret_cast<nvml::Device>(std::uintptr_t{index} + 1);
    return 0;
  };
  nvml.device_name = [](nvml::Device, char* text, unsigned size) {
    return std::strncpy(text, "NVIDIA GeForce RTX 4090", size), 0;
  };
  nvml.device_uuid = [](nvml::Device device, char* text, unsigned size) {
    return std::strncpy(text, index_of(device) == 0 ? "GPU-a" : "GPU-b", size), 0;
  };
  nvml.device_pci = [](nvml::Device device, nvml::PciInfo* pci) {
    pci->bus = 1 + index_of(device);
    return 0;
  };
  nvml.device_memory = [](nvml::Device, nvml::Memory* memory) {
    *memory = {24564ULL << 20, 20000ULL << 20, 4564ULL << 20};
    return machine.memory_status;
  };
  nvml.device_compute_capability = [](nvml::Device, int* major, int* minor) {
    return *major = 8, *minor = 9, 0;
  };
  nvml.nvlink_state = [](nvml::Device, unsigned link, int* active) {
    return *active = link == 2 ? machine.link_active : 0, 0;
  };
  nvml.nvlink_remote_type = [](nvml::Device, unsigned, int* type) {
    return *type = machine.remote_type, 0;
  };
  return nvml;
}

NvmlReport ask(const StandInMachine& settings = {}) {
  machine = settings;
  return ask_nvml(stand_in_nvml());
}

Gpu only_gpu(const HardwareProfile& profile) {
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 1);
  return profile.gpus.value->front();
}

}  // namespace

TEST_CASE("NVML's answers become facts, and it is shut down", "[hardware]") {
  const NvmlReport report = ask();
  CHECK(report.failure.empty());
  CHECK(report.cuda_driver == known(Version("12.4"), "NVML"));
  CHECK(report.nvlink == known(true, "NVML"));
  REQUIRE(report.gpus.size() == 2);
  const NvmlGpu& second = report.gpus[1];
  CHECK(second.pci_address == "0000:02:00.0");
  CHECK(second.name == known(std::string("NVIDIA GeForce RTX 4090"), "NVML"));
  CHECK(second.uuid == known(std::string("GPU-b"), "NVML"));
  CHECK(second.vram == known(ByteSize::mib(24564), "NVML"));
  CHECK(second.vram_free == known(ByteSize::mib(20000), "NVML"));
  CHECK(second.compute_capability == known(Version("8.9"), "NVML"));
  CHECK(machine.shutdowns == 1);
}

TEST_CASE("links that are down, or lead to a CPU, are no NVLink between GPUs", "[hardware]") {
  CHECK(ask({.link_active = 0}).nvlink == known(false, "NVML"));
  CHECK(ask({.remote_type = nvml::kRemoteIsCpu}).nvlink == known(false, "NVML"));
  CHECK(ask({.gpus = 1}).nvlink == known(false, "NVML"));
}

TEST_CASE("a failing NVML is quoted and not shut down", "[hardware]") {
  const NvmlReport report = ask({.init_status = 18});
  CHECK(report.failure == "NVML: Driver/library version mismatch");
  CHECK(report.cuda_driver == Fact<Version>::missing("NVML: Driver/library version mismatch"));
  CHECK(machine.shutdowns == 0);
}

TEST_CASE("a GPU without memory of its own shares the machine's", "[hardware]") {
  const NvmlReport report = ask({.memory_status = nvml::kNotSupported, .gpus = 1});
  CHECK(report.gpus.at(0).vram == Fact<ByteSize>::missing("the GPU shares the machine's memory"));
  CHECK(nvidia_gpu(report.gpus.at(0)).integrated == known(true, "NVML"));
}

TEST_CASE("NVML's facts are joined to the PCI device with the same address", "[hardware]") {
  HardwareProfile profile;
  const auto files = fixture_files("reconstruction-of-rtx-4090-desktop");
  read_gpus(*files, true, ask({.gpus = 1}), profile);
  REQUIRE(profile.gpus.is_known());
  REQUIRE(profile.gpus.value->size() == 2);
  const Gpu& gpu = profile.gpus.value->at(1);
  CHECK(gpu.pci_id == known(std::string("10de:2684"), "/sys/bus/pci/devices/0000:01:00.0"));
  CHECK(gpu.vram == known(ByteSize::mib(24564), "NVML"));
  CHECK(gpu.integrated == known(false, "compute capability"));
  CHECK(profile.tools.cuda_driver == known(Version("12.4"), "NVML"));
  CHECK(profile.nvlink == known(false, "/sys/bus/pci/devices"));
}

TEST_CASE("why VRAM is unknown is the error of NVML when it failed", "[hardware]") {
  HardwareProfile profile;
  const auto files = fixture_files("reconstruction-of-rtx-4090-desktop");
  read_gpus(*files, true, ask({.init_status = 18}), profile);
  CHECK(profile.gpus.value->at(1).vram ==
        Fact<ByteSize>::missing("NVML: Driver/library version mismatch"));
  CHECK(profile.total_vram() == Fact<ByteSize>::missing("NVML: Driver/library version mismatch"));
}

TEST_CASE("without /proc/driver/nvidia the driver is not loaded", "[hardware]") {
  HardwareProfile profile;
  const auto files = fixture_files("reconstruction-of-rtx-4090-desktop");
  read_gpus(*files, true, std::nullopt, profile);
  CHECK(profile.gpus.value->at(1).vram ==
        Fact<ByteSize>::missing("the NVIDIA driver is not loaded (no /proc/driver/nvidia)"));
}

TEST_CASE("NVML GPUs that are no PCI devices are listed too", "[hardware]") {
  HardwareProfile profile;
  const auto files = fixture_files("reconstruction-of-a-neoverse-n1-server");
  read_gpus(*files, true, ask({.gpus = 1}), profile);
  const Gpu gpu = only_gpu(profile);
  CHECK(gpu.name == known(std::string("NVIDIA GeForce RTX 4090"), "NVML"));
  CHECK(gpu.pci_id == Fact<std::string>::missing("it is not in /sys/bus/pci/devices"));
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
