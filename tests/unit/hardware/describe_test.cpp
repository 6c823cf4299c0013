// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/describe.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

TEST_CASE("every section of a profile can be described, fact by fact", "[hardware]") {
  const HardwareProfile profile = probe_fixture("reconstruction-of-rtx-4090-desktop");
  for (const std::string& section : section_names())
    CHECK_FALSE(describe(profile, section).empty());
  const auto gpu = describe(profile, "gpu");
  const auto name = std::find_if(gpu.begin(), gpu.end(), [](const DescribedFact& fact) {
    return fact.group == "0000:01:00.0" && fact.name == "name";
  });
  REQUIRE(name != gpu.end());
  CHECK(name->text == "NVIDIA GeForce RTX 4090");
  CHECK(name->unknown.empty());
  for (const DescribedFact& fact : describe(profile, "memory"))
    CHECK((fact.origin.empty() != fact.unknown.empty()));
  CHECK(nlohmann::json::parse(to_json(profile, "gpu")).contains("nvlink"));
  CHECK(nlohmann::json::parse(to_json(profile, "cpu")).size() == 2);
}

TEST_CASE("a section that there is not names the nearest one", "[hardware]") {
  try {
    describe({}, "gpus");
    FAIL("it was accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Usage);
    CHECK(error.hint() == "did you mean 'gpu'?");
  }
  CHECK_THROWS_AS(to_json({}, "nonsense"), Error);
}

TEST_CASE("instruction sets are named as people write them", "[hardware]") {
  Cpu cpu;
  CHECK(instruction_sets(cpu).empty());
  cpu.features = known(std::vector<std::string>{"amx_bf16",
                                                "amx_int8",
                                                "amx_tile",
                                                "avx2",
                                                "avx512_bf16",
                                                "avx512_fp16",
                                                "avx512_vnni",
                                                "avx512f",
                                                "sse2"},
                       "/proc/cpuinfo");
  CHECK(instruction_sets(cpu) ==
        std::vector<std::string>{"AVX2", "AVX-512 (VNNI, BF16, FP16)", "AMX (INT8, BF16)"});
  cpu.features = known(std::vector<std::string>{"asimddp", "neon", "sve"}, "/proc/cpuinfo");
  CHECK(instruction_sets(cpu) == std::vector<std::string>{"NEON (dot product)", "SVE"});
}

TEST_CASE("the verdict on a distribution names what is tested", "[hardware]") {
  const auto support = [](const char* id, const char* version) {
    OperatingSystem os;
    os.id = known(std::string(id), "/etc/os-release");
    if (*version != '\0')
      os.version = known(std::string(version), "/etc/os-release");
    return os_support(os).supported;
  };
  CHECK(support("debian", "12"));
  CHECK(support("debian", "13"));
  CHECK(support("debian", ""));
  CHECK_FALSE(support("debian", "11"));
  CHECK(support("ubuntu", "22.04"));
  CHECK(support("ubuntu", "24.04"));
  CHECK_FALSE(support("ubuntu", "23.10"));
  CHECK_FALSE(support("fedora", "41"));
  CHECK_FALSE(os_support({}).supported);
}
