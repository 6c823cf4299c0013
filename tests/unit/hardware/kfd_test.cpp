// SPDX-License-Identifier: Apache-2.0
#include "kfd.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <fstream>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

// Two GPUs and a CPU, and one link from the first GPU as the test wants it.
std::vector<GpuLink> links_of(const std::string& link) {
  const las::test::TempDirectory tree;
  const auto nodes = tree.path() / "sys/class/kfd/kfd/topology/nodes";
  const auto write = [&](const std::string& file, const std::string& content) {
    std::filesystem::create_directories((nodes / file).parent_path());
    std::ofstream(nodes / file, std::ios::binary) << content;
  };
  write("0/properties", "cpu_cores_count 64\nsimd_count 0\n");
  write("1/properties", "simd_count 440\ngfx_target_version 90010\nlocation_id 256\ndomain 0\n");
  write("2/properties", "simd_count 440\ngfx_target_version 90010\nlocation_id 512\ndomain 0\n");
  write("1/io_links/0/properties", link);
  const auto files = platform::make_sysroot_reader(tree.path());
  const auto gpus = read_kfd_gpus(*files);
  REQUIRE(gpus.has_value());
  REQUIRE(gpus->size() == 2);
  return read_xgmi_links(*files, gpus->front(), *gpus);
}

using Links = std::vector<GpuLink>;

}  // namespace

TEST_CASE("an XGMI link has as many lanes as its bandwidth is that of one", "[hardware]") {
  CHECK(links_of("type 11\nnode_to 2\nmin_bandwidth 50000\nmax_bandwidth 200000\n") ==
        Links{{"0000:02:00.0", "xgmi", 4}});
}

TEST_CASE("an XGMI link without credible bandwidth has lanes that are not told", "[hardware]") {
  const Links untold = {{"0000:02:00.0", "xgmi", 0}};
  CHECK(links_of("type 11\nnode_to 2\n") == untold);
  CHECK(links_of("type 11\nnode_to 2\nmin_bandwidth 50000\nmax_bandwidth 70000\n") == untold);
  CHECK(links_of("type 11\nnode_to 2\nmin_bandwidth 1\nmax_bandwidth 100\n") == untold);
  CHECK(links_of("type 11\nnode_to 2\nmin_bandwidth 1\nmax_bandwidth 18446744073709551615\n") ==
        untold);
}

TEST_CASE("links of other types, to the CPU or to nowhere are no XGMI links", "[hardware]") {
  CHECK(links_of("type 2\nnode_to 2\nmin_bandwidth 312\nmax_bandwidth 64000\n") == Links{});
  CHECK(links_of("type 11\nnode_to 0\n") == Links{});
  CHECK(links_of("type 11\nnode_to 7\n") == Links{});
  CHECK(links_of("type 11\nnode_to 1\n") == Links{});
}

TEST_CASE("a kernel without amdkfd has no topology, and not an empty one", "[hardware]") {
  CHECK_FALSE(read_kfd_gpus(*fixture_files("reconstruction-of-rtx-4090-desktop")).has_value());
}
