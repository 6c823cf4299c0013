// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"
#include "machines.hpp"
#include "support/catch.hpp"

#include "las/base/text.hpp"

#include <algorithm>

using namespace las;
using namespace las::policy;
using namespace las::policy::test;

namespace {

struct Row {
  const char* what;
  HardwareProfile profile;
  const char* tier;
  double billions;
};

std::string explanation(const HardwareProfile& profile, const std::string& capability) {
  const Decision decision = evaluate(profile, shipped_rules()).decide(capability);
  return (decision.allowed ? "yes: " : "no: ") + decision.explanation;
}

bool allowed(const HardwareProfile& profile, const std::string& capability) {
  return evaluate(profile, shipped_rules()).decide(capability).allowed;
}

}  // namespace

TEST_CASE("each kind of machine lands in its tier", "[policy]") {
  const std::vector<Row> rows = {
      {"CPU only, 4 GB", machine().ram_mib(3900), "1", 1},
      {"CPU only, 8 GB", machine().ram_mib(7800), "1", 4},
      {"CPU only, 16 GB", machine().ram_mib(15700), "1", 8},
      {"CPU only, 32 GB", machine(), "1", 14},
      {"CPU only, 64 GB", machine().ram_mib(64100), "1", 14},
      {"memory unknown", machine().ram_unknown(), "1", 1},
      {"a 4 GB card: memory decides", machine().ram_mib(15700).nvidia("7.5", 4096), "1", 8},
      {"8 GB card", machine().ram_mib(15700).nvidia("8.6", 8188), "1", 8},
      {"8 GB card, 32 GB memory", machine().nvidia("8.6", 8188), "1", 14},
      {"8 GB card, memory unknown", machine().ram_unknown().nvidia("8.6", 8188), "1", 8},
      {"11 GB card", machine().ram_mib(15700).nvidia("7.5", 11264), "1", 8},
      {"12 GB card", machine().ram_mib(15700).nvidia("8.6", 12282), "1", 14},
      {"16 GB card", machine().nvidia("8.9", 16376), "1", 14},
      {"16 GB card with ECC", machine().nvidia("7.5", 15360), "1", 14},
      {"22 GB card", machine().nvidia("7.5", 22528), "1", 14},
      {"24 GB card", machine().nvidia("8.9", 24564), "2", 32},
      {"24 GB card with ECC", machine().nvidia("8.6", 22731), "2", 32},
      {"24 GB AMD card", machine().amd("gfx1100", 24560), "2", 32},
      {"32 GB card", machine().nvidia("12.0", 32607), "2", 32},
      {"2 x 16 GB", machine().nvidia("8.9", 16376, 2), "2", 32},
      {"48 GB card with ECC", machine().nvidia("8.9", 46068), "3", 70},
      {"2 x 24 GB", machine().nvidia("8.6", 24576, 2), "3", 70},
      {"80 GB card", machine().nvidia("9.0", 81559), "3", 120},
      {"96 GB card", machine().nvidia("12.0", 97887), "3", 120},
      {"2 x 80 GB", machine().nvidia("9.0", 81559, 2), "3", 235},
      {"4 x 80 GB with NVLink", machine().nvidia("9.0", 81559, 4).nvlink(), "3", 405},
      {"8 x 80 GB with NVLink", machine().nvidia("9.0", 81559, 8).nvlink(), "3", 700},
      {"VRAM unknown (nouveau)", machine().nouveau(), "1", 14},
      {"GPUs unknown", machine().ram_mib(7800).gpus_unknown(), "1", 4},
      {"laptop with integrated graphics, 64 GB",
       machine().ram_mib(64100).intel_integrated(),
       "1",
       14},
      {"small APU, 64 GB", machine().ram_mib(64100).amd("gfx1036", 512, true), "1", 14},
      {"integrated and 24 GB card", machine().intel_integrated().nvidia("8.9", 24564), "2", 32},
      {"large APU, 32 GB", machine().amd("gfx1151", 512, true), "1", 14},
      {"large APU, 64 GB", machine().ram_mib(63600).amd("gfx1151", 512, true), "2", 32},
      {"large APU, 96 GB", machine().ram_mib(95900).amd("gfx1151", 512, true), "3", 70},
      {"large APU, 128 GB", machine().ram_mib(128055).amd("gfx1151", 512, true), "3", 120},
      {"large APU, 96 of 128 GB set aside",
       machine().ram_mib(31000).amd("gfx1151", 98304, true),
       "3",
       120},
      {"128 GB shared with an NVIDIA chip",
       machine().ram_mib(122500).nvidia_unified("12.1"),
       "3",
       120},
  };
  const std::vector<Rule> rules = shipped_rules();
  for (const Row& row : rows) {
    INFO(row.what);
    const Verdict verdict = evaluate(row.profile, rules);
    CHECK(verdict.tier == row.tier);
    CHECK(verdict.max_model_billions == row.billions);
  }
}

TEST_CASE("every machine lands in exactly one tier", "[policy]") {
  const std::vector<Rule> rules = rules_of(read_source_file("share/policies/tiers.yaml"));
  using Sizes = std::vector<std::optional<ByteSize>>;
  // The gaps between rules, if there are any, lie where one begins.
  const auto around = [](std::initializer_list<std::uint64_t> starts) {
    Sizes sizes = {std::nullopt, ByteSize()};
    for (const std::uint64_t gib : starts) {
      const ByteSize floor = marketed_floor(ByteSize::gib(gib));
      sizes.insert(sizes.end(), {ByteSize(floor.bytes() - 1), floor});
    }
    return sizes;
  };
  const auto fact = [](const std::optional<ByteSize>& size) {
    return size ? known(*size) : Fact<ByteSize>::missing("unknown");
  };
  Gpu nvidia, amd, unknown_target;
  nvidia.vendor = GpuVendor::Nvidia;
  amd.vendor = unknown_target.vendor = GpuVendor::Amd;
  amd.gfx_target = known(std::string("gfx1151"));
  for (const auto& ram : around({8, 16, 32, 64, 96, 128})) {
    for (const auto& vram : around({8, 12, 24, 48, 80, 160, 320, 640})) {
      for (Gpu gpu : {nvidia, amd, unknown_target}) {
        gpu.vram = fact(vram);
        for (const bool integrated : {true, false}) {
          gpu.integrated = integrated ? known(true) : Fact<bool>::missing("unknown");
          HardwareProfile profile = machine();
          profile.memory.effective = fact(ram);
          profile.gpus = known(std::vector<Gpu>{gpu});
          const Verdict verdict = evaluate(profile, rules);
          if (verdict.matched_rules.size() != 1 || verdict.tier.empty())
            FAIL(to_json(profile) << text::join(verdict.matched_rules, ", "));
        }
      }
    }
  }
}

TEST_CASE("the engines for every machine are allowed on every machine", "[policy]") {
  for (const HardwareProfile& profile :
       {machine().profile(), machine().gpus_unknown().ram_unknown().profile(), HardwareProfile{}}) {
    CHECK(explanation(profile, "llama.cpp") ==
          "yes: llama.cpp is allowed by the rule engines-everywhere");
    CHECK(explanation(profile, "ollama") ==
          "yes: ollama is allowed by the rule engines-everywhere");
  }
}

TEST_CASE("a GPU engine is refused in terms of this machine", "[policy]") {
  CHECK(
      explanation(machine(), "vllm") ==
      "no: vllm needs GPU vendor nvidia or amd; this machine has no GPU (made for CUDA and ROCm)");
  CHECK(explanation(machine().nvidia("6.1", 11264), "vllm") ==
        "no: vllm needs compute capability 7.5 or newer; this machine has 6.1 (its kernels are "
        "built for "
        "Turing and newer)");
  CHECK(explanation(machine().nvidia("7.0", 16160), "sglang") ==
        "no: sglang needs compute capability 7.5 or newer; this machine has 7.0 (its kernels are "
        "built for "
        "Turing and newer)");
  CHECK(explanation(machine().nvidia("8.9", 24564).driver("515.65.01"), "vllm") ==
        "no: vllm needs NVIDIA driver 525.60.13 or newer; this machine has 515.65.01 (CUDA 12 "
        "needs this "
        "driver)");
  CHECK(explanation(machine().nouveau(), "vllm") ==
        "no: vllm needs compute capability 7.5 or newer; this machine has compute capability "
        "unknown (the "
        "nouveau driver does not report it) (its kernels are built for Turing and newer)");
  CHECK(explanation(machine().amd("gfx1030", 16368), "vllm") ==
        "no: vllm needs GPU target gfx90a or gfx942 or gfx950 or gfx1100 or gfx1101 or gfx1150 or "
        "gfx1151 or "
        "gfx1200 or gfx1201; this machine has gfx1030 (MI200, MI300, MI350, Radeon RX 7900 and "
        "9000, Ryzen "
        "AI)");
}

TEST_CASE("GPU engines are allowed where their GPUs are", "[policy]") {
  CHECK(allowed(machine().nvidia("7.5", 15360), "vllm"));
  CHECK(allowed(machine().nvidia("9.0", 81559), "sglang"));
  CHECK(allowed(machine().amd("gfx1100", 24560), "vllm"));
  CHECK_FALSE(allowed(machine().amd("gfx1100", 24560), "sglang"));
  CHECK(allowed(machine().amd("gfx942", 196592), "sglang"));
  CHECK_FALSE(allowed(machine().intel_integrated(), "vllm"));
  CHECK_FALSE(allowed(machine().gpus_unknown(), "vllm"));
}

TEST_CASE("the driver decides which CUDA builds may be chosen", "[policy]") {
  CHECK(allowed(machine().nvidia("8.9", 24564).driver("580.65.06"), "cuda13"));
  CHECK_FALSE(allowed(machine().nvidia("8.9", 24564).driver("575.51.03"), "cuda13"));
  CHECK(allowed(machine().nvidia("8.9", 24564).driver("575.51.03"), "cuda12"));
  CHECK_FALSE(allowed(machine().nvidia("7.0", 16160).driver("580.65.06"), "cuda13"));
  CHECK_FALSE(allowed(machine(), "cuda12"));
}

TEST_CASE("features of several GPUs are listed where there are several", "[policy]") {
  const std::vector<Rule> rules = shipped_rules();
  CHECK(evaluate(machine(), rules).features.empty());
  CHECK(evaluate(machine().nvidia("9.0", 81559, 4).nvlink(), rules).features ==
        std::vector<std::string>{
            "cuda12", "cuda13", "multi_gpu", "multi_gpu_training", "nvlink", "ollama-cuda"});
}

TEST_CASE("a CPU without AVX is refused what needs it", "[policy]") {
  HardwareProfile old = machine();
  old.cpu.features = known(std::vector<std::string>{"sse2"});
  CHECK(explanation(old, "tensorflow") ==
        "no: tensorflow needs CPU feature avx; this machine has none such (its wheels use AVX "
        "instructions)");
  CHECK(allowed(machine(), "tensorflow"));
}
