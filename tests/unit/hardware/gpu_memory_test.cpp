// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/gpu_memory.hpp"

#include "support/catch.hpp"
#include "tree.hpp"

using namespace las;
using namespace las::hardware;
using las::hardware::test::MachineTree;

namespace {

// As amdgpu and xe write it; what else stands there is left out.
constexpr const char* kOld =
    "pos:\t0\ndrm-driver:\tamdgpu\ndrm-client-id:\t12\ndrm-pdev:\t0000:03:00.0\n"
    "drm-memory-vram:\t2048 KiB\ndrm-memory-gtt:\t512 KiB\n";
constexpr const char* kNew =
    "drm-driver:\txe\ndrm-client-id:\t7\ndrm-pdev:\t0000:00:02.0\n"
    "drm-total-vram0:\t9 MiB\ndrm-resident-vram0:\t3 MiB\ndrm-memory-vram0:\t3 MiB\n"
    "drm-resident-system:\t1 MiB\n";

}  // namespace

TEST_CASE("memory on a GPU is told by the files that a process has open") {
  MachineTree machine;
  machine.file("/proc/41/fdinfo/0", "pos:\t0\nflags:\t02\n")
      .file("/proc/41/fdinfo/5", kOld)
      .file("/proc/41/fdinfo/6", kNew)
      .file("/proc/99/fdinfo/5", kNew);
  CHECK(gpu_memory(*machine.files(), {41}, {GpuVendor::Amd}) == ByteSize::mib(5));
}

TEST_CASE("a client that is open twice counts once") {
  MachineTree machine;
  machine.file("/proc/41/fdinfo/5", kOld)
      .file("/proc/41/fdinfo/8", kOld)
      .file("/proc/42/fdinfo/3", kOld);
  CHECK(gpu_memory(*machine.files(), {41, 42}, {GpuVendor::Intel}) == ByteSize::mib(2));
}

TEST_CASE("what no driver tells is not known, which is not nothing") {
  MachineTree machine;
  machine.file("/proc/41/fdinfo/0", "pos:\t0\n");
  CHECK_FALSE(gpu_memory(*machine.files(), {41}, {GpuVendor::Amd}));
  CHECK_FALSE(gpu_memory(*machine.files(), {77}, {GpuVendor::Amd}));
  CHECK_FALSE(gpu_memory(*machine.files(), {41}, {}));
}
