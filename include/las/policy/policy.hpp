// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/hardware/profile.hpp"

#include <map>
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
  std::string file, key_path;       ///< where it stands: "policies[2].conditions.gpu_vram_min"
  int line = 0, column = 0;
};

/// Where a rule comes from. A site's rule may take the place of a shipped one, never the other way.
enum class Layer { Shipped, Site };
std::string_view to_string(Layer layer);  ///< "shipped", "site"

/// A rule of the published format: when `conditions` hold, the allowances and denials apply. What
/// `extends` brought is in it already.
struct Rule {
  std::string name, description, file;
  int line = 0;
  Layer layer = Layer::Site;
  std::string extends;  ///< name of the rule whose conditions, allowances and denials it takes over
  std::string replaces;  ///< name of the shipped rule in whose place it stands
  Condition conditions;  ///< All
  std::optional<std::string> tier;
  std::optional<double> max_model_billions;  ///< allow.max_model_size "14B"
  std::vector<std::string> allow_runtimes, allow_features;
  std::vector<std::string> deny;     ///< capabilities: runtime, module or feature names
  std::vector<std::string> instead;  ///< what could be used in place of what the rule denies
};

/// A user's recorded exception that is in force (the state room keeps them; here only what
/// evaluation needs).
struct Override {
  std::string id, capability, reason;
};

/// One step of the trace: rule → fact → where it was read → outcome.
struct TraceEntry {
  std::string rule, fact;
  bool fact_known = false;
  std::string fact_value;   ///< in canonical spelling (bytes); "" when unknown
  std::string fact_shown;   ///< as a person reads it: "24.0 GiB", "unknown"
  std::string fact_origin;  ///< "/proc/meminfo"; of an unknown fact, why it could not be read
  std::string condition;    ///< "gpu.vram_total >= 24GB", or "always"
  Truth outcome = Truth::Unknown;
};

/// Why one rule denies one capability.
struct Reason {
  std::string rule, description, file;
  int line = 0;
  std::string needs;  ///< "compute capability 7.5 or newer"; "": denied on every machine
  std::string has;    ///< "6.1", of this machine
  std::vector<TraceEntry> facts;      ///< the comparisons of which one would have to change
  std::vector<std::string> remedies;  ///< what would change them, one sentence each
  std::vector<std::string> instead;   ///< what the rule offers in its place and is allowed here
};

struct Decision {
  bool allowed = true;
  std::string rule;         ///< the rule that decided; empty: nothing forbids it
  std::string explanation;  ///< one sentence for a person, with both numbers where there are two
  std::string override_id;  ///< set when an override turned a denial
  std::string denial;       ///< the sentence of a denial, also of one that an override turned
  std::vector<Reason> reasons;  ///< every rule that denies it, the one that decided first; they
                                ///< stay there when an override turned the denial
};

/// How one rule ended on this machine.
struct RuleOutcome {
  std::string rule;
  Truth truth = Truth::Unknown;
};

/// The nearest larger limit on models, and what this machine lacks for it.
struct NextTier {
  std::string tier, description, rule, needs, has;
};

/// The outcome on one machine. Deny beats allow; of several maxima the smallest wins, and with it
/// its tier. A rule with an unknown condition does not allow and does deny. A capability that some
/// rule allows is denied where none of those rules holds; one that no rule names is allowed.
///
/// Sizes of VRAM and memory are compared as they are sold: see hardware::marketed_floor.
struct Verdict {
  std::string tier;  ///< shipped policies: "1", "2", "3"; "" if none matched (a policy fault)
  std::string tier_description;
  std::optional<double> max_model_billions;
  std::vector<std::string> features;
  std::vector<TraceEntry> trace;
  std::vector<std::string> matched_rules;
  std::vector<RuleOutcome> outcomes;  ///< of every rule, in the order of the rules
  std::string tier_rule;              ///< which rule gave the tier
  std::string limit_rule;             ///< which rule gave max_model_billions
  std::optional<NextTier> next_tier;

  /// Whether `capability` (a module, runtime or feature name) may be used here.
  Decision decide(std::string_view capability) const;

  std::map<std::string, Decision> decisions;  ///< every capability that some rule names
};

/// A policy document with the place it was read from, for messages.
struct Document {
  std::string file, text;
  Layer layer = Layer::Site;
};

/// The rules in force of all these documents together: `extends` resolved, replaced rules left out.
/// All faults of all documents go to `diagnostics`, in their order: wrong keys, facts and units,
/// names given twice (across documents too), unknown names and circles of `extends` and `replaces`,
/// conditions that no machine can meet, what one rule both allows and denies. Faulty rules are left
/// out.
///
/// `extends: NAME`: the conditions of NAME must hold as well as its own; the runtimes, features and
/// denials of both apply; max_model_size is its own or else that of NAME. Name, description and
/// tier are its own. NAME itself stays in force unless it is replaced.
std::vector<Rule> load_rules(const std::vector<Document>& documents, Diagnostics& diagnostics);

/// load_rules of one site document that stands alone.
std::vector<Rule> parse_rules(std::string_view yaml,
                              const std::string& file,
                              Diagnostics& diagnostics);

/// Tries the tiers of `rules` on a grid of machines made of the rules' own thresholds. A machine in
/// no tier is an error, one in several a warning (the most restrictive wins), each told once with
/// the machine.
void check_tiers(const std::vector<Rule>& rules, Diagnostics& diagnostics);

/// Total and deterministic: the same profile, rules and overrides give the same verdict.
Verdict evaluate(const hardware::HardwareProfile& profile,
                 const std::vector<Rule>& rules,
                 const std::vector<Override>& overrides = {});

/// "14B", "0.5B": the spelling of max_model_size.
std::string spell_model_size(double billions);

}  // namespace las::policy
