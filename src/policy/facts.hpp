// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/policy/policy.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::policy {

using hardware::NamedFact;

/// Memory is sold in round numbers and reported in less round ones: a 24 GB card shows 24564 MiB,
/// with ECC on 22731 to 23034 MiB; a 32 GB machine keeps 1 to 2 GiB from the system. So a fact of
/// VRAM or memory meets "at least N" from N less 8 %. No two sizes that GPUs are sold with lie so
/// close that one passes for the next (11 and 12 GB, 22 and 24 GB are the nearest). "At most N"
/// stays exact, since nothing reports more than it was sold as: a 24 GB card is at most 24 GB and
/// at least 24 GB. This is the only place that knows the tolerance.
ByteSize marketed_floor(ByteSize nominal);
/// Whether the tolerance applies: VRAM and memory, but not free disk space.
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
