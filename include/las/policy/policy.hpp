// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/hardware/profile.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Pure: a profile and rules in, a verdict out. No files, no clock, no environment.
namespace las::policy {

enum class Truth { False, True, Unknown };

/// One comparison on one named fact, or a combination.
struct Condition {
  enum class Kind { Min, Max, Equal, In, Exists, All, Any, Not } kind = Kind::All;
  std::string fact;                 ///< for comparisons, e.g. "gpu.vram_total"
  std::vector<std::string> values;  ///< one, or several for In; units as written ("24GB")
  std::vector<Condition> children;  ///< for All, Any, Not
  std::string key;                  ///< as written in the document ("gpu_vram_min"), for messages
};

/// A rule of the published format: when `conditions` hold, the allowances and denials apply.
struct Rule {
  std::string name, description, file;
  int line = 0;
  Condition conditions;  ///< All
  std::optional<std::string> tier;
  std::optional<double> max_model_billions;  ///< allow.max_model_size "14B"
  std::vector<std::string> allow_runtimes, allow_features;
  std::vector<std::string> deny;  ///< capabilities: runtime, module or feature names
};

/// A user's recorded exception (state room keeps it; here only what evaluation needs).
struct Override {
  std::string id, capability, reason;
};

/// One step of the trace: rule → fact → where it was read → outcome.
struct TraceEntry {
  std::string rule, fact, fact_value, fact_origin, condition;
  Truth outcome = Truth::Unknown;
};

struct Decision {
  bool allowed = true;
  std::string rule;         ///< the rule that decided; empty: nothing forbids it
  std::string explanation;  ///< one sentence for a person, with both numbers where there are two
  std::string override_id;  ///< set when an override turned a denial
};

/// The outcome on one machine. Deny beats allow; of several maxima the smallest wins, and with it
/// its tier. A rule with an unknown condition does not allow and does deny. A capability that some
/// rule allows is denied where none of those rules holds; one that no rule names is allowed.
///
/// Sizes of VRAM and memory are compared as they are sold: see marketed_floor in
/// src/policy/facts.hpp.
struct Verdict {
  std::string tier;  ///< shipped policies: "1", "2", "3"; "" if none matched (a policy fault)
  std::string tier_description;
  std::optional<double> max_model_billions;
  std::vector<std::string> features;
  std::vector<TraceEntry> trace;
  std::vector<std::string> matched_rules;

  /// Whether `capability` (a module, runtime or feature name) may be used here.
  Decision decide(std::string_view capability) const;

  std::map<std::string, Decision> decisions;  ///< every capability that some rule names
};

/// Parses one policy document; faults go to `diagnostics` and the faulty rules are left out.
std::vector<Rule> parse_rules(std::string_view yaml,
                              const std::string& file,
                              Diagnostics& diagnostics);

Verdict evaluate(const hardware::HardwareProfile& profile,
                 const std::vector<Rule>& rules,
                 const std::vector<Override>& overrides = {});

}  // namespace las::policy
