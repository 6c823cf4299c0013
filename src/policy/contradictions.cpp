// SPDX-License-Identifier: Apache-2.0
// Conditions that no machine can meet, found by comparing those that must hold together in pairs.
#include "drafts.hpp"
#include "explain.hpp"
#include "facts.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::policy {

namespace {

using Kind = Condition::Kind;

/// A comparison that must hold, or (negated) must not.
struct Literal {
  const Condition* comparison;
  bool negated;

  bool is_lower() const { return comparison->kind == (negated ? Kind::Max : Kind::Min); }

  bool is_upper() const { return comparison->kind == (negated ? Kind::Min : Kind::Max); }

  bool is_set() const { return comparison->kind == Kind::Equal || comparison->kind == Kind::In; }
};

/// What must hold together, and groups of alternatives of each of which one must hold as well.
struct Conjunction {
  std::vector<Literal> literals;
  std::vector<std::vector<Conjunction>> groups;
};

void flatten(const Condition& condition, bool negated, Conjunction& out) {
  switch (condition.kind) {
    case Kind::Not:
    case Kind::All:
    case Kind::Any: {
      const bool flips = condition.kind == Kind::Not;
      const bool together = (condition.kind != Kind::Any) != (negated != flips);
      if (together || condition.children.size() == 1) {
        for (const Condition& child : condition.children)
          flatten(child, negated != flips, out);
        return;
      }
      std::vector<Conjunction>& group = out.groups.emplace_back();
      for (const Condition& child : condition.children)
        flatten(child, negated != flips, group.emplace_back());
      return;
    }
    default:
      out.literals.push_back({&condition, negated});
  }
}

bool is_value(const std::string& value, const Literal& bound, NamedFact::Kind kind) {
  const auto compared = order(kind, value, bound.comparison->values.front());
  if (!compared)
    return true;
  if (bound.is_lower())
    return bound.negated ? *compared > 0 : *compared >= 0;
  return bound.negated ? *compared < 0 : *compared <= 0;
}

bool holds(const std::vector<std::string>& values, const std::string& value, NamedFact::Kind kind) {
  return std::any_of(values.begin(), values.end(), [&](const std::string& other) {
    return order(kind, value, other).value_or(value == other ? 0 : 1) == 0;
  });
}

bool known(const Literal& literal) {
  const auto& values = literal.comparison->values;
  return literal.negated != (values.empty() || values.front() == "true");
}

// Whether no value of the fact meets both.
bool exclude(const Literal& a, const Literal& b) {
  if (a.comparison->fact != b.comparison->fact)
    return false;
  if (a.comparison->kind == Kind::Exists || b.comparison->kind == Kind::Exists) {
    // A comparison holds for known facts only, and its opposite too.
    const bool a_known = a.comparison->kind != Kind::Exists || known(a);
    const bool b_known = b.comparison->kind != Kind::Exists || known(b);
    return a_known != b_known;
  }
  const auto& left = a.comparison->values;
  const auto& right = b.comparison->values;
  const auto kind = kind_of_fact(a.comparison->fact);
  if (!kind || left.empty() || right.empty())
    return false;
  if (a.is_lower() && b.is_upper()) {
    const auto compared = order(*kind, left.front(), right.front());
    return compared && (*compared > 0 || (*compared == 0 && (a.negated || b.negated)));
  }
  if (a.is_upper() && b.is_lower())
    return exclude(b, a);
  if (a.is_set() && b.is_set()) {
    // A list holds several words at once: only "has X" and "has not X" exclude each other.
    if (*kind == NamedFact::Kind::List)
      return a.negated != b.negated && left == right;
    if (a.negated && b.negated)
      return false;
    if (a.negated)
      return exclude(b, a);
    return std::none_of(left.begin(), left.end(), [&](const std::string& value) {
      return holds(right, value, *kind) != b.negated;
    });
  }
  const Literal& set = a.is_set() ? a : b;
  const Literal& bound = a.is_set() ? b : a;
  if (!set.is_set() || set.negated)
    return false;
  return std::none_of(set.comparison->values.begin(),
                      set.comparison->values.end(),
                      [&](const std::string& value) { return is_value(value, bound, *kind); });
}

std::string spell(const Literal& literal) {
  const std::string text = policy::spell(*literal.comparison);
  return literal.negated ? fmt::format(fmt::runtime(_("not {}")), text) : text;
}

using Pair = std::pair<const Literal*, const Literal*>;

// The first of `earlier` and `later` that exclude each other.
std::optional<Pair> clash(const std::vector<Literal>& earlier, const std::vector<Literal>& later) {
  for (const Literal& b : later) {
    for (const Literal& a : earlier) {
      if (&a == &b)
        break;  // one list with itself: each pair once
      if (exclude(a, b))
        return Pair{&a, &b};
    }
  }
  return std::nullopt;
}

void tell(const Pair& pair, Diagnostics& diagnostics) {
  const Condition& at = *pair.second->comparison;
  const Condition& other = *pair.first->comparison;
  diagnostics.add({Severity::Error,
                   at.file,
                   at.line,
                   at.column,
                   at.key_path,
                   fmt::format(fmt::runtime(_("no machine can meet both {} and {} ({}:{})")),
                               spell(*pair.second),
                               spell(*pair.first),
                               other.file,
                               other.line),
                   {}});
}

bool search(const Conjunction& all, Diagnostics& diagnostics) {
  const auto together = clash(all.literals, all.literals);
  if (together)
    tell(*together, diagnostics);
  bool found = together.has_value();
  for (const std::vector<Conjunction>& group : all.groups) {
    std::optional<Pair> first;
    std::size_t dead = 0;
    for (const Conjunction& alternative : group) {
      found = search(alternative, diagnostics) || found;
      const auto pair = clash(all.literals, alternative.literals);
      if (pair)
        ++dead;
      if (!first)
        first = pair;
    }
    // One alternative that cannot be is no fault as long as another can.
    if (first && dead == group.size()) {
      tell(*first, diagnostics);
      found = true;
    }
  }
  return found;
}

}  // namespace

bool find_contradictions(const Condition& conditions, Diagnostics& diagnostics) {
  Conjunction all;
  flatten(conditions, false, all);
  return search(all, diagnostics);
}

}  // namespace las::policy
