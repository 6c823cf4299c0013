// SPDX-License-Identifier: Apache-2.0
#include "accelerators.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

std::vector<Accelerator> accelerators_of(const std::string& fixture_name) {
  const auto profile = probe_fixture(fixture_name);
  REQUIRE(profile.accelerators.is_known());
  return *profile.accelerators.value;
}

PciDevice device(std::uint32_t device_class, std::uint32_t vendor, std::uint32_t id) {
  PciDevice out;
  out.device_class = device_class;
  out.vendor = vendor;
  out.device = id;
  return out;
}

}  // namespace

TEST_CASE("an Intel NPU is an accelerator with its device node", "[hardware]") {
  const auto found = accelerators_of("reconstruction-of-an-intel-npu-laptop");
  REQUIRE(found.size() == 1);
  CHECK(found[0].vendor == "intel");
  CHECK(found[0].name == known(std::string("Meteor Lake NPU"), "PCI id"));
  CHECK(found[0].pci_address == known(std::string("0000:00:0b.0"), "/sys/bus/pci/devices"));
  CHECK(found[0].pci_id.value == "8086:7d1d");
  CHECK(found[0].kernel_driver.value == "intel_vpu");
  CHECK(found[0].device == known(std::string("/dev/accel/accel0"), "/sys/class/accel"));
}

TEST_CASE("AMD's NPU is one though its PCI class says signal processing", "[hardware]") {
  const auto found = accelerators_of("reconstruction-of-an-amd-xdna-laptop");
  REQUIRE(found.size() == 1);
  CHECK(found[0].vendor == "amd");
  CHECK(found[0].name.value == "XDNA 2 NPU");
  CHECK(found[0].kernel_driver.value == "amdxdna");
  CHECK(found[0].device.value == "/dev/accel/accel0");
}

TEST_CASE("Ascend cards are listed, and neither the ZIP engine nor the screen of the server",
          "[hardware]") {
  const auto profile = probe_fixture("reconstruction-of-an-ascend-910b-server");
  REQUIRE(profile.accelerators.is_known());
  REQUIRE(profile.accelerators.value->size() == 4);
  const Accelerator& first = profile.accelerators.value->front();
  CHECK(first.vendor == "huawei");
  CHECK(first.name == known(std::string("Ascend 910B"), "PCI id"));
  CHECK(first.kernel_driver.value == "devdrv_device_driver");
  CHECK(first.device == Fact<std::string>::missing("its driver has no device in /sys/class/accel"));
  REQUIRE(profile.gpus.value->size() == 1);
  CHECK(profile.gpus.value->front().vendor == GpuVendor::Other);
}

TEST_CASE("a machine without accelerators is known to have none", "[hardware]") {
  CHECK(probe_fixture("capture-of-a-cpu-only-vm").accelerators ==
        known(std::vector<Accelerator>{}, "/sys/bus/pci/devices"));
  CHECK(probe_fixture("reconstruction-of-a-docker-container-with-limits").accelerators ==
        Fact<std::vector<Accelerator>>::missing("/sys/bus/pci/devices could not be read"));
}

TEST_CASE("what is an accelerator is told by its class, or by its id", "[hardware]") {
  CHECK(is_accelerator(device(0x120000, 0x1da3, 0x1020)));        // Gaudi2
  CHECK(is_accelerator(device(0x120000, 0x1234, 0x0001)));        // nobody's
  CHECK(is_accelerator(device(0x0b4000, 0x1e60, 0x2864)));        // Hailo-8
  CHECK(is_accelerator(device(0x088000, 0x1ac1, 0x089a)));        // Coral
  CHECK_FALSE(is_accelerator(device(0x120000, 0x1002, 0x74a1)));  // a GPU
  CHECK_FALSE(is_accelerator(device(0x118000, 0x1022, 0x1639)));  // another signal processor
  CHECK_FALSE(is_accelerator(device(0x120000, 0x19e5, 0xa250)));  // ZIP
}

TEST_CASE("named facts count accelerators and name their makers", "[hardware]") {
  const auto value = [](const std::string& fixture_name, const std::string& name) {
    for (const NamedFact& fact : named_facts(probe_fixture(fixture_name))) {
      if (fact.name == name)
        return fact.text.value.value_or("unknown: " + fact.text.unknown);
    }
    return std::string("absent");
  };
  const char* ascend = "reconstruction-of-an-ascend-910b-server";
  CHECK(value(ascend, "accelerator.count") == "4");
  CHECK(value(ascend, "accelerator.vendors") == "huawei");
  CHECK(value("capture-of-a-cpu-only-vm", "accelerator.count") == "0");
  CHECK(value("reconstruction-of-a-docker-container-with-limits", "accelerator.count") ==
        "unknown: /sys/bus/pci/devices could not be read");
}
