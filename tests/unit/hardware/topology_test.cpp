// SPDX-License-Identifier: Apache-2.0
#include "topology.hpp"

#include "cpu_info.hpp"
#include "support/catch.hpp"
#include "tree.hpp"

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

Cpu topology_of(const MachineTree& tree, const platform::Environment& environment = {}) {
  Cpu cpu;
  read_topology(*tree.files(), environment, tree.root(), cpu);
  return cpu;
}

}  // namespace

TEST_CASE("NUMA nodes of unequal size are counted, also one without CPUs", "[hardware]") {
  CpuTree tree;
  for (int i = 0; i < 6; ++i)
    tree.cpus[i] = {i, i < 4 ? 0 : 1, i < 4 ? 0 : 1};
  tree.node_kib = {{0, 33554432}, {1, 8388608}, {2, 16777216}};
  tree.l3_kib = 16384;
  tree.write();
  const Cpu cpu = topology_of(tree);
  CHECK(cpu.sockets == known(2, "hwloc"));
  CHECK(cpu.cores == known(6, "hwloc"));
  CHECK(cpu.threads == known(6, "hwloc"));
  CHECK(cpu.numa_nodes == known(3, "hwloc"));
  CHECK(cpu.performance_cores == known(6, "hwloc"));
  CHECK(cpu.efficiency_cores == known(0, "hwloc"));
  CHECK(cpu.l1d_cache == known(ByteSize::kib(6 * 32), "hwloc"));
  CHECK(cpu.l2_cache == known(ByteSize::mib(6), "hwloc"));
  CHECK(cpu.l3_cache == known(ByteSize::mib(32), "hwloc"));
}

TEST_CASE("CPUs that are offline do not count", "[hardware]") {
  CpuTree tree;
  for (int i = 0; i < 16; ++i)
    tree.cpus[i] = {i / 2, 0, 0, 0, 0, i != 3 && i < 12};
  tree.node_kib = {{0, 33554432}};
  tree.write();
  const Cpu cpu = topology_of(tree);
  CHECK(cpu.threads == known(11, "hwloc"));
  CHECK(cpu.cores == known(6, "hwloc"));
}

TEST_CASE("performance and efficiency cores of one package are told apart", "[hardware]") {
  CpuTree tree;  // eight cores of two threads, eight of one
  for (int i = 0; i < 24; ++i)
    tree.cpus[i] = {i < 16 ? i / 2 : i, 0, 0, i < 16 ? 1024 : 620};
  tree.node_kib = {{0, 33554432}};
  tree.write();
  tree.file("/sys/devices/cpu_core/cpus", "0-15\n").file("/sys/devices/cpu_atom/cpus", "16-23\n");
  const Cpu cpu = topology_of(tree);
  CHECK(cpu.threads == known(24, "hwloc"));
  CHECK(cpu.cores == known(16, "hwloc"));
  CHECK(cpu.performance_cores == known(8, "/sys/devices/cpu_core/cpus"));
  CHECK(cpu.efficiency_cores == known(8, "/sys/devices/cpu_core/cpus"));
}

TEST_CASE("on arm64 the capacity tells efficiency cores, not small differences of speed",
          "[hardware]") {
  CpuTree tree;
  for (int i = 0; i < 20; ++i)
    tree.cpus[i] = {i, 0, 0, i < 10 ? 718 : i < 15 ? 1017 : 1024};
  tree.node_kib = {{0, 125829120}};
  tree.write();
  const char* origin = "/sys/devices/system/cpu/cpu*/cpu_capacity";
  CHECK(topology_of(tree).performance_cores == known(10, origin));
  CHECK(topology_of(tree).efficiency_cores == known(10, origin));
}

TEST_CASE("cores that differ only by frequency are of no known kind", "[hardware]") {
  CpuTree tree;
  for (int i = 0; i < 12; ++i)
    tree.cpus[i] = {i, 0, 0, 0, i < 4 ? 5100000 : 3300000};
  tree.node_kib = {{0, 33554432}};
  tree.write();
  const Cpu cpu = topology_of(tree);
  CHECK(cpu.cores == known(12, "hwloc"));
  const std::string why = "its cores differ, and the kernel does not tell their kinds";
  CHECK(cpu.performance_cores == Fact<int>::missing(why));
  CHECK(cpu.efficiency_cores == Fact<int>::missing(why));
}

TEST_CASE("a cpuset keeps CPUs from las, not from the machine", "[hardware]") {
  CpuTree tree;
  for (int i = 0; i < 16; ++i)
    tree.cpus[i] = {i, 0, i / 8};
  tree.node_kib = {{0, 33554432}, {1, 33554432}};
  tree.write();
  tree.file("/proc/self/status", "Name:\tlas\nCpus_allowed_list:\t4-6,9\n")
      .file("/proc/self/cgroup", "0::/box\n")
      .file("/proc/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")
      .file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu memory\n")
      .file("/sys/fs/cgroup/box/cpuset.cpus.effective", "4-6,9\n")
      .file("/sys/fs/cgroup/box/cpuset.mems.effective", "0\n");
  const Cpu cpu = topology_of(tree);
  CHECK(cpu.threads == known(16, "hwloc"));
  CHECK(cpu.numa_nodes == known(2, "hwloc"));
  CHECK(read_usable_threads(*tree.files(), cpu.threads) == known(4, "/proc/self/status"));
}

TEST_CASE("a cache without its size makes no sum that is too small", "[hardware]") {
  CpuTree tree;
  for (int i = 0; i < 2; ++i)
    tree.cpus[i] = {i};
  tree.node_kib = {{0, 1048576}};
  tree.l3_kib = 8192;
  tree.write();
  std::filesystem::remove(tree.at("/sys/devices/system/cpu/cpu1/cache/index1/size"));
  const Cpu cpu = topology_of(tree);
  CHECK(cpu.l1d_cache == known(ByteSize::kib(64), "hwloc"));
  CHECK(cpu.l2_cache ==
        Fact<ByteSize>::missing("the firmware does not tell the size of each cache"));
}

TEST_CASE("the user's own hwloc file goes before the captured tree", "[hardware]") {
  CpuTree tree;
  tree.cpus[0] = {};
  tree.node_kib = {{0, 1048576}};
  tree.write();
  const std::string xml = fixture("hwloc-of-2-nodes-with-4-cores.xml").string();
  platform::Environment environment;
  environment.variables["HWLOC_XMLFILE"] = xml;
  setenv("HWLOC_XMLFILE", xml.c_str(), 1);
  const Cpu cpu = topology_of(tree, environment);
  unsetenv("HWLOC_XMLFILE");
  CHECK(cpu.cores == known(8, "hwloc"));
  CHECK(cpu.threads == known(16, "hwloc"));
  CHECK(cpu.numa_nodes == known(2, "hwloc"));
}

TEST_CASE("a topology of garbage is read without a crash", "[hardware]") {
  const std::vector<std::string> garbage = {
      "", "-1\n", "ffffffff,ffffffff\n", std::string(100000, ','), std::string("\0\xff\x80", 3)};
  for (const std::string& content : garbage) {
    CpuTree tree;
    for (int i = 0; i < 4; ++i)
      tree.cpus[i] = {i};
    tree.node_kib = {{0, 1048576}};
    tree.l3_kib = 1024;
    tree.write();
    for (const char* path : {"topology/core_cpus",
                             "topology/physical_package_id",
                             "cache/index2/shared_cpu_map",
                             "cache/index0/size",
                             "cpu_capacity"})
      tree.file(std::string("/sys/devices/system/cpu/cpu1/") + path, content);
    const Cpu cpu = topology_of(tree);
    CHECK(cpu.threads.value.value_or(4) == 4);
  }
}
