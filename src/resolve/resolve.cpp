// SPDX-License-Identifier: Apache-2.0
#include "las/resolve/resolve.hpp"

#include "choices.hpp"
#include "explain.hpp"
#include "solver.hpp"

namespace las::resolve {

namespace {

Outcome attempt(const Request& request, const Universe& universe) {
  if (auto explanation = explain_request(request, universe))
    return {std::nullopt, std::move(explanation)};
  const Formulation formulation(request, universe);
  const Answer answer = solve(formulation.problem());
  if (answer.solved)
    return {make_resolution(request, universe, formulation, answer.chosen), std::nullopt};
  if (request.install.empty() && !request.remove.empty()) {
    Explanation dependents = explain_dependents(request, universe);
    if (!dependents.reasons.empty())
      return {std::nullopt, std::move(dependents)};
  }
  return {std::nullopt, explain_clash(request, universe, formulation, answer.clashes)};
}

// As a shell takes it.
std::string to_argument(const Wish& wish) {
  if (wish.range.any())
    return wish.name;
  const auto& bounds = wish.range.bounds();
  if (bounds.size() == 1 && bounds.front().op == VersionRange::Operator::Equal)
    return wish.name + "=" + bounds.front().version.text();
  return "'" + wish.name + "@" + wish.range.to_string() + "'";
}

// Only what really resolves is suggested.
std::string suggest(const Request& request,
                    const Explanation& explanation,
                    const Universe& universe) {
  for (const Wish& wish : alternatives(request, explanation, universe)) {
    Request other;
    other.install.push_back(wish);
    if (attempt(other, Universe(other, universe.world())).resolution)
      return "las install " + to_argument(wish);
  }
  return {};
}

}  // namespace

Outcome resolve(const Request& request, const World& world) {
  const Universe universe(request, world);
  Outcome outcome = attempt(request, universe);
  if (outcome.explanation) {
    if (std::string other = suggest(request, *outcome.explanation, universe); !other.empty())
      outcome.explanation->suggestion = std::move(other);
  }
  return outcome;
}

}  // namespace las::resolve
