// SPDX-License-Identifier: Apache-2.0
// Runs tests/policy/machines.yaml, the table of machines and verdicts.
#include "machines.hpp"
#include "support/catch.hpp"

#include "las/policy/test_file.hpp"

using namespace las;
using namespace las::policy;
using namespace las::policy::test;

namespace {

HardwareProfile no_profile(const std::string& file) {
  throw Error(ErrorKind::NotFound, "no such file", file);
}

TestFile parse(const std::string& yaml, Diagnostics& diagnostics) {
  return parse_test_file(yaml, "test.yaml", no_profile, diagnostics);
}

TestFile tests_of(const std::string& yaml) {
  Diagnostics diagnostics;
  TestFile tests = parse(yaml, diagnostics);
  diagnostics.throw_if_errors("the test's test file is wrong");
  return tests;
}

std::vector<std::string> faults_of(const std::string& yaml) {
  Diagnostics diagnostics;
  parse(yaml, diagnostics);
  std::vector<std::string> out;
  for (const Diagnostic& item : diagnostics.items())
    out.push_back(std::to_string(item.line) + ": " + item.key_path + ": " + item.message +
                  (item.suggestion.empty() ? "" : " (" + item.suggestion + ")"));
  return out;
}

std::vector<std::string> spelled(const std::vector<Mismatch>& mismatches) {
  std::vector<std::string> out;
  for (const Mismatch& item : mismatches)
    out.push_back(std::to_string(item.expectation.line) + ": " + item.expectation.machine + " " +
                  item.expectation.subject + ": expected " + item.expectation.expected + ", got " +
                  item.actual);
  return out;
}

}  // namespace

TEST_CASE("every machine of the table gets its verdict", "[policy]") {
  const TestFile tests = tests_of(read_source_file("tests/policy/machines.yaml"));
  CHECK(tests.machines.size() >= 40);
  for (const TestMachine& machine : tests.machines) {
    INFO(machine.name);
    const auto rows = std::count_if(tests.expectations.begin(),
                                    tests.expectations.end(),
                                    [&](const auto& e) { return e.machine == machine.name; });
    CHECK(rows >= 8);
  }
  CHECK(spelled(run_tests(tests, shipped_rules())) == std::vector<std::string>{});
}

TEST_CASE("what a test expects and does not get is told with its line", "[policy]") {
  const TestFile tests = tests_of(R"(
machines:
  small: {ram: 16GB, expect: {tier: a, models: 2B, features: [f], allow: [x], deny: [y, x], why: both}}
expect: |
  machine | tier | models | features | x  | why

  small   | b    | 1B     | -        | no | nothing else
  # a comment
  small   |      |        | f        | yes |
)");
  const std::vector<Rule> rules = rules_of(
      "policies: [{name: r, tier: a, allow: {max_model_size: 1B, features: [f]}},"
      " {name: d, description: nothing, deny: [x]}]");
  CHECK(spelled(run_tests(tests, rules)) ==
        std::vector<std::string>{
            "3: small : expected 2B, got 1B",
            "3: small x: expected yes, got no",
            "3: small y: expected no, got yes",
            "3: small y: expected both, got no policy forbids y",
            "7: small : expected b, got a",
            "7: small : expected -, got f",
            "7: small x: expected nothing else, got x is denied on every machine (nothing)",
            "9: small x: expected yes, got no"});
}

TEST_CASE("a machine's facts are those of its file, its defaults and its own", "[policy]") {
  Diagnostics diagnostics;
  const TestFile tests = parse_test_file(
      R"(
defaults: {os.architecture: riscv64, ram: 8GB}
machines:
  plain: {}
  other:
    hardware: h.json
    tools.podman: "5.4"
    gpus: [{vendor: amd, vram: 16GB, gfx_target: gfx1030, count: 2}]
    accelerators: [{vendor: intel, device: unknown no driver}]
  blind: {gpus: unknown no sysfs}
)",
      "test.yaml",
      [](const std::string& file) {
        CHECK(file == "h.json");
        return machine().nvidia("8.9", 24564).profile();
      },
      diagnostics);
  CHECK(diagnostics.empty());
  REQUIRE(tests.machines.size() == 3);
  const HardwareProfile& plain = tests.machines[0].profile;
  CHECK(plain.os.architecture.value == "riscv64");
  CHECK(plain.memory.total.value == ByteSize::gib(8));
  CHECK(plain.memory.effective.value == ByteSize::gib(8));
  CHECK(plain.gpus.value == std::vector<Gpu>{});
  const HardwareProfile& other = tests.machines[1].profile;
  CHECK(other.os.architecture.value == "x86_64");
  CHECK(other.tools.podman.value == Version("5.4"));
  REQUIRE(other.gpus.value->size() == 2);
  CHECK(other.gpus.value->at(1).vendor == GpuVendor::Amd);
  CHECK(other.gpus.value->at(1).vram.value == ByteSize::gib(16));
  CHECK(other.accelerators.value->at(0).device.unknown == "no driver");
  CHECK_FALSE(tests.machines[2].profile.gpus.is_known());
  CHECK(tests.machines[2].profile.gpus.unknown == "no sysfs");
}

TEST_CASE("all faults of a test file are told at once", "[policy]") {
  CHECK(
      faults_of(R"(
machines:
  one:
    memory.efective: 8GB
    ram: much
    hardware: gone.json
    gpus: [{vendor: nvidea, vrm: 8GB, count: 0}]
    expect: {teir: 1, why: nobody}
expect: |
  machine | tier | x
  two     | 1    | yes
  one     | 1
  one     | 1    | maybe
)") ==
      std::vector<std::string>{
          "6: machines.one.hardware: no such file: gone.json",
          "4: machines.one.memory.efective: there is no fact 'memory.efective' to set (did you "
          "mean 'memory.effective'?)",
          "5: machines.one.ram: 'much' is no value of memory.effective",
          "7: machines.one.gpus[0].vendor: 'nvidea' is not one of nvidia, amd, intel, other (did "
          "you mean 'nvidia'?)",
          "7: machines.one.gpus[0].vrm: there is no fact 'vrm' to set (did you mean 'vram'?)",
          "7: machines.one.gpus[0].count: a machine has between 1 and 64 GPUs",
          "8: machines.one.expect.teir: unknown key (did you mean 'tier'?)",
          "8: machines.one.expect.why: 'why' is about the first capability that is denied; none is",
          "9: expect: there is no machine 'two'",
          "9: expect: the row of 'one' has 2 cells under 3 columns",
          "9: expect: 'x' of 'one' is 'maybe', neither yes nor no"});
  CHECK(faults_of("expect: |\n  tier | machine\n") ==
        std::vector<std::string>{"1: : a policy test needs 'machines'",
                                 "1: expect: the first column of the table is 'machine'"});
  CHECK_FALSE(faults_of("machines: 3").empty());
  CHECK_FALSE(faults_of("").empty());
}
