// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/gpu_files.hpp"

#include "support/catch.hpp"
#include "tree.hpp"

#include <sys/stat.h>

using namespace las;
using namespace las::hardware;
using las::hardware::test::MachineTree;
using Names = std::vector<std::string>;

namespace {

Gpu gpu(GpuVendor vendor, const std::string& pci) {
  Gpu made;
  made.vendor = vendor;
  made.pci_address = Fact<std::string>::known(pci, "test");
  return made;
}

}  // namespace

TEST_CASE("an NVIDIA GPU has a file by its minor number, and those that all share") {
  MachineTree machine;
  machine
      .file("/proc/driver/nvidia/gpus/0000:65:00.0/information",
            "Model: \t\t Test\nDevice Minor: \t 3\n")
      .folder("/sys/bus/pci/devices/0000:65:00.0/drm/card1")
      .folder("/sys/bus/pci/devices/0000:65:00.0/drm/renderD129");
  const auto found = gpu_files(*machine.files(), gpu(GpuVendor::Nvidia, "0000:65:00.0"));
  CHECK(found.nodes == Names{"/dev/nvidia3",
                             "/dev/nvidiactl",
                             "/dev/nvidia-uvm",
                             "/dev/nvidia-uvm-tools",
                             "/dev/dri/renderD129"});
  CHECK(found.groups.empty());
}

TEST_CASE("the parts of a divided GPU have files that go with it") {
  MachineTree machine;
  machine.file("/proc/driver/nvidia/gpus/0000:65:00.0/information", "Device Minor: \t 0\n")
      .file("/dev/nvidia-caps/nvidia-cap1", "")
      .file("/dev/nvidia-caps/nvidia-cap2", "");
  const auto found = gpu_files(*machine.files(), gpu(GpuVendor::Nvidia, "0000:65:00.0"));
  CHECK(std::count(found.nodes.begin(), found.nodes.end(), "/dev/nvidia-caps/nvidia-cap2") == 1);
}

TEST_CASE("an AMD GPU is reached by the compute driver's file and its own render node") {
  MachineTree machine;
  machine.folder("/sys/bus/pci/devices/0000:03:00.0/drm/renderD128")
      .folder("/sys/bus/pci/devices/0000:04:00.0/drm/renderD130");
  const auto found = gpu_files(*machine.files(), gpu(GpuVendor::Amd, "0000:04:00.0"));
  CHECK(found.nodes == Names{"/dev/kfd", "/dev/dri/renderD130"});
}

TEST_CASE("a file that not everybody may open brings its group along") {
  MachineTree machine;
  machine.folder("/sys/bus/pci/devices/0000:03:00.0/drm/renderD128")
      .file("/dev/dri/renderD128", "");
  const auto node = machine.at("/dev/dri/renderD128");
  REQUIRE(::chmod(node.c_str(), 0660) == 0);
  const bool is_root = ::getuid() == 0;
  if (is_root)
    REQUIRE(::chown(node.c_str(), 0, 44) == 0);

  struct ::stat status {};

  REQUIRE(::stat(node.c_str(), &status) == 0);
  const auto found = gpu_files(*machine.files(), gpu(GpuVendor::Intel, "0000:03:00.0"));
  CHECK(found.groups == std::vector<std::int64_t>{status.st_gid});

  REQUIRE(::chmod(node.c_str(), 0666) == 0);
  CHECK(gpu_files(*machine.files(), gpu(GpuVendor::Intel, "0000:03:00.0")).groups.empty());
}

TEST_CASE("a GPU whose driver does not work is not usable; one that says nothing may be") {
  Gpu tried = gpu(GpuVendor::Nvidia, "0000:65:00.0");
  CHECK(is_usable(tried));
  tried.driver_state = Fact<std::string>::known("working", "NVML");
  CHECK(is_usable(tried));
  for (const char* state : {"none", "nouveau", "mismatch", "broken", "reserved"}) {
    tried.driver_state = Fact<std::string>::known(state, "NVML");
    CHECK_FALSE(is_usable(tried));
  }
  CHECK_FALSE(is_usable(gpu(GpuVendor::Other, "0000:65:00.0")));
}
