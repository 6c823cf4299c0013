// SPDX-License-Identifier: Apache-2.0
#include "nvml.hpp"

#include "stand_in_nvml.hpp"
#include "stand_ins.hpp"

#include "las/base/error.hpp"

#include <chrono>
#include <future>
#include <memory>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

using Links = std::vector<GpuLink>;

// The answer for a single GPU.
NvmlGpu ask_one(StandInGpu gpu) {
  const NvmlReport report = ask({.gpus = {std::move(gpu)}});
  REQUIRE(report.gpus.size() == 1);
  return report.gpus.front();
}

}  // namespace

TEST_CASE("NVML's answers become facts, and it is shut down", "[hardware]") {
  const NvmlReport report = ask({.gpus = {{}, {.bus = 2, .uuid = "GPU-b"}}});
  CHECK(report.failure.empty());
  CHECK(report.cuda_driver == known(Version("12.4"), "NVML"));
  CHECK(report.driver_version == known(Version("580.65.06"), "NVML"));
  REQUIRE(report.gpus.size() == 2);
  const NvmlGpu& second = report.gpus[1];
  CHECK(second.pci_address == "0000:02:00.0");
  CHECK(second.name == known(std::string("NVIDIA GeForce RTX 4090"), "NVML"));
  CHECK(second.uuid == known(std::string("GPU-b"), "NVML"));
  CHECK(second.vram == known(ByteSize::mib(24564), "NVML"));
  CHECK(second.vram_free == known(ByteSize::mib(24564 - 24564 / 8), "NVML"));
  CHECK(second.compute_capability == known(Version("8.9"), "NVML"));
  CHECK(second.power_limit == known(450, "NVML"));
  CHECK(stand_in_machine.shutdowns == 1);
}

TEST_CASE("a failing NVML is quoted and not shut down", "[hardware]") {
  const NvmlReport report = ask({.init_status = 999});
  CHECK(report.failure == "NVML: Unknown Error");
  CHECK_FALSE(report.mismatch);
  CHECK(report.cuda_driver == Fact<Version>::missing("NVML: Unknown Error"));
  CHECK(report.driver_version == Fact<Version>::missing("NVML: Unknown Error"));
  CHECK(stand_in_machine.shutdowns == 0);
}

TEST_CASE("NVML's error for kernel module and library of two versions is known as such",
          "[hardware]") {
  CHECK(ask({.init_status = 18}).mismatch);
}

TEST_CASE("a GPU that is lost is missed with NVML's reason", "[hardware]") {
  const NvmlReport report = ask({.gpus = {{}}, .lost = 1});
  CHECK(report.gpus.size() == 1);
  CHECK(report.silent_gpu == "NVML: GPU is lost");
}

TEST_CASE("links of a GPU are counted by the GPU they lead to", "[hardware]") {
  const NvmlGpu gpu =
      ask_one({.links = {{.bus = 2}, {.bus = 3}, {.bus = 2}, {.bus = 3, .active = false}}});
  CHECK(gpu.links.value == Links{{"0000:02:00.0", "nvlink", 2}, {"0000:03:00.0", "nvlink", 1}});
}

TEST_CASE("links to a switch have no peer", "[hardware]") {
  const StandInGpu::Link link{.type = nvml::kRemoteIsSwitch};
  CHECK(ask_one({.links = {link, link, link}}).links.value == Links{{"", "nvlink", 3}});
}

TEST_CASE("links that are down, or lead to a CPU, are none between GPUs", "[hardware]") {
  CHECK(ask_one({.links = {{.bus = 2, .active = false}}}).links.value == Links{});
  CHECK(ask_one({.links = {{.type = nvml::kRemoteIsCpu}}}).links.value == Links{});
}

TEST_CASE("a link whose other end NVML does not tell leaves the links unknown", "[hardware]") {
  CHECK(ask_one({.links = {{.bus = 2}, {.type = -1}}}).links.unknown ==
        "NVML does not tell where an NVLink of this GPU leads");
}

TEST_CASE("a GPU that MIG cannot divide is not divided", "[hardware]") {
  const NvmlGpu gpu = ask_one({});
  CHECK(gpu.mig == known(false, "NVML"));
  CHECK(gpu.mig_instances == known(std::vector<MigInstance>{}, "NVML"));
}

TEST_CASE("the instances of a divided GPU are listed across gaps in their numbers", "[hardware]") {
  const NvmlGpu gpu = ask_one({.mig_status = 0, .instances_mib = {40448, 0, 20096}});
  CHECK(gpu.mig == known(true, "NVML"));
  CHECK(gpu.mig_instances.value ==
        std::vector<MigInstance>{{"MIG-1", "NVIDIA GeForce RTX 4090 MIG", ByteSize::mib(40448)},
                                 {"MIG-3", "NVIDIA GeForce RTX 4090 MIG", ByteSize::mib(20096)}});
}

TEST_CASE("an error about MIG leaves it unknown", "[hardware]") {
  const NvmlGpu gpu = ask_one({.mig_status = 4});
  CHECK(gpu.mig == Fact<bool>::missing("NVML: Unknown Error"));
  CHECK_FALSE(gpu.mig_instances.is_known());
}

TEST_CASE("an NVML that lacks the newer functions still answers the rest", "[hardware]") {
  stand_in_machine = {.gpus = {{.links = {{.bus = 2}}}}};
  nvml::Functions functions = stand_in_nvml();
  functions.driver_version = nullptr;
  functions.device_power_limit = nullptr;
  functions.mig_mode = nullptr;
  functions.nvlink_state = nullptr;
  const NvmlReport report = ask_nvml(functions);
  REQUIRE(report.gpus.size() == 1);
  CHECK(report.gpus[0].vram.is_known());
  CHECK_FALSE(report.driver_version.is_known());
  CHECK_FALSE(report.gpus[0].power_limit.is_known());
  CHECK(report.gpus[0].mig == known(false, "NVML"));
  CHECK(report.gpus[0].links == Fact<Links>::missing("this NVML is too old to tell about NVLink"));
  functions = stand_in_nvml();
  functions.nvlink_remote_pci = nullptr;
  CHECK_FALSE(ask_nvml(functions).gpus.at(0).links.is_known());
}

TEST_CASE("a driver that does not answer in time is told as such, and its late answer is nobody's",
          "[hardware]") {
  auto hung = std::make_shared<std::promise<void>>();
  const NvmlReport report =
      ask_within(std::chrono::milliseconds(20), [gate = hung->get_future().share(), hung] {
        gate.wait();
        return NvmlReport{};
      });
  CHECK(report.failure == "NVML: the driver does not answer within 1 s");
  CHECK_FALSE(report.driver_version.is_known());
  hung->set_value();
}

TEST_CASE("an answer in time, or an error, comes through", "[hardware]") {
  NvmlReport wanted;
  wanted.silent_gpu = "marked";
  CHECK(ask_within(std::chrono::seconds(60), [&] { return wanted; }).silent_gpu == "marked");
  CHECK_THROWS_AS(
      ask_within(std::chrono::seconds(60),
                 []() -> NvmlReport { throw Error(ErrorKind::NotFound, "no library"); }),
      Error);
}

TEST_CASE("NVML's memory of a process is summed over the GPUs that it uses") {
  StandInGpu first, second;
  first.processes = {{7, 1000}, {8, ~0ULL}};
  second.processes = {{7, 24}, {9, 5}};
  stand_in_machine = {};
  stand_in_machine.gpus = {first, second};
  const auto used = ask_process_memory(stand_in_nvml());
  REQUIRE(used);
  CHECK(*used == std::map<std::uint32_t, ByteSize>{{7, ByteSize(1024)}, {9, ByteSize(5)}});
  CHECK(stand_in_machine.shutdowns == 1);

  stand_in_machine.init_status = nvml::kVersionMismatch;
  CHECK_FALSE(ask_process_memory(stand_in_nvml()));
  stand_in_machine.init_status = 0;
  auto old = stand_in_nvml();
  old.device_processes = nullptr;
  CHECK_FALSE(ask_process_memory(old));
}
