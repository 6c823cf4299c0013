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
                   trace.push_back(trace_entry(rule.name, comparison, fact, outcome));
                 });
    if (trace.size() == before)
      trace.push_back({rule.name, "", false, "", "", "", "always", truth});
    outcomes.push_back({&rule, truth});
  }
  return outcomes;
}

Reason reason_of(const Rule& rule, bool condition_wanted, const Facts& facts) {
  const Shortfall missing = shortfall(rule.conditions, condition_wanted, facts);
  Reason reason{rule.name,
                rule.description,
                rule.file,
                rule.line,
                missing.needs,
                missing.has,
                {},
                {},
                rule.instead};
  for (const Shortfall::Item& item : missing.items) {
    const NamedFact& fact = facts.get(item.comparison->fact);
    reason.facts.push_back(
        trace_entry(rule.name, *item.comparison, fact, compare(*item.comparison, fact)));
    const std::string help = remedy(item, facts);
    if (!help.empty() && !names(reason.remedies, help))
      reason.remedies.push_back(help);
  }
  return reason;
}

Decision denial(const std::string& capability, std::vector<Reason> reasons) {
  const Reason& first = reasons.front();
  std::string sentence =
      first.needs.empty()
          ? fmt::format(fmt::runtime(_("{} is denied on every machine")), capability)
          : fmt::format(fmt::runtime(_("{} needs {}; this machine has {}")),
                        capability,
                        first.needs,
                        first.has);
  if (!first.description.empty())
    sentence += " (" + first.description + ")";
  Decision decision;
  decision.allowed = false;
  decision.rule = first.rule;
  decision.explanation = decision.denial = std::move(sentence);
  decision.reasons = std::move(reasons);
  return decision;
}

Decision permission(std::string rule, std::string explanation) {
  Decision decision;
  decision.rule = std::move(rule);
  decision.explanation = std::move(explanation);
  return decision;
}

Decision not_forbidden(std::string_view capability) {
  return permission("", fmt::format(fmt::runtime(_("no policy forbids {}")), capability));
}

// Deny beats allow, and a denial that may apply (a fact is unknown) does. A capability that some
// rule allows is denied where none of those rules is known to hold.
Decision decide_one(const std::string& capability,
                    const std::vector<Outcome>& outcomes,
                    const Facts& facts) {
  std::vector<Reason> reasons;
  for (const Truth truth : {Truth::True, Truth::Unknown}) {
    for (const Outcome& outcome : outcomes) {
      if (outcome.truth == truth && names(outcome.rule->deny, capability))
        reasons.push_back(reason_of(*outcome.rule, false, facts));
    }
  }
  const Rule* allowing = nullptr;
  std::vector<const Rule*> would_allow;
  for (const Outcome& outcome : outcomes) {
    if (!allows(*outcome.rule, capability))
      continue;
    would_allow.push_back(outcome.rule);
    if (outcome.truth == Truth::True && allowing == nullptr)
      allowing = outcome.rule;
  }
  if (allowing == nullptr) {
    for (const Rule* rule : would_allow)
      reasons.push_back(reason_of(*rule, true, facts));
  }
  if (!reasons.empty())
    return denial(capability, std::move(reasons));
  if (allowing == nullptr)
    return not_forbidden(capability);
  return permission(
      allowing->name,
      fmt::format(fmt::runtime(_("{} is allowed by the rule {}")), capability, allowing->name));
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

// The most restrictive of the tiers that match, and of the limits; of equals the first.
void choose_tier(const std::vector<Outcome>& outcomes, Verdict& verdict) {
  const Rule* tier = nullptr;
  const Rule* limit = nullptr;
  for (const Outcome& outcome : outcomes) {
    const Rule& rule = *outcome.rule;
    if (outcome.truth != Truth::True)
      continue;
    if (rule.tier && (tier == nullptr || limit_of(rule) < limit_of(*tier)))
      tier = &rule;
    if (rule.max_model_billions && (limit == nullptr || limit_of(rule) < limit_of(*limit)))
      limit = &rule;
  }
  if (tier != nullptr) {
    verdict.tier = *tier->tier;
    verdict.tier_description = tier->description;
    verdict.tier_rule = tier->name;
  }
  if (limit != nullptr) {
    verdict.max_model_billions = limit->max_model_billions;
    verdict.limit_rule = limit->name;
  }
}

bool only_wants_more(const Shortfall& missing) {
  return !missing.items.empty() &&
         std::all_of(missing.items.begin(), missing.items.end(), [](const Shortfall::Item& item) {
           return item.wanted && item.comparison->kind == Condition::Kind::Min;
         });
}

// The tier with the next larger limit that more of something leads to.
void find_next_tier(const std::vector<Outcome>& outcomes, const Facts& facts, Verdict& verdict) {
  const Rule* next = nullptr;
  for (const Outcome& outcome : outcomes) {
    const Rule& rule = *outcome.rule;
    if (!rule.tier || outcome.truth == Truth::True || !verdict.max_model_billions ||
        limit_of(rule) <= *verdict.max_model_billions ||
        (next != nullptr && limit_of(*next) <= limit_of(rule)))
      continue;
    const Shortfall missing = shortfall(rule.conditions, true, facts);
    if (!only_wants_more(missing))
      continue;
    next = &rule;
    verdict.next_tier = {*rule.tier, rule.description, rule.name, missing.needs, missing.has};
  }
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
  return not_forbidden(capability);
}

Verdict evaluate(const hardware::HardwareProfile& profile,
                 const std::vector<Rule>& rules,
                 const std::vector<Override>& overrides) {
  const Facts facts(profile);
  Verdict verdict;
  const std::vector<Outcome> outcomes = apply(rules, facts, verdict.trace);
  choose_tier(outcomes, verdict);
  find_next_tier(outcomes, facts, verdict);
  for (const Outcome& outcome : outcomes) {
    verdict.outcomes.push_back({outcome.rule->name, outcome.truth});
    if (outcome.truth == Truth::True)
      verdict.matched_rules.push_back(outcome.rule->name);
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
  // Only what is allowed itself is offered in the place of something else.
  for (auto& [capability, decision] : verdict.decisions) {
    for (Reason& reason : decision.reasons)
      reason.instead.erase(
          std::remove_if(reason.instead.begin(),
                         reason.instead.end(),
                         [&](const std::string& name) { return !verdict.decide(name).allowed; }),
          reason.instead.end());
  }
  return verdict;
}

}  // namespace las::policy
