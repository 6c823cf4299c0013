// SPDX-License-Identifier: Apache-2.0
#include "machines.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace las;
using namespace las::policy;
using namespace las::policy::test;

namespace {

std::vector<std::string> faults_of(const std::string& yaml, std::size_t rules = 0) {
  Diagnostics diagnostics;
  CHECK(parse_rules(yaml, "p.yaml", diagnostics).size() == rules);
  std::vector<std::string> out;
  for (const Diagnostic& item : diagnostics.items())
    out.push_back(item.key_path + ": " + item.message +
                  (item.suggestion.empty() ? "" : " (" + item.suggestion + ")"));
  return out;
}

}  // namespace

TEST_CASE("a rule knows where it stands", "[policy]") {
  const std::vector<Rule> rules = rules_of(
      "schema: 1\npolicies:\n  - name: one\n  - name: two\n    description: ' text '\n    tier: "
      "2\n");
  REQUIRE(rules.size() == 2);
  CHECK(rules[1].name == "two");
  CHECK(rules[1].file == "test.yaml");
  CHECK(rules[1].line == 4);
  CHECK(rules[1].description == "text");
  CHECK(rules[1].tier == "2");
}

TEST_CASE("model sizes are billions of parameters", "[policy]") {
  const auto size = [](const std::string& text) {
    return rules_of("policies: [{name: r, allow: {max_model_size: " + text + "}}]")
        .at(0)
        .max_model_billions;
  };
  CHECK(size("14B") == 14);
  CHECK(size("0.5b") == 0.5);
  CHECK(size("500M") == 0.5);
  CHECK(size("1.6T") == 1600);
}

TEST_CASE("a short condition keeps the key it was written with", "[policy]") {
  const Rule rule = rules_of("policies: [{name: r, conditions: {gpu_vram_min: 24GB}}]").at(0);
  REQUIRE(rule.conditions.children.size() == 1);
  const Condition& condition = rule.conditions.children[0];
  CHECK(condition.kind == Condition::Kind::Min);
  CHECK(condition.fact == "gpu.vram_total");
  CHECK(condition.values == std::vector<std::string>{"24GB"});
  CHECK(condition.key == "gpu_vram_min");
}

TEST_CASE("all faults of a policy are told at once, with suggestions, and its rules left out",
          "[policy]") {
  const std::string yaml = R"(
polices: []
policies:
  - name: good
  - name: typo
    conditions: {gpu_vram_mim: 24GB}
  - name: units
    conditions: {ram_min: lots, gpu_count_min: two, nvlink: maybe}
  - description: nameless
  - name: good
  - name: fact
    conditions:
      any:
        - {fact: gpu.vram_totl, min: 24GB}
        - {fact: gpu.vendor, min: nvidia}
        - {fact: gpu.count}
  - name: sizes
    allow: {max_model_size: big, runtime: [x]}
    deny: ["Not A Name"]
)";
  CHECK(
      faults_of(yaml, 1) ==
      std::vector<std::string>{
          "polices: unknown key (did you mean 'policies'?)",
          "policies[1].conditions.gpu_vram_mim: unknown key (did you mean 'gpu_vram_min'?)",
          "policies[2].conditions.ram_min: 'lots' is not a size such as 24GB",
          "policies[2].conditions.gpu_count_min: 'two' is not a number",
          "policies[2].conditions.nvlink: 'maybe' is neither true nor false",
          "policies[3].name: missing key",
          "policies[4].name: there are two rules named 'good'",
          "policies[5].conditions.any[0].fact: there is no fact 'gpu.vram_totl' (did you mean "
          "'gpu.vram_total'?)",
          "policies[5].conditions.any[1].min: gpu.vendor has no order, so it has no minimum or "
          "maximum",
          "policies[5].conditions.any[2]: a condition needs one of min, max, below, eq, in, exists",
          "policies[6].allow.runtime: unknown key (did you mean 'runtimes'?)",
          "policies[6].allow.max_model_size: 'big' is not a number of parameters such as 14B",
          "policies[6].deny: 'Not A Name' is not the name of a module, runtime or feature"});
}

TEST_CASE("a document that is no policy document is a fault, not a crash", "[policy]") {
  CHECK(faults_of("schema: 2\npolicies: []") ==
        std::vector<std::string>{"schema: this las reads policies of schema 1, not 2"});
  CHECK_FALSE(faults_of("").empty());
  CHECK_FALSE(faults_of("just text").empty());
  CHECK_FALSE(faults_of("[1, 2]").empty());
  CHECK_FALSE(faults_of("policies: 3").empty());
  CHECK_FALSE(faults_of("policies: [1]").empty());
  CHECK_FALSE(faults_of("policies: [{name: r, conditions: 7}]").empty());
  CHECK_FALSE(faults_of("policies: [{name: r, conditions: {not: []}}]").empty());
  CHECK_FALSE(faults_of("policies: [").empty());
}

TEST_CASE("the shipped policies are free of faults and warnings", "[policy]") {
  for (const char* file : {"share/policies/tiers.yaml", "share/policies/engines.yaml"}) {
    Diagnostics diagnostics;
    const std::string text = read_source_file(file);
    REQUIRE_FALSE(text.empty());
    CHECK(parse_rules(text, file, diagnostics).size() > 5);
    CHECK(diagnostics.items().empty());
  }
}

TEST_CASE("the schema is JSON and knows every key that the parser knows", "[policy]") {
  const auto schema = nlohmann::json::parse(read_source_file("share/schema/policy.schema.json"));
  const auto& conditions = schema.at("$defs").at("conditions").at("anyOf").at(0).at("properties");
  for (const auto& [key, value] : conditions.items()) {
    INFO(key);
    Diagnostics diagnostics;
    parse_rules("policies: [{name: r, conditions: {" + key + ": x}}]", "p.yaml", diagnostics);
    for (const Diagnostic& item : diagnostics.items())
      CHECK(item.message != "unknown key");
  }
  CHECK(conditions.contains("gpu_vram_min"));
  CHECK(conditions.contains("nvidia_driver_min"));
}
