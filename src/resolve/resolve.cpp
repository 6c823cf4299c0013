// SPDX-License-Identifier: Apache-2.0
#include "las/resolve/resolve.hpp"

#include "choices.hpp"
#include "consequences.hpp"
#include "explain.hpp"
#include "solver.hpp"

#include <algorithm>

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

bool brings_something(const Resolution& resolution) {
  return std::any_of(resolution.choices.begin(),
                     resolution.choices.end(),
                     [](const Choice& choice) { return !choice.already_installed; });
}

// Only what really resolves, and is not there already, is suggested.
std::string suggest(const Request& request,
                    const Explanation& explanation,
                    const Universe& universe) {
  for (const Wish& wish : alternatives(request, explanation, universe)) {
    Request other;
    other.install.push_back(wish);
    const Outcome outcome = attempt(other, Universe(other, universe.world()));
    if (outcome.resolution && brings_something(*outcome.resolution))
      return "las install " + to_argument(wish);
  }
  return {};
}

}  // namespace

Outcome resolve_without_advice(const Request& request, const World& world) {
  return attempt(request, Universe(request, world));
}

Outcome resolve(const Request& request, const World& world) {
  const Universe universe(request, world);
  Outcome outcome = attempt(request, universe);
  if (!outcome.explanation)
    return outcome;
  // Another module is a better advice than a removal, but a worse one than lifting what is in the
  // way.
  const std::string& advice = outcome.explanation->suggestion;
  if (advice.empty() || advice.starts_with("las remove ")) {
    if (std::string other = suggest(request, *outcome.explanation, universe); !other.empty())
      outcome.explanation->suggestion = std::move(other);
  }
  return outcome;
}

}  // namespace las::resolve
