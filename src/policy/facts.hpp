// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/marketed_size.hpp"
#include "las/hardware/profile.hpp"
#include "las/policy/policy.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::policy {

using hardware::marketed_floor;
using hardware::NamedFact;

/// Whether marketed_floor applies: VRAM and memory, but not free disk space.
bool is_marketed_size(std::string_view fact);

/// The facts of one profile by name.
class Facts {
 public:
  explicit Facts(const hardware::HardwareProfile& profile);
  /// An unknown fact with the reason "no such fact" for a name that the profile does not have.
  const NamedFact& get(const std::string& name) const;

 private:
  std::map<std::string, NamedFact> facts_;
  mutable std::map<std::string, NamedFact> absent_;
};

/// The kind of a fact by its name, from which profile it ever comes; nothing for a name that no
/// profile has.
std::optional<NamedFact::Kind> kind_of_fact(const std::string& name);
/// For suggestions.
const std::vector<std::string>& fact_names();

/// Whether `value` can be compared with a fact of this kind.
bool is_value_of(NamedFact::Kind kind, const std::string& value);

/// Below 0, 0 or above 0 as `a` is smaller, equal or larger; nothing where the kind has no order or
/// a value is not one of it. Sizes as written: without the tolerance of marketed_floor.
std::optional<int> order(NamedFact::Kind kind, const std::string& a, const std::string& b);

/// One comparison (Min, Max, Equal, In, Exists) on one fact.
Truth compare(const Condition& comparison, const NamedFact& fact);

/// Kleene's three-valued logic over a whole condition. `visit` sees every comparison, in the order
/// of the document: nothing is skipped, so that a trace is complete.
template <typename Visit>
Truth evaluate(const Condition& condition, const Facts& facts, Visit&& visit) {
  using Kind = Condition::Kind;
  if (condition.kind != Kind::All && condition.kind != Kind::Any && condition.kind != Kind::Not) {
    const NamedFact& fact = facts.get(condition.fact);
    const Truth truth = compare(condition, fact);
    visit(condition, fact, truth);
    return truth;
  }
  // The truth that decides alone: one False fails All, one True fulfils Any.
  const Truth decisive = condition.kind == Kind::Any ? Truth::True : Truth::False;
  Truth result = condition.kind == Kind::Any ? Truth::False : Truth::True;
  for (const Condition& child : condition.children) {
    const Truth truth = evaluate(child, facts, visit);
    if (truth == decisive || (truth == Truth::Unknown && result != decisive))
      result = truth;
  }
  if (condition.kind != Kind::Not || result == Truth::Unknown)
    return result;
  return result == Truth::True ? Truth::False : Truth::True;
}

inline Truth evaluate(const Condition& condition, const Facts& facts) {
  return evaluate(condition, facts, [](const Condition&, const NamedFact&, Truth) {});
}

}  // namespace las::policy
