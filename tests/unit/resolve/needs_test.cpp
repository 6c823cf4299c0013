// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "unit/resolve/builders.hpp"

#include "las/resolve/resolve.hpp"

using builders::machine;
using builders::with_nvidia;
using las::ByteSize;
using las::Version;
using las::catalog::HardwareNeeds;
using las::hardware::Fact;
using las::hardware::GpuVendor;
using las::resolve::unmet_needs;
using Clauses = std::vector<std::string>;

TEST_CASE("no needs are met by any machine, even by one of which nothing is known", "[resolve]") {
  CHECK(unmet_needs({}, {}).empty());
}

TEST_CASE("every unmet need is one clause with both numbers", "[resolve]") {
  HardwareNeeds needs;
  needs.architectures = {"aarch64"};
  needs.glibc_min = Version("2.39");
  needs.cores_min = 12;
  needs.cpu_features = {"avx2", "avx512f"};
  needs.ram_min = ByteSize::gib(32);
  CHECK(unmet_needs(needs, machine()) ==
        Clauses{"needs the architecture aarch64; this machine is x86_64",
                "needs glibc >= 2.39; this machine has 2.36",
                "needs 12 CPU cores; this machine has 8",
                "needs the CPU features avx2, avx512f; this machine lacks avx512f",
                "needs 32.0 GiB of memory; this machine has 16.0 GiB"});
}

TEST_CASE("an unknown fact is an unmet need that says so", "[resolve]") {
  auto profile = machine();
  profile.memory.effective = Fact<ByteSize>::missing("/proc/meminfo cannot be read");
  profile.gpus = Fact<std::vector<las::hardware::Gpu>>::missing("no /sys");
  HardwareNeeds needs;
  needs.ram_min = ByteSize::gib(1);
  needs.gpu_vendor = "nvidia";
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs 1.0 GiB of memory; what this machine has is unknown: "
                "/proc/meminfo cannot be read",
                "needs an NVIDIA GPU; what this machine has is unknown: no /sys"});
}

TEST_CASE("a distribution that is not among those wanted is named beside them", "[resolve]") {
  auto profile = machine();
  profile.os.id = Fact<std::string>::known("debian", "test");
  profile.os.version = Fact<std::string>::known("12", "test");
  HardwareNeeds needs;
  needs.os = {{"debian", *las::VersionRange::parse("12")},
              {"ubuntu", *las::VersionRange::parse(">=22.04")}};
  CHECK(unmet_needs(needs, profile).empty());
  profile.os.version = Fact<std::string>::known("13", "test");
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs debian 12 or ubuntu >=22.04; this machine is debian 13"});
  profile.os.version = Fact<std::string>::missing("/etc/os-release has no VERSION_ID");
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs debian 12 or ubuntu >=22.04; what this machine has is unknown: "
                "/etc/os-release has no VERSION_ID"});
  profile.os.id = Fact<std::string>::known("arch", "test");
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs debian 12 or ubuntu >=22.04; this machine is arch"});
  profile.os.id = Fact<std::string>::missing("no /etc/os-release");
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs debian 12 or ubuntu >=22.04; what this machine has is unknown: no "
                "/etc/os-release"});
  needs.os = {{"arch", {}}};
  profile.os.id = Fact<std::string>::known("arch", "test");
  CHECK(unmet_needs(needs, profile).empty());
}

TEST_CASE("tools are needed in a range of versions, all of them", "[resolve]") {
  auto profile = machine();
  profile.tools.podman = Fact<Version>::known(Version("3.4.4"), "test");
  profile.tools.rocm = Fact<Version>::missing("there is no /opt/rocm");
  HardwareNeeds needs;
  needs.tools = {{"podman", *las::VersionRange::parse(">=4.1")},
                 {"rocm", *las::VersionRange::parse(">=7,<8")}};
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs podman >=4.1; this machine has 3.4.4",
                "needs rocm >=7,<8; what this machine has is unknown: there is no /opt/rocm"});
  profile.tools.podman = Fact<Version>::known(Version("4.10.0"), "test");
  profile.tools.rocm = Fact<Version>::known(Version("7.2"), "test");
  CHECK(unmet_needs(needs, profile).empty());
  needs.tools = {{"podman", {}}};
  CHECK(unmet_needs(needs, profile).empty());
  needs.tools = {{"abacus", {}}};
  CHECK(unmet_needs(needs, profile) == Clauses{"needs abacus, of which las knows nothing"});
}

TEST_CASE("sizes are nominal: a 24GB card is one that reports 24564 MiB", "[resolve]") {
  HardwareNeeds needs;
  needs.vram_min = ByteSize::gib(24);
  needs.ram_min = ByteSize::gib(16);
  auto profile = with_nvidia(ByteSize::mib(24564), "8.9");
  profile.memory.effective = Fact<ByteSize>::known(ByteSize::mib(15500), "test");
  CHECK(unmet_needs(needs, profile).empty());
  profile.memory.effective = Fact<ByteSize>::known(ByteSize::mib(15000), "test");
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs 16.0 GiB of memory; this machine has 14.6 GiB"});
}

TEST_CASE("a machine without such a card gets one clause, not one per detail", "[resolve]") {
  HardwareNeeds needs;
  needs.gpu_vendor = "nvidia";
  needs.compute_capability_min = Version("7.5");
  needs.vram_min = ByteSize::gib(8);
  needs.driver_min = Version("550");
  needs.cuda_min = Version("12.4");
  CHECK(unmet_needs(needs, machine()) ==
        Clauses{"needs an NVIDIA GPU with compute capability >= 7.5 and 8.0 GiB of memory; "
                "this machine has none"});
  auto amd = machine();
  amd.gpus.value->push_back(builders::gpu(GpuVendor::Amd, ByteSize::gib(16)));
  CHECK(unmet_needs(needs, amd) ==
        Clauses{"needs an NVIDIA GPU with compute capability >= 7.5 and 8.0 GiB of memory; "
                "this machine has only an AMD GPU"});
}

TEST_CASE("a card that is there is compared in each detail", "[resolve]") {
  HardwareNeeds needs;
  needs.compute_capability_min = Version("10.0");
  needs.vram_min = ByteSize::gib(24);
  needs.driver_min = Version("580");
  needs.cuda_min = Version("13.0");
  CHECK(unmet_needs(needs, with_nvidia(ByteSize::gib(12), "8.9")) ==
        Clauses{"needs an NVIDIA GPU with compute capability >= 10.0; this machine has 8.9",
                "needs 24.0 GiB of GPU memory; this machine has 12.0 GiB",
                "needs NVIDIA driver >= 580; this machine has 550.54.14",
                "needs a driver for CUDA >= 13.0; this machine has 12.4"});
  CHECK(unmet_needs(needs, with_nvidia(ByteSize::gib(24), "12.0", "580.65", "13.0")).empty());
}

TEST_CASE("the memory of several cards counts together only for what can use several",
          "[resolve]") {
  HardwareNeeds needs;
  needs.vram_min = ByteSize::gib(48);
  const auto two = with_nvidia(ByteSize::gib(24), "8.9", "550", "12.4", 2);
  CHECK(unmet_needs(needs, two) ==
        Clauses{"needs 48.0 GiB of GPU memory; this machine has 24.0 GiB"});
  needs.multi_gpu = true;
  CHECK(unmet_needs(needs, two).empty());
  CHECK(unmet_needs(needs, with_nvidia(ByteSize::gib(48), "8.9")) ==
        Clauses{"needs at least 2 GPUs; this machine has 1"});
  needs.multi_gpu = false;
  CHECK(unmet_needs(needs, with_nvidia(ByteSize::gib(48), "8.9")).empty());
}

TEST_CASE("the capable card must also be the one with the memory", "[resolve]") {
  auto profile = with_nvidia(ByteSize::gib(8), "9.0");
  profile.gpus.value->push_back(builders::gpu(GpuVendor::Nvidia, ByteSize::gib(48), "6.1"));
  HardwareNeeds needs;
  needs.compute_capability_min = Version("7.5");
  needs.vram_min = ByteSize::gib(24);
  CHECK(unmet_needs(needs, profile) ==
        Clauses{"needs 24.0 GiB of GPU memory; this machine has 8.0 GiB"});
}

TEST_CASE("cores are those a process may really use, and amd64 is x86_64", "[resolve]") {
  auto profile = machine();
  profile.cpu.usable_threads = Fact<int>::known(2, "cgroup");
  HardwareNeeds needs;
  needs.cores_min = 4;
  needs.architectures = {"amd64"};
  CHECK(unmet_needs(needs, profile) == Clauses{"needs 4 CPU cores; this machine has 2"});
}
