// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <fstream>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

Fact<std::vector<Gpu>> gpus(std::vector<Gpu> list) {
  return known(std::move(list), "/sys/bus/pci/devices");
}

Gpu gpu(GpuVendor vendor, const std::string& pci_id) {
  Gpu out;
  out.vendor = vendor;
  out.pci_id = known(pci_id, "test");
  return out;
}

Board board_with(const std::vector<Gpu>& list) {
  const las::test::TempDirectory tree;
  return read_board(*platform::make_sysroot_reader(tree.path()), gpus(list));
}

}  // namespace

TEST_CASE("a DGX Spark is a GB10 by its name and by its GPU", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-a-dgx-spark-gb10");
  CHECK(profile.board.vendor == known(std::string("NVIDIA"), "/sys/class/dmi/id/sys_vendor"));
  CHECK(profile.board.product ==
        known(std::string("NVIDIA_DGX_Spark"), "/sys/class/dmi/id/product_name"));
  CHECK(profile.board.unified_memory ==
        known(std::string("NVIDIA GB10"), "/sys/class/dmi/id/product_name"));
  REQUIRE(profile.gpus.value->size() == 1);
  CHECK(profile.gpus.value->front().integrated.value == true);
  CHECK(profile.gpus.value->front().name.value == "NVIDIA GB10");
  CHECK_FALSE(profile.gpus.value->front().uuid.is_known());
  // Other makers sell it under names of their own.
  CHECK(board_with({gpu(GpuVendor::Nvidia, "10de:2e12")}).unified_memory ==
        known(std::string("NVIDIA GB10"), "test"));
}

TEST_CASE("a GB10 has unified memory though it has no VRAM", "[hardware]") {
  for (const NamedFact& fact : named_facts(probe_fixture("reconstruction-of-a-dgx-spark-gb10"))) {
    if (fact.name == "memory.unified")
      CHECK(fact.text.value == std::to_string(127598748ULL * 1024));
    if (fact.name == "gpu.count")
      CHECK(fact.text.value == "1");
    if (fact.name == "gpu.vram_total")
      CHECK(fact.text.value == "0");
    if (fact.name == "board.unified_memory")
      CHECK(fact.text.value == "NVIDIA GB10");
  }
}

TEST_CASE("a Jetson is named by its device tree", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-a-jetson-agx-orin");
  CHECK(profile.board.vendor == known(std::string("nvidia"), "/proc/device-tree/compatible"));
  CHECK(profile.board.product ==
        known(std::string("NVIDIA Jetson AGX Orin Developer Kit"), "/proc/device-tree/model"));
  CHECK(profile.board.unified_memory ==
        known(std::string("NVIDIA Jetson"), "/proc/device-tree/compatible"));
}

TEST_CASE("a Strix Halo is known by its GPU, with or without its driver", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-a-strix-halo-128gb-mini-pc");
  CHECK(profile.board.unified_memory.value == "AMD Strix Halo");
  Gpu renamed = gpu(GpuVendor::Amd, "1002:ffff");
  renamed.gfx_target = known(std::string("gfx1151"), "KFD");
  CHECK(board_with({renamed}).unified_memory == known(std::string("AMD Strix Halo"), "KFD"));
}

TEST_CASE("GPUs with memory of their own make no unified memory, Grace beside them or not",
          "[hardware]") {
  CHECK(probe_fixture("reconstruction-of-rtx-4090-desktop").board.unified_memory ==
        known(std::string("none"), "/sys/bus/pci/devices"));
  // GH200
  CHECK(board_with({gpu(GpuVendor::Nvidia, "10de:2342")}).unified_memory.value == "none");
  CHECK(probe_fixture("capture-of-a-cpu-only-vm").board.unified_memory.value == "none");
}

TEST_CASE("without a list of GPUs the family is unknown", "[hardware]") {
  CHECK(probe_fixture("reconstruction-of-a-wsl-machine").board.unified_memory ==
        Fact<std::string>::missing("WSL shows GPUs to its own libraries only"));
}

TEST_CASE("what a maker left in the firmware's form is no name", "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-an-arc-b580-desktop");
  CHECK(profile.board.vendor.value == "ASUS");
  CHECK(profile.board.product ==
        Fact<std::string>::missing("the firmware says only \"System Product Name\""));
}

TEST_CASE("a Tegra is found among the words of a device tree only", "[hardware]") {
  using namespace std::string_view_literals;
  CHECK(tegra_of("nvidia,p3701\0nvidia,tegra234\0"sv)->compute_capability == "8.7");
  CHECK(tegra_of("nvidia,tegra264"sv)->compute_capability == "11.0");
  CHECK_FALSE(tegra_of("nvidia,tegra234-ccplex\0"sv));
  CHECK_FALSE(tegra_of("raspberrypi,5-model-b\0brcm,bcm2712\0"sv));
  CHECK_FALSE(tegra_of(""sv));
}
