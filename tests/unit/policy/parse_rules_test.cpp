// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"
#include "machines.hpp"
#include "support/catch.hpp"

#include <algorithm>

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

namespace {

std::vector<std::string> sorted(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  return words;
}

std::vector<std::string> keys_of(const nlohmann::json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.at("properties").items())
    keys.push_back(key);
  return sorted(keys);
}

}  // namespace

TEST_CASE("the schemas have exactly the keys that the parser has", "[policy]") {
  const auto schema = nlohmann::json::parse(read_source_file("share/schema/policy.schema.json"));
  const auto& defs = schema.at("$defs");
  CHECK(keys_of(schema) == sorted(kKeys.at("document")));
  CHECK(keys_of(defs.at("rule")) == sorted(kKeys.at("rule")));
  CHECK(keys_of(defs.at("rule").at("properties").at("allow")) == sorted(kKeys.at("allow")));
  // "fact" makes a comparison of a map of conditions, which the schema has as a form of its own.
  std::vector<std::string> conditions = condition_keys();
  std::erase(conditions, "fact");
  CHECK(keys_of(defs.at("conditions").at("anyOf").at(0)) == sorted(conditions));
  CHECK(keys_of(defs.at("conditions").at("anyOf").at(1)) == sorted(comparison_keys()));

  const auto test = nlohmann::json::parse(read_source_file("share/schema/policy-test.schema.json"));
  CHECK(keys_of(test) == sorted(kKeys.at("test")));
  const auto& machine = test.at("$defs").at("machine").at("properties");
  CHECK(keys_of(machine.at("expect")) == sorted(kKeys.at("test.expect")));
}

namespace {

struct Loaded {
  std::vector<Rule> rules;
  std::vector<std::string> faults;
};

/// A shipped document and one of the site.
Loaded load(const std::string& shipped, const std::string& site) {
  Diagnostics diagnostics;
  Loaded loaded;
  const std::string none = "  []\n";
  loaded.rules = load_rules(
      {{"shipped.yaml", "policies:\n" + (shipped.empty() ? none : shipped), Layer::Shipped},
       {"site.yaml", "policies:\n" + site, Layer::Site}},
      diagnostics);
  for (const Diagnostic& item : diagnostics.items())
    loaded.faults.push_back(item.file + ":" + std::to_string(item.line) + ": " + item.key_path +
                            ": " + item.message +
                            (item.suggestion.empty() ? "" : " (" + item.suggestion + ")"));
  return loaded;
}

std::vector<std::string> names(const std::vector<Rule>& rules) {
  std::vector<std::string> out;
  for (const Rule& rule : rules)
    out.push_back(rule.name);
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a rule takes over the conditions, allowances and denials of what it extends",
          "[policy]") {
  const Loaded loaded = load(
      "  - {name: base, description: B, tier: 2, conditions: {gpu_vram_min: 24GB},"
      " allow: {max_model_size: 30B, runtimes: [a], features: [f]}, deny: [d]}\n",
      "  - {name: mine, extends: base, conditions: {ram_min: 64GB},"
      " allow: {runtimes: [b, a]}, deny: [e]}\n"
      "  - {name: third, extends: mine, allow: {max_model_size: 7B}}\n");
  CHECK(loaded.faults == Lines{});
  REQUIRE(names(loaded.rules) == Lines{"base", "mine", "third"});
  const Rule& mine = loaded.rules[1];
  CHECK(mine.conditions.children.size() == 2);
  CHECK(mine.conditions.children[0].fact == "gpu.vram_total");
  CHECK(mine.conditions.children[1].fact == "memory.effective");
  CHECK(mine.allow_runtimes == Lines{"b", "a"});
  CHECK(mine.allow_features == Lines{"f"});
  CHECK(mine.deny == Lines{"e", "d"});
  CHECK(mine.max_model_billions == 30);
  CHECK_FALSE(mine.tier);
  CHECK(mine.description.empty());
  CHECK(loaded.rules[2].conditions.children.size() == 2);
  CHECK(loaded.rules[2].max_model_billions == 7);
}

TEST_CASE("what is extended may stand below", "[policy]") {
  const Loaded loaded = load("", "  - {name: a, extends: b}\n  - {name: b, deny: [x]}\n");
  CHECK(loaded.faults == Lines{});
  CHECK(loaded.rules.at(0).deny == Lines{"x"});
}

TEST_CASE("a site's rule takes the place of a shipped one only when it says so", "[policy]") {
  const std::string shipped = "  - {name: base, deny: [x]}\n  - {name: other}\n";
  CHECK(load(shipped, "  - {name: base}\n").faults ==
        Lines{"site.yaml:2: policies[0].name: there are two rules named 'base', the other in "
              "shipped.yaml:2 (to put it in the other's place, add 'replaces: base')"});
  const Loaded same = load(shipped, "  - {name: base, replaces: base, deny: [y]}\n");
  CHECK(same.faults == Lines{});
  REQUIRE(names(same.rules) == Lines{"other", "base"});
  CHECK(same.rules[1].deny == Lines{"y"});
  const Loaded renamed = load(shipped, "  - {name: mine, replaces: base}\n");
  CHECK(renamed.faults == Lines{});
  CHECK(names(renamed.rules) == Lines{"other", "mine"});
}

TEST_CASE("a replacement may extend what it replaces, and others extend the replacement",
          "[policy]") {
  const Loaded loaded = load("  - {name: base, deny: [x]}\n  - {name: user, extends: base}\n",
                             "  - {name: base, replaces: base, extends: base, deny: [y]}\n");
  CHECK(loaded.faults == Lines{});
  REQUIRE(names(loaded.rules) == Lines{"user", "base"});
  CHECK(loaded.rules[0].deny == Lines{"y", "x"});
  CHECK(loaded.rules[1].deny == Lines{"y", "x"});
}

TEST_CASE("all faults between rules are told in one run, in the order of the documents",
          "[policy]") {
  const Loaded loaded = load(
      "  - {name: base}\n"
      "  - {name: twice}\n"
      "  - {name: shipped-over, replaces: base}\n",
      "  - {name: lost, extends: bsae}\n"
      "  - {name: itself, extends: itself}\n"
      "  - {name: one, extends: two}\n"
      "  - {name: two, extends: three}\n"
      "  - {name: three, extends: one}\n"
      "  - {name: behind, extends: one}\n"
      "  - {name: nothing, replaces: bases}\n"
      "  - {name: first, replaces: base}\n"
      "  - {name: second, replaces: base}\n"
      "  - {name: own, replaces: first}\n"
      "  - {name: twice}\n"
      "  - {name: both, allow: {runtimes: [x, y], features: [z]}, deny: [z, x]}\n"
      "  - {name: units, conditions: {ram_min: 8QB}}\n"
      "  - {name: of-a-faulty-one, extends: units}\n");
  CHECK(loaded.faults ==
        Lines{"shipped.yaml:4: policies[2].replaces: only a rule of this site can replace another",
              "site.yaml:2: policies[0].extends: there is no rule 'bsae' (did you mean 'base'?)",
              "site.yaml:3: policies[1].extends: a rule cannot extend itself",
              "site.yaml:6: policies[4].extends: 'extends' goes round in a circle: one -> two -> "
              "three -> one",
              "site.yaml:8: policies[6].replaces: there is no rule 'bases' (did you mean 'base'?)",
              "site.yaml:10: policies[8].replaces: the rule 'base' is replaced already, in "
              "site.yaml:9",
              "site.yaml:11: policies[9].replaces: 'first' is a rule of this site as well: change "
              "it there",
              "site.yaml:12: policies[10].name: there are two rules named 'twice', the other in "
              "shipped.yaml:3 (to put it in the other's place, add 'replaces: twice')",
              "site.yaml:13: policies[11].deny: the rule both allows and denies 'z'",
              "site.yaml:13: policies[11].deny: the rule both allows and denies 'x'",
              "site.yaml:14: policies[12].conditions.ram_min: '8QB' is not a size such as 24GB"});
  CHECK(names(loaded.rules) == Lines{"twice", "first"});
}

TEST_CASE("conditions that no machine can meet are contradictions", "[policy]") {
  const auto fault = [](const std::string& conditions) {
    const Lines faults = faults_of("policies: [{name: r, conditions: " + conditions + "}]",
                                   conditions.empty() ? 1 : 0);
    REQUIRE(faults.size() == 1);
    const std::string& text = faults.front();
    return text.substr(text.find("both ") + 5);
  };
  CHECK(fault("{gpu_vram_min: 48GB, gpu_vram_max: 24GB}") ==
        "gpu.vram_total <= 24GB and gpu.vram_total >= 48GB (p.yaml:1)");
  CHECK(fault("{fact: cpu.cores, min: 8, below: 8}") ==
        "not cpu.cores >= 8 and cpu.cores >= 8 (p.yaml:1)");
  CHECK(fault("{all: [{fact: os.version, eq: '9'}, {fact: os.version, min: '10'}]}") ==
        "os.version >= 10 and os.version == 9 (p.yaml:1)");
  CHECK(fault("{fact: os.id, eq: arch, in: [debian, ubuntu]}") ==
        "os.id in [debian, ubuntu] and os.id == arch (p.yaml:1)");
  CHECK(fault("{gpu_vendor: [nvidia, amd], not: {gpu_vendor: [amd, nvidia, intel]}}") ==
        "not gpu.vendor in [amd, nvidia, intel] and gpu.vendor in [nvidia, amd] (p.yaml:1)");
  CHECK(fault("{all: [{fact: gpu.vram_total, exists: false}, {gpu_vram_min: 8GB}]}") ==
        "gpu.vram_total >= 8GB and gpu.vram_total is unknown (p.yaml:1)");
  CHECK(fault("{nvlink: true, not: {nvlink: true}}") ==
        "not gpu.nvlink == true and gpu.nvlink == true (p.yaml:1)");
  CHECK(fault("{cpu_features: avx, not: {cpu_features: avx}}") ==
        "not cpu.features == avx and cpu.features == avx (p.yaml:1)");
  CHECK(fault("{ram_min: 8GB, any: [{ram_max: 4GB}, {ram_max: 2GB}]}") ==
        "memory.effective <= 4GB and memory.effective >= 8GB (p.yaml:1)");
  CHECK(fault("{any: [{gpu_count_min: 1}, {gpu_count_min: 3, gpu_count_max: 2}]}") ==
        "gpu.count <= 2 and gpu.count >= 3 (p.yaml:1)");
}

TEST_CASE("a rule with another fault is still looked through for contradictions", "[policy]") {
  Diagnostics diagnostics;
  const auto rules = parse_rules(R"(
policies:
  - name: a
    extends: nobody
    conditions: {gpu_vram_min: 24QB, ram_min: 32GB, ram_max: 16GB}
    allow: {runtimes: [engine]}
    deny: [engine]
)",
                                 "site.yaml",
                                 diagnostics);
  CHECK(rules.empty());
  std::string told;
  for (const Diagnostic& item : diagnostics.items())
    told += item.to_string() + "\n";
  for (const char* fault : {"'24QB' is not a size",
                            "there is no rule 'nobody'",
                            "no machine can meet both",
                            "both allows and denies 'engine'"}) {
    INFO(told);
    CHECK(told.find(fault) != std::string::npos);
  }
}

TEST_CASE("conditions that some machine can meet are no contradictions", "[policy]") {
  for (const char* conditions : {"{gpu_vram_min: 24GB, gpu_vram_max: 24GB}",
                                 "{fact: cpu.cores, min: 8, max: 8, eq: 8, in: [4, 8]}",
                                 "{cpu_features: [avx, avx2], not: {cpu_features: avx512f}}",
                                 "{ram_min: 8GB, any: [{ram_max: 4GB}, {gpu_count_min: 1}]}",
                                 "{not: {all: [{ram_min: 8GB}, {ram_max: 4GB}]}}",
                                 "{any: [{ram_min: 8GB}, {ram_max: 4GB}]}",
                                 "{not: {any: [{ram_min: 8GB}, {gpu_count_min: 1}]}}",
                                 "{fact: os.id, in: [debian, ubuntu], eq: debian}",
                                 "{fact: gpu.vram_total, exists: true, min: 8GB}"}) {
    INFO(conditions);
    CHECK(faults_of(std::string("policies: [{name: r, conditions: ") + conditions + "}]", 1) ==
          Lines{});
  }
}

TEST_CASE("a contradiction with what is extended stands at the rule's own condition", "[policy]") {
  CHECK(load("  - {name: base, conditions: {gpu_vram_min: 48GB}}\n",
             "  - {name: mine, extends: base, conditions: {gpu_vram_max: 8GB}}\n")
            .faults ==
        Lines{"site.yaml:2: policies[0].conditions.gpu_vram_max: no machine can meet both "
              "gpu.vram_total <= 8GB and gpu.vram_total >= 48GB (shipped.yaml:2)"});
}

TEST_CASE("the shipped tiers leave no machine out and take none twice", "[policy]") {
  Diagnostics diagnostics;
  check_tiers(shipped_rules(), diagnostics);
  CHECK(diagnostics.items().empty());
}

TEST_CASE("a gap and an overlap of tiers are found with a machine in them", "[policy]") {
  const auto told = [](const std::string& policies) {
    Diagnostics diagnostics;
    check_tiers(rules_of("policies:\n" + policies), diagnostics);
    Lines lines;
    for (const Diagnostic& item : diagnostics.items())
      lines.push_back(std::to_string(item.line) + ": " + std::string(to_string(item.severity)) +
                      ": " + item.message);
    return lines;
  };
  // Memory that could not be read is in neither.
  CHECK(told("  - {name: s, tier: 1, conditions: {fact: memory.effective, below: 8GB}}\n"
             "  - {name: l, tier: 2, conditions: {fact: memory.effective, min: 8GB}}\n") ==
        Lines{"3: error: a machine lands in no tier: an unknown amount of memory, no GPU"});
  CHECK(told("  - {name: s, tier: 1, conditions: {any: [{fact: memory.effective, exists: false},"
             " {ram_max: 8GB}]}}\n"
             "  - {name: l, tier: 2, conditions: {ram_min: 16GB}}\n") ==
        Lines{"3: error: a machine lands in no tier: 8.0 GiB of memory, no GPU"});
  CHECK(told("  - {name: all, tier: 1}\n"
             "  - {name: l, tier: 2, conditions: {gpu_vram_min: 16GB}}\n") ==
        Lines{"3: warning: a machine lands in the tiers of 'all' and 'l', of which the most "
              "restrictive counts: an unknown amount of memory, an nvidia GPU with 14.7 GiB"});
  CHECK(told("  []") ==
        Lines{"0: error: a machine lands in no tier: an unknown amount of memory, no "
              "GPU"});
}
