// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"
#include "facts.hpp"

#include "las/base/i18n.hpp"
#include "las/policy/policy.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

namespace las::policy {

namespace {

struct Outcome {
  const Rule* rule;
  Truth truth;
};

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool allows(const Rule& rule, std::string_view capability) {
  return names(rule.allow_runtimes, capability) || names(rule.allow_features, capability);
}

std::vector<Outcome> apply(const std::vector<Rule>& rules,
                           const Facts& facts,
                           std::vector<TraceEntry>& trace) {
  std::vector<Outcome> outcomes;
  for (const Rule& rule : rules) {
    const std::size_t before = trace.size();
    const Truth truth =
        evaluate(rule.conditions,
                 facts,
                 [&](const Condition& comparison, const NamedFact& fact, Truth outcome) {
                   trace.push_back({rule.name,
                                    fact.name,
                                    fact.text.value.value_or(""),
                                    fact.text.is_known() ? fact.text.origin : fact.text.unknown,
                                    spell(comparison),
                                    outcome});
                 });
    if (trace.size() == before)
      trace.push_back({rule.name, "", "", "", "always", truth});
    outcomes.push_back({&rule, truth});
  }
  return outcomes;
}

std::string with_description(std::string sentence, const Rule& rule) {
  if (!rule.description.empty())
    sentence += " (" + rule.description + ")";
  return sentence;
}

Decision denial(const std::string& capability,
                const Rule& rule,
                bool condition_wanted,
                const Facts& facts) {
  const std::string why = shortfall(rule.conditions, condition_wanted, facts);
  const std::string sentence =
      why.empty() ? fmt::format(fmt::runtime(_("{} is denied on every machine")), capability)
                  : capability + " " + why;
  return {false, rule.name, with_description(sentence, rule), {}};
}

// Deny beats allow, and a denial that may apply (a fact is unknown) does. A capability that some
// rule allows is denied where none of those rules is known to hold.
Decision decide_one(const std::string& capability,
                    const std::vector<Outcome>& outcomes,
                    const Facts& facts) {
  for (const Truth truth : {Truth::True, Truth::Unknown}) {
    for (const Outcome& outcome : outcomes) {
      if (outcome.truth == truth && names(outcome.rule->deny, capability))
        return denial(capability, *outcome.rule, false, facts);
    }
  }
  const Rule* first_allowing = nullptr;
  for (const Outcome& outcome : outcomes) {
    if (!allows(*outcome.rule, capability))
      continue;
    if (outcome.truth == Truth::True)
      return {true,
              outcome.rule->name,
              fmt::format(
                  fmt::runtime(_("{} is allowed by the rule {}")), capability, outcome.rule->name),
              {}};
    if (first_allowing == nullptr)
      first_allowing = outcome.rule;
  }
  if (first_allowing != nullptr)
    return denial(capability, *first_allowing, true, facts);
  return {true, "", fmt::format(fmt::runtime(_("no policy forbids {}")), capability), {}};
}

void apply_override(const std::string& capability,
                    const std::vector<Override>& overrides,
                    Decision& decision) {
  if (decision.allowed)
    return;
  const auto found = std::find_if(overrides.begin(), overrides.end(), [&](const Override& entry) {
    return entry.capability == capability;
  });
  if (found == overrides.end())
    return;
  decision.allowed = true;
  decision.override_id = found->id;
  decision.explanation =
      fmt::format(fmt::runtime(_("{} is allowed by the override {} ({}), though {}")),
                  capability,
                  found->id,
                  found->reason,
                  decision.explanation);
}

double limit_of(const Rule& rule) {
  return rule.max_model_billions.value_or(std::numeric_limits<double>::infinity());
}

// The most restrictive of the tiers that match; of equals the first.
void choose_tier(const std::vector<Outcome>& outcomes, Verdict& verdict) {
  const Rule* chosen = nullptr;
  for (const Outcome& outcome : outcomes) {
    if (outcome.truth == Truth::True && outcome.rule->tier &&
        (chosen == nullptr || limit_of(*outcome.rule) < limit_of(*chosen)))
      chosen = outcome.rule;
  }
  if (chosen == nullptr)
    return;
  verdict.tier = *chosen->tier;
  verdict.tier_description = chosen->description;
}

std::set<std::string> capabilities_of(const std::vector<Rule>& rules) {
  std::set<std::string> all;
  for (const Rule& rule : rules) {
    all.insert(rule.allow_runtimes.begin(), rule.allow_runtimes.end());
    all.insert(rule.allow_features.begin(), rule.allow_features.end());
    all.insert(rule.deny.begin(), rule.deny.end());
  }
  return all;
}

}  // namespace

Decision Verdict::decide(std::string_view capability) const {
  const auto found = decisions.find(std::string(capability));
  if (found != decisions.end())
    return found->second;
  return {true, "", fmt::format(fmt::runtime(_("no policy forbids {}")), capability), {}};
}

Verdict evaluate(const hardware::HardwareProfile& profile,
                 const std::vector<Rule>& rules,
                 const std::vector<Override>& overrides) {
  const Facts facts(profile);
  Verdict verdict;
  const std::vector<Outcome> outcomes = apply(rules, facts, verdict.trace);
  choose_tier(outcomes, verdict);
  for (const Outcome& outcome : outcomes) {
    if (outcome.truth != Truth::True)
      continue;
    verdict.matched_rules.push_back(outcome.rule->name);
    if (outcome.rule->max_model_billions)
      verdict.max_model_billions = std::min(
          limit_of(*outcome.rule), verdict.max_model_billions.value_or(limit_of(*outcome.rule)));
  }
  for (const std::string& capability : capabilities_of(rules)) {
    Decision decision = decide_one(capability, outcomes, facts);
    apply_override(capability, overrides, decision);
    const bool is_feature = std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
      return names(rule.allow_features, capability);
    });
    if (decision.allowed && is_feature)
      verdict.features.push_back(capability);
    verdict.decisions.emplace(capability, std::move(decision));
  }
  return verdict;
}

}  // namespace las::policy
