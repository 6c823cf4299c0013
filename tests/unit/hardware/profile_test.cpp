// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/profile.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

Gpu card(GpuVendor vendor, Fact<ByteSize> vram, bool integrated = false) {
  Gpu gpu;
  gpu.vendor = vendor;
  gpu.vram = std::move(vram);
  gpu.integrated = known(integrated, "test");
  gpu.kernel_driver = known(std::string("driver"), "test");
  return gpu;
}

Fact<ByteSize> mib(std::uint64_t size) {
  return known(ByteSize::mib(size), "test");
}

HardwareProfile machine(std::vector<Gpu> gpus) {
  HardwareProfile profile;
  profile.gpus = known(std::move(gpus), "test");
  profile.nvlink = known(false, "test");
  profile.memory.effective = known(ByteSize::gib(64), "test");
  return profile;
}

NamedFact fact(const HardwareProfile& profile, const std::string& name) {
  for (const NamedFact& named : named_facts(profile)) {
    if (named.name == name)
      return named;
  }
  FAIL("no fact " << name);
  return {};
}

std::string error_of(const std::string& json) {
  try {
    from_json(json);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::InvalidData);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("VRAM is summed over the vendor that has most", "[hardware]") {
  const auto profile = machine({card(GpuVendor::Amd, mib(8176)),
                                card(GpuVendor::Nvidia, mib(24564)),
                                card(GpuVendor::Nvidia, mib(12282)),
                                card(GpuVendor::Intel, Fact<ByteSize>::missing("shared"), true)});
  CHECK(profile.total_vram() == mib(24564 + 12282));
  CHECK(profile.largest_vram() == mib(24564));
  CHECK(fact(profile, "gpu.count").text.value == "2");
  CHECK(fact(profile, "gpu.vendor").text.value == "nvidia");
  CHECK(fact(profile, "gpu.vendors").text.value == "amd intel nvidia");
}

TEST_CASE("one unknown card makes its vendor's VRAM unknown", "[hardware]") {
  const auto profile = machine({card(GpuVendor::Nvidia, mib(24564)),
                                card(GpuVendor::Nvidia, Fact<ByteSize>::missing("GPU is lost"))});
  CHECK(profile.total_vram() == Fact<ByteSize>::missing("GPU is lost"));
  CHECK(profile.largest_vram() == Fact<ByteSize>::missing("GPU is lost"));
}

TEST_CASE("a machine whose GPU list is unknown has unknown VRAM", "[hardware]") {
  HardwareProfile profile;
  profile.gpus = Fact<std::vector<Gpu>>::missing("no sysfs");
  CHECK(profile.total_vram() == Fact<ByteSize>::missing("no sysfs"));
  CHECK(fact(profile, "gpu.count").text == Fact<std::string>::missing("no sysfs"));
}

TEST_CASE("a display chip or a GPU lent to a virtual machine does not count", "[hardware]") {
  Gpu lent = card(GpuVendor::Nvidia, Fact<ByteSize>::missing("lent"));
  lent.kernel_driver = known(std::string("vfio-pci"), "test");
  const auto profile = machine({lent, card(GpuVendor::Other, Fact<ByteSize>::missing("BMC"))});
  CHECK(fact(profile, "gpu.count").text.value == "0");
  CHECK(fact(profile, "gpu.vendor").text.value == "none");
  CHECK(profile.total_vram().value == ByteSize());
}

TEST_CASE("of a GPU that MIG divides, one instance counts", "[hardware]") {
  Gpu divided = card(GpuVendor::Nvidia, mib(81559));
  divided.mig = known(true, "NVML");
  divided.mig_instances = known(std::vector<MigInstance>{{"b", "3g.40gb", ByteSize::mib(40448)},
                                                         {"a", "1g.10gb", ByteSize::mib(9728)}},
                                "NVML");
  CHECK(machine({divided}).largest_vram() == known(ByteSize::mib(40448), "NVML"));
  CHECK(machine({divided, divided}).total_vram() == known(ByteSize::mib(40448), "NVML"));
  const Gpu whole = card(GpuVendor::Nvidia, mib(81559));
  CHECK(machine({divided, whole}).total_vram().value == ByteSize::mib(81559));
  CHECK(fact(machine({whole, divided}), "gpu.mig").text == known(std::string("true"), "NVML"));
  CHECK_FALSE(fact(machine({whole}), "gpu.mig").text.is_known());
  divided.mig_instances = known(std::vector<MigInstance>{}, "NVML");
  CHECK(machine({divided}).largest_vram().value == ByteSize());
  divided.mig_instances = Fact<std::vector<MigInstance>>::missing("no permission");
  CHECK(machine({divided}).largest_vram() == Fact<ByteSize>::missing("no permission"));
}

TEST_CASE("the driver that is worst off speaks for all", "[hardware]") {
  Gpu good = card(GpuVendor::Nvidia, mib(24564));
  good.driver_state = known(std::string("working"), "NVML");
  good.driver_version = known(Version("580.65.06"), "NVML");
  Gpu lost = good;
  lost.driver_state = known(std::string("broken"), "NVML");
  lost.driver_version = known(Version("570.1"), "NVML");
  CHECK(fact(machine({good, good}), "gpu.driver_state").text.value == "working");
  CHECK(fact(machine({good, lost}), "gpu.driver_state").text.value == "broken");
  CHECK(fact(machine({good, lost}), "gpu.driver_version").text.value == "570.1");
  CHECK(fact(machine({}), "gpu.driver_state").text ==
        Fact<std::string>::missing("this machine has no GPU to compute on"));
}

TEST_CASE("free VRAM is that of the GPU that has most", "[hardware]") {
  Gpu busy = card(GpuVendor::Nvidia, mib(24564));
  busy.vram_free = mib(1000);
  Gpu idle = busy;
  idle.vram_free = mib(24000);
  CHECK(fact(machine({busy, idle}), "gpu.vram_free").text.value ==
        std::to_string(ByteSize::mib(24000).bytes()));
  idle.vram_free = Fact<ByteSize>::missing("lost");
  CHECK(fact(machine({busy, idle}), "gpu.vram_free").text == Fact<std::string>::missing("lost"));
}

TEST_CASE("linked GPUs are counted among those that a model would run on", "[hardware]") {
  Gpu first = card(GpuVendor::Nvidia, mib(81559));
  first.pci_address = known(std::string("0000:01:00.0"), "test");
  first.links = known(std::vector<GpuLink>{{"0000:02:00.0", "nvlink", 4}}, "NVML");
  Gpu second = first;
  second.pci_address = known(std::string("0000:02:00.0"), "test");
  second.links = known(std::vector<GpuLink>{{"0000:01:00.0", "nvlink", 4}}, "NVML");
  Gpu alone = first;
  alone.pci_address = known(std::string("0000:03:00.0"), "test");
  alone.links = known(std::vector<GpuLink>{}, "NVML");
  CHECK(fact(machine({first, second, alone}), "gpu.linked").text ==
        known(std::string("2"), "NVML"));
  CHECK(fact(machine({first}), "gpu.linked").text == known(std::string("0"), "test"));
  alone.links = known(std::vector<GpuLink>{{"", "nvlink", 18}}, "NVML");  // to a switch, alone
  CHECK(fact(machine({first, second, alone}), "gpu.linked").text.value == "2");
  alone.links = Fact<std::vector<GpuLink>>::missing("old NVML");
  CHECK(fact(machine({first, second, alone}), "gpu.linked").text ==
        Fact<std::string>::missing("old NVML"));
}

TEST_CASE("the smallest compute capability of the GPUs counts", "[hardware]") {
  Gpu newer = card(GpuVendor::Nvidia, mib(24564));
  newer.compute_capability = known(Version("12.0"), "NVML");
  Gpu older = card(GpuVendor::Nvidia, mib(8192));
  older.compute_capability = known(Version("6.1"), "NVML");
  const auto profile = machine({newer, older});
  CHECK(fact(profile, "gpu.compute_capability").text == known(std::string("6.1"), "NVML"));
  CHECK(fact(profile, "gpu.compute_capability").kind == NamedFact::Kind::Version);
}

TEST_CASE("shared memory counts with what the firmware set aside for the GPU", "[hardware]") {
  const auto profile = machine({card(GpuVendor::Amd, mib(65536), true)});
  CHECK(fact(profile, "memory.unified").text.value == std::to_string(ByteSize::gib(128).bytes()));
  CHECK(fact(profile, "gpu.integrated").text.value == "true");
  CHECK(fact(machine({}), "memory.unified").text.value == "0");
}

TEST_CASE("every profile has the same named facts, apart from storage", "[hardware]") {
  const auto names = [](const HardwareProfile& profile) {
    std::vector<std::string> out;
    for (const NamedFact& named : named_facts(profile))
      out.push_back(named.name);
    return out;
  };
  CHECK(names({}) == names(machine({card(GpuVendor::Amd, mib(1))})));
  CHECK(fact(probe_fixture("capture-of-a-cpu-only-vm"), "storage.models.path").text.value ==
        "/var/lib/my models/blobs");
}

TEST_CASE("a profile survives JSON exactly", "[hardware]") {
  for (const char* name : {"capture-of-a-cpu-only-vm",
                           "reconstruction-of-rtx-4090-desktop",
                           "reconstruction-of-rx-7900-xtx-desktop",
                           "reconstruction-of-a-nouveau-and-arc-desktop",
                           "reconstruction-of-an-mi300x-x8-xgmi-server",
                           "reconstruction-of-an-ascend-910b-server",
                           "reconstruction-of-a-docker-container-with-limits"}) {
    const HardwareProfile profile = probe_fixture(name);
    CHECK(from_json(to_json(profile)) == profile);
  }
  CHECK(from_json(to_json({})) == HardwareProfile{});
  const auto huge = machine({card(GpuVendor::Amd, known(ByteSize(UINT64_MAX), "test"))});
  CHECK(from_json(to_json(huge)) == huge);
}

TEST_CASE("a fact is an object with value and origin, or with the reason it is unknown",
          "[hardware]") {
  HardwareProfile profile;
  profile.os.id = known(std::string("debian"), "/etc/os-release");
  profile.os.glibc = Fact<Version>::missing("not glibc");
  const std::string json = to_json(profile);
  CHECK(json.find("\"id\": {\n      \"value\": \"debian\",\n      \"origin\": "
                  "\"/etc/os-release\"\n    }") != std::string::npos);
  CHECK(
      json.find("\"glibc\": {\n      \"value\": null,\n      \"unknown\": \"not glibc\"\n    }") !=
      std::string::npos);
}

TEST_CASE("a wrong key of a JSON profile is named", "[hardware]") {
  CHECK(error_of("{").starts_with("a hardware profile is not JSON"));
  CHECK(error_of("{}") == "a hardware profile lacks this key: schema");
  CHECK(error_of(R"({"schema": 2})") ==
        "this las reads hardware profiles of schema 1, not 2: schema");
  CHECK(error_of(R"({"schema": 1, "ox": {}})") == "a hardware profile has no such key: ox");
  CHECK(error_of(R"({"schema": 1, "os": {"name": {}}})") ==
        "a hardware profile has no such key: os.name");
  CHECK(error_of(R"({"schema": 1, "os": {"id": {"value": 3, "origin": ""}}})") ==
        "this key of a hardware profile must be text: os.id.value");
  CHECK(error_of(R"({"schema": 1, "cpu": {"cores": {"value": -1, "origin": ""}}})") ==
        "this key of a hardware profile must be a whole number: cpu.cores.value");
  CHECK(error_of(R"({"schema": 1, "gpus": {"value": [{"vendor": "nvida"}], "origin": ""}})") ==
        "this GPU vendor of a hardware profile is none of nvidia, amd, intel, other: "
        "gpus.value[0].vendor");
}

TEST_CASE("a fact that a JSON profile leaves out is unknown", "[hardware]") {
  const HardwareProfile profile = from_json(R"({"schema": 1})");
  CHECK(profile.memory.total == Fact<ByteSize>::missing("the profile does not record it"));
  CHECK(profile.gpus == Fact<std::vector<Gpu>>::missing("the profile does not record it"));
}
