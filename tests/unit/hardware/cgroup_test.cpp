// SPDX-License-Identifier: Apache-2.0
#include "cgroup.hpp"

#include "cpu_info.hpp"
#include "memory.hpp"
#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <fstream>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

/// A machine of 64 GiB and 16 CPUs, with the cgroup files that a test adds.
class Tree {
 public:
  Tree() {
    write("/proc/meminfo", "MemTotal: 67108864 kB\nMemAvailable: 60000000 kB\nSwapTotal: 0 kB\n");
  }

  void write(const std::string& path, const std::string& content) {
    const auto file = folder_.path() / path.substr(1);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }

  std::unique_ptr<platform::FileReader> files() const {
    return platform::make_sysroot_reader(folder_.path());
  }

  Memory memory() const { return read_memory(*files()); }

  Fact<int> usable_threads() const { return read_usable_threads(*files(), known(16, "hwloc")); }

 private:
  las::test::TempDirectory folder_;
};

}  // namespace

TEST_CASE("both kinds of hierarchy are read from /proc/self/cgroup", "[hardware]") {
  const CgroupPaths paths = parse_self_cgroup(
      "3:cpu,cpuacct:/a\n2:memory:/b:c\n0::/d\nbroken\n1:x/y:/\n5:pids:relative\n");
  CHECK(paths.unified == "/d");
  REQUIRE(paths.legacy.size() == 3);
  CHECK(paths.legacy.at("cpu").hierarchy == "cpu,cpuacct");
  CHECK(paths.legacy.at("cpu").path == "/a");
  CHECK(paths.legacy.at("memory").path == "/b:c");
}

TEST_CASE("a CPU quota is runtime over period", "[hardware]") {
  CHECK(parse_cpu_max("250000 100000\n") == 2.5);
  CHECK_FALSE(parse_cpu_max("max 100000"));
  CHECK_FALSE(parse_cpu_max("-1 100000"));
  CHECK_FALSE(parse_cpu_max("100000 0"));
  CHECK_FALSE(parse_cpu_max("100000"));
}

TEST_CASE("the memory limit of an outer v2 group binds", "[hardware]") {
  Tree tree;
  tree.write("/proc/self/cgroup", "0::/outer/inner\n");
  tree.write("/sys/fs/cgroup/outer/memory.max", "8589934592\n");
  tree.write("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
  const Memory memory = tree.memory();
  CHECK(memory.total == known(ByteSize::gib(64), "/proc/meminfo"));
  CHECK(memory.effective == known(ByteSize::gib(8), "/sys/fs/cgroup/outer/memory.max"));
  CHECK(memory.available == known(ByteSize::gib(8), "/sys/fs/cgroup/outer/memory.max"));
}

TEST_CASE("available is what the group's limit leaves beside what it cannot give back",
          "[hardware]") {
  Tree tree;
  SECTION("v2, an outer group is nearer to its limit than the inner one") {
    tree.write("/proc/self/cgroup", "0::/outer/inner\n");
    tree.write("/sys/fs/cgroup/outer/memory.max", "8589934592\n");
    tree.write("/sys/fs/cgroup/outer/memory.current", "6442450944\n");
    tree.write("/sys/fs/cgroup/outer/memory.stat",
               "anon 5368709120\ninactive_file 1073741824\nworkingset_refault_file 7\n");
    tree.write("/sys/fs/cgroup/outer/inner/memory.max", "4294967296\n");
    tree.write("/sys/fs/cgroup/outer/inner/memory.current", "0\n");
    const Memory memory = tree.memory();
    CHECK(memory.effective == known(ByteSize::gib(4), "/sys/fs/cgroup/outer/inner/memory.max"));
    CHECK(memory.available == known(ByteSize::gib(3), "/sys/fs/cgroup/outer/memory.max"));
  }
  SECTION("v1") {
    tree.write("/proc/self/cgroup", "4:memory:/box\n");
    tree.write("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "8589934592\n");
    tree.write("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "3221225472\n");
    tree.write("/sys/fs/cgroup/memory/box/memory.stat",
               "inactive_file 9\ntotal_inactive_file 1073741824\n");
    CHECK(tree.memory().available ==
          known(ByteSize::gib(6), "/sys/fs/cgroup/memory/box/memory.limit_in_bytes"));
  }
  SECTION("more in use than the limit allows leaves nothing") {
    tree.write("/proc/self/cgroup", "0::/box\n");
    tree.write("/sys/fs/cgroup/box/memory.max", "1000\n");
    tree.write("/sys/fs/cgroup/box/memory.current", "2000\n");
    CHECK(tree.memory().available == known(ByteSize(), "/sys/fs/cgroup/box/memory.max"));
  }
}

TEST_CASE("of several memory limits the smallest binds", "[hardware]") {
  Tree tree;
  tree.write("/proc/self/cgroup", "0::/outer/inner\n");
  tree.write("/sys/fs/cgroup/outer/memory.max", "8589934592\n");
  tree.write("/sys/fs/cgroup/outer/inner/memory.max", "1073741824\n");
  CHECK(tree.memory().effective ==
        known(ByteSize::gib(1), "/sys/fs/cgroup/outer/inner/memory.max"));
}

TEST_CASE("a v1 limit is found at the root of the mount where the group's own path is the host's",
          "[hardware]") {
  Tree tree;
  tree.write("/proc/self/cgroup", "4:memory:/docker/0123\n0::/\n");
  tree.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4294967296\n");
  CHECK(tree.memory().effective ==
        known(ByteSize::gib(4), "/sys/fs/cgroup/memory/memory.limit_in_bytes"));
}

TEST_CASE("v1's huge number is no limit", "[hardware]") {
  Tree tree;
  tree.write("/proc/self/cgroup", "4:memory:/\n");
  tree.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(tree.memory().effective == known(ByteSize::gib(64), "/proc/meminfo"));
}

TEST_CASE("a cgroup path cannot lead out of the cgroup mount", "[hardware]") {
  Tree tree;
  tree.write("/proc/self/cgroup", "0::/../../../../secret\n");
  tree.write("/secret/memory.max", "1\n");
  CHECK(tree.memory().effective == known(ByteSize::gib(64), "/proc/meminfo"));
}

TEST_CASE("usable threads are the smaller of affinity and quota, rounded up", "[hardware]") {
  Tree tree;
  CHECK(tree.usable_threads() == known(16, "hwloc"));
  tree.write("/proc/self/status", "Name:\tlas\nCpus_allowed_list:\t0-3,8-11\n");
  CHECK(tree.usable_threads() == known(8, "/proc/self/status"));
  tree.write("/proc/self/cgroup", "3:cpu,cpuacct:/box\n");
  tree.write("/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "250000\n");
  tree.write("/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  CHECK(tree.usable_threads() == known(3, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us"));
}

TEST_CASE("a v1 group without quota has none", "[hardware]") {
  Tree tree;
  tree.write("/proc/self/cgroup", "3:cpu:/\n");
  tree.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  tree.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(tree.usable_threads() == known(16, "hwloc"));
}
