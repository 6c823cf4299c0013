// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/hardware/profile.hpp"
#include "las/policy/policy.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Machines and the verdicts expected on them: `las policy test`, and the project's own table.
namespace las::policy {

/// One thing expected of one machine.
struct Expectation {
  /// Tier: `expected` is its name. Models: "14B", or "-" for no limit. Features: all that are
  /// allowed, sorted, "-" for none. Capability: "yes" or "no". Why: words that the explanation of
  /// the first capability expected as "no" in the same row must hold.
  enum class Kind { Tier, Models, Features, Capability, Why } kind = Kind::Tier;
  std::string machine;
  std::string subject;  ///< the capability (for Why: the one that is explained); "" otherwise
  std::string expected;
  int line = 0;  ///< in the test file
};

struct TestMachine {
  std::string name;
  hardware::HardwareProfile profile;
};

struct TestFile {
  std::string file;
  std::vector<TestMachine> machines;
  std::vector<Expectation> expectations;
};

/// An expectation that was not met.
struct Mismatch {
  Expectation expectation;
  std::string actual;
  std::string explanation;  ///< why the verdict is what it is
};

/// The profile in the file that a machine names with `hardware: FILE`. Throws what reading throws.
using ReadProfile = std::function<hardware::HardwareProfile(const std::string& file)>;

/// Parses a test document:
///
///     schema: 1
///     defaults: {os.architecture: x86_64}   # facts of every machine below; may be absent
///     machines:
///       small: {ram: 16GB, gpus: [{vendor: nvidia, vram: 8188MiB, compute_capability: "8.6"}]}
///       other: {hardware: profile.json, expect: {tier: 1, models: 8B, allow: [x], deny: [y]}}
///     expect: |
///       machine | tier | models | x   | y  | why
///       small   | 1    | 8B     | yes | no | needs compute capability
///
/// A machine's keys are the flat names of facts ("memory.effective", "tools.nvidia_driver"), and
/// `ram` (memory.total and memory.effective), `gpus` (maps of the keys that a profile's GPUs have,
/// with `count`), `accelerators`, `hardware`, `expect`. "unknown REASON" as a value is a fact that
/// could not be read; a fact that is not given is unknown, except that there are no GPUs and no
/// accelerators where none are given. Columns of the table are machine, tier, models, features, why
/// and capabilities; an empty cell expects nothing. Faults go to `diagnostics`, all of them.
TestFile parse_test_file(std::string_view yaml,
                         const std::string& file,
                         const ReadProfile& read_profile,
                         Diagnostics& diagnostics);

/// In the order of the file.
std::vector<Mismatch> run_tests(const TestFile& tests, const std::vector<Rule>& rules);

}  // namespace las::policy
