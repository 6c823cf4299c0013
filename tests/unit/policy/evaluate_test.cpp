// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"
#include "machines.hpp"
#include "support/catch.hpp"

using namespace las;
using namespace las::policy;
using namespace las::policy::test;

namespace {

Verdict judge(const HardwareProfile& profile,
              const std::string& policies,
              const std::vector<Override>& overrides = {}) {
  return evaluate(profile, rules_of("policies:\n" + policies), overrides);
}

std::string explain(const HardwareProfile& profile,
                    const std::string& policies,
                    const std::string& capability) {
  const Decision decision = judge(profile, policies).decide(capability);
  return (decision.allowed ? "yes: " : "no: ") + decision.explanation;
}

const char* const kPublished = R"(
  - name: tier2-default
    conditions:
      gpu_vram_min: 32GB
      ram_min: 64GB
    allow:
      max_model_size: 30B
      runtimes: [llama.cpp, vllm]
    deny: [multi_gpu_training]
)";

}  // namespace

TEST_CASE("the published example means what its text says", "[policy]") {
  const Verdict verdict = judge(machine().ram_mib(64100).nvidia("12.0", 32607), kPublished);
  CHECK(verdict.matched_rules == std::vector<std::string>{"tier2-default"});
  CHECK(verdict.max_model_billions == 30);
  CHECK(verdict.decide("vllm").allowed);
  CHECK(verdict.decide("vllm").rule == "tier2-default");
  CHECK_FALSE(verdict.decide("multi_gpu_training").allowed);
}

TEST_CASE("what is allowed on condition is denied elsewhere, with both numbers", "[policy]") {
  CHECK(explain(machine().ram_mib(64100).nvidia("8.6", 8188), kPublished, "vllm") ==
        "no: vllm needs VRAM of at least 32GB; this machine has 8.0 GiB");
  CHECK(explain(machine().ram_mib(64100), kPublished, "vllm") ==
        "no: vllm needs VRAM of at least 32GB; this machine has no VRAM");
  CHECK(explain(machine().ram_mib(64100).nouveau(), kPublished, "vllm") ==
        "no: vllm needs VRAM of at least 32GB; this machine has VRAM unknown (the nouveau driver "
        "does not "
        "report it)");
}

TEST_CASE("what no rule names is allowed", "[policy]") {
  const Decision decision = judge(machine(), kPublished).decide("postgresql");
  CHECK(decision.allowed);
  CHECK(decision.rule.empty());
  CHECK(decision.explanation == "no policy forbids postgresql");
}

TEST_CASE("a 24 GB card meets 24GB though it reports less, and is at most 24GB", "[policy]") {
  CHECK(marketed_floor(ByteSize::gib(24)) < ByteSize::mib(22731));
  CHECK(marketed_floor(ByteSize::gib(24)) > ByteSize::mib(22528));
  CHECK(marketed_floor(ByteSize::gib(12)) > ByteSize::mib(11264));
  const auto matches = [](std::uint64_t mib, const std::string& condition) {
    return !judge(machine().nvidia("8.9", mib), "  - {name: r, conditions: {" + condition + "}}\n")
                .matched_rules.empty();
  };
  for (const std::uint64_t reported : {24576U, 24564U, 24560U, 23034U, 22731U}) {
    INFO(reported << " MiB");
    CHECK(matches(reported, "gpu_vram_min: 24GB"));
    CHECK(matches(reported, "gpu_vram_max: 24GB"));
  }
  CHECK_FALSE(matches(22528, "gpu_vram_min: 24GB"));
  CHECK_FALSE(matches(32607, "gpu_vram_max: 24GB"));
  CHECK(matches(24564, "fact: gpu.vram_total, eq: 24GB"));
  CHECK_FALSE(matches(16376, "fact: gpu.vram_total, eq: 24GB"));
}

TEST_CASE("memory has the same tolerance, free disk space has none", "[policy]") {
  HardwareProfile profile = machine().ram_mib(30900);
  hardware::Storage storage;
  storage.purpose = "models";
  storage.free = known(ByteSize::mib(30900));
  profile.storage = {storage};
  CHECK(judge(profile, "  - {name: r, conditions: {ram_min: 32GB}}\n").matched_rules.size() == 1);
  CHECK(judge(profile, "  - {name: r, conditions: {fact: storage.models.free, min: 32GB}}\n")
            .matched_rules.empty());
}

TEST_CASE("deny beats allow wherever it stands", "[policy]") {
  const std::string allow = "  - {name: a, allow: {runtimes: [engine]}}\n";
  const std::string deny = "  - {name: d, deny: [engine]}\n";
  CHECK(explain(machine(), allow + deny, "engine") == "no: engine is denied on every machine");
  CHECK(explain(machine(), deny + allow, "engine") == "no: engine is denied on every machine");
}

TEST_CASE("of several maxima and tiers the most restrictive wins", "[policy]") {
  const Verdict verdict =
      judge(machine(),
            "  - {name: b, tier: large, description: L, allow: {max_model_size: 30B}}\n"
            "  - {name: a, tier: small, description: S, allow: {max_model_size: 500M}}\n"
            "  - {name: c, tier: huge, allow: {max_model_size: 1T}}\n");
  CHECK(verdict.max_model_billions == 0.5);
  CHECK(verdict.tier == "small");
  CHECK(verdict.tier_description == "S");
}

TEST_CASE("an unknown condition does not allow and does deny", "[policy]") {
  const HardwareProfile unknown = machine().nouveau();
  const std::string allow =
      "  - {name: a, conditions: {compute_capability_min: '7.5'}, allow: {runtimes: [engine], "
      "max_model_size: 70B}, tier: t}\n";
  const Verdict verdict = judge(unknown, allow);
  CHECK_FALSE(verdict.decide("engine").allowed);
  CHECK_FALSE(verdict.max_model_billions);
  CHECK(verdict.tier.empty());
  CHECK(explain(unknown,
                "  - {name: d, conditions: {compute_capability_max: '7.0'}, deny: [engine]}\n",
                "engine") ==
        "no: engine needs compute capability newer than 7.0; this machine has compute capability "
        "unknown (the "
        "nouveau driver does not report it)");
}

TEST_CASE("unknown is neither true nor false in combinations", "[policy]") {
  const HardwareProfile profile = machine().nouveau();  // gpu.vram_total unknown, gpu.count 1
  const auto matches = [&](const std::string& conditions) {
    return !judge(profile, "  - {name: r, conditions: " + conditions + "}\n").matched_rules.empty();
  };
  CHECK_FALSE(matches("{gpu_vram_min: 8GB}"));
  CHECK_FALSE(matches("{not: {gpu_vram_min: 8GB}}"));
  CHECK(matches("{any: [{gpu_vram_min: 8GB}, {gpu_count_min: 1}]}"));
  CHECK_FALSE(matches("{all: [{gpu_vram_min: 8GB}, {gpu_count_min: 1}]}"));
  CHECK(matches("{not: {all: [{gpu_vram_min: 8GB}, {gpu_count_min: 2}]}}"));
  CHECK(matches("{fact: gpu.vram_total, exists: false}"));
  CHECK_FALSE(matches("{fact: gpu.vram_total, exists: true}"));
  CHECK_FALSE(matches("{fact: storage.nowhere.free, min: 1GB}"));
}

TEST_CASE("every operator compares by the kind of the fact", "[policy]") {
  HardwareProfile profile = machine().nvidia("10.0", 24564, 2).nvlink().driver("580.65.06");
  profile.os.version = known(std::string("24.04"));
  const auto matches = [&](const std::string& conditions) {
    return !judge(profile, "  - {name: r, conditions: " + conditions + "}\n").matched_rules.empty();
  };
  CHECK(matches("{fact: gpu.compute_capability, min: '7.5'}"));  // 10.0 is newer than 7.5
  CHECK_FALSE(matches("{fact: gpu.compute_capability, below: '7.5'}"));
  CHECK(matches("{fact: os.version, min: '22.04', max: '24.04'}"));
  CHECK(matches("{fact: gpu.count, eq: 2}"));
  CHECK_FALSE(matches("{fact: gpu.count, in: [1, 3]}"));
  CHECK(matches("{nvlink: true}"));
  CHECK_FALSE(matches("{nvlink: false}"));
  CHECK(matches("{gpu_vendor: [amd, nvidia]}"));
  CHECK(matches("{cpu_features: [avx, avx2]}"));
  CHECK_FALSE(matches("{cpu_features: [avx, avx512f]}"));
  CHECK(matches("[{gpu_count_min: 2}, {gpu_vram_min: 48GB}]"));
}

TEST_CASE("in a denial the requirement is named, not whom the rule is about", "[policy]") {
  CHECK(explain(
            machine().nvidia("8.9", 8188),
            "  - {name: d, conditions: {gpu_vendor: nvidia, gpu_vram_max: 8GB}, deny: [engine]}\n",
            "engine") == "no: engine needs VRAM above 8GB; this machine has 8.0 GiB");
  CHECK(explain(machine(),
                "  - name: d\n    description: needs a link\n    conditions: {not: {any: [{nvlink: "
                "true}, "
                "{gpu_count_min: 4}]}}\n    deny: [engine]\n",
                "engine") ==
        "no: engine needs NVLink or at least 4 GPUs; this machine has no NVLink, 0 GPUs "
        "(needs a link)");
}

TEST_CASE("an override turns a denial and is named", "[policy]") {
  const std::vector<Override> overrides = {{"ov-7", "vllm", "testing a fork"}};
  const HardwareProfile small = machine().ram_mib(64100).nvidia("8.6", 8188);
  const Decision decision = judge(small, kPublished, overrides).decide("vllm");
  CHECK(decision.allowed);
  CHECK(decision.override_id == "ov-7");
  CHECK(decision.rule == "tier2-default");
  CHECK(decision.explanation ==
        "vllm is allowed by the override ov-7 (testing a fork), though vllm needs VRAM of at least "
        "32GB; this "
        "machine has 8.0 GiB");
  const Decision other = judge(small, kPublished, {{"ov-8", "llama.cpp", ""}}).decide("vllm");
  CHECK_FALSE(other.allowed);
}

TEST_CASE("an override of what is allowed anyway is not named", "[policy]") {
  const Decision decision =
      judge(machine().ram_mib(64100).nvidia("12.0", 32607), kPublished, {{"ov-7", "vllm", ""}})
          .decide("vllm");
  CHECK(decision.allowed);
  CHECK(decision.override_id.empty());
}

TEST_CASE("an overridden feature is listed", "[policy]") {
  const std::string rules =
      "  - {name: a, conditions: {gpu_count_min: 2}, allow: {features: [multi_gpu]}}\n";
  CHECK(judge(machine(), rules).features.empty());
  CHECK(judge(machine(), rules, {{"ov-1", "multi_gpu", "eGPU arrives"}}).features ==
        std::vector<std::string>{"multi_gpu"});
}

TEST_CASE("the trace holds every comparison of every rule with its origin", "[policy]") {
  const Verdict verdict = judge(machine().ram_mib(64100).nouveau(),
                                std::string(kPublished) + "  - {name: always, deny: [nothing]}\n");
  REQUIRE(verdict.trace.size() == 3);
  CHECK(verdict.trace[0].rule == "tier2-default");
  CHECK(verdict.trace[0].fact == "gpu.vram_total");
  CHECK(verdict.trace[0].fact_value.empty());
  CHECK(verdict.trace[0].fact_origin == "the nouveau driver does not report it");
  CHECK(verdict.trace[0].condition == "gpu.vram_total >= 32GB");
  CHECK(verdict.trace[0].outcome == Truth::Unknown);
  CHECK(verdict.trace[1].condition == "memory.effective >= 64GB");
  CHECK(verdict.trace[1].fact_value == std::to_string(ByteSize::mib(64100).bytes()));
  CHECK(verdict.trace[1].fact_origin == "test");
  CHECK(verdict.trace[1].outcome == Truth::True);
  CHECK(verdict.trace[2].condition == "always");
}

TEST_CASE("rules made by hand cannot break the evaluation", "[policy]") {
  Rule rule;
  rule.name = "odd";
  rule.deny = {"engine"};
  for (const Condition::Kind kind : {Condition::Kind::Min,
                                     Condition::Kind::In,
                                     Condition::Kind::Exists,
                                     Condition::Kind::All,
                                     Condition::Kind::Any,
                                     Condition::Kind::Not}) {
    Condition odd;
    odd.kind = kind;
    odd.fact = "no.such.fact";
    rule.conditions.children = {odd};
    CHECK_NOTHROW(evaluate(machine(), {rule}).decide("engine"));
  }
}
