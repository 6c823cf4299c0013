// SPDX-License-Identifier: Apache-2.0
// What resolve.hpp promises, on thousands of small random problems, against an exhaustive search
// that knows nothing of the solver. LAS_TEST_SEED=N looks at one of them.
#include "support/catch.hpp"
#include "unit/resolve/small_world.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>

using las::resolve::Choice;
using las::resolve::Outcome;
using small_world::Assignment;
using small_world::Candidate;
using small_world::Judge;
using small_world::Problem;

namespace {

constexpr unsigned kCases = 2000;

Assignment assignment_of(const Problem& problem, const Outcome& outcome) {
  Assignment assignment;
  for (const Choice& choice : outcome.resolution->choices) {
    const auto* release = problem.stage.catalog.get(choice.name).find_release(choice.version);
    assignment[choice.name] = {
        choice.version, choice.variant_name, choice.already_installed, release};
  }
  return assignment;
}

std::string shown(const Assignment& assignment) {
  std::string text;
  for (const auto& [module, candidate] : assignment)
    text += module + "=" + candidate.version.text() + "(" + candidate.variant + ") ";
  return text;
}

// Modules that are there although all would be well without them. A provider that brings another
// one along was the first by name all the same, so providers only have to be reached.
std::vector<std::string> dispensable(const Judge& judge, const Assignment& assignment) {
  std::vector<std::string> names = judge.unneeded(assignment);
  for (const auto& [module, unused] : assignment) {
    if (judge.provides_something(module))
      continue;
    Assignment without = assignment;
    without.erase(module);
    if (judge.fault(without).empty())
      names.push_back(module);
  }
  return names;
}

// Modules that could be had better with all others as they are.
std::vector<std::string> improvable(const Judge& judge, const Assignment& assignment) {
  std::vector<std::string> names;
  for (const auto& [module, chosen] : assignment) {
    for (const Candidate& better : judge.candidates(module)) {
      if (better == chosen)
        break;
      Assignment other = assignment;
      other[module] = better;
      if (judge.fault(other).empty())
        names.push_back(module + " " + better.version.text() + " (" + better.variant + ")");
    }
  }
  return names;
}

void check_case(unsigned seed) {
  const Problem problem = small_world::make(seed);
  INFO("LAS_TEST_SEED=" << seed << "\n" << problem.to_string());
  const Judge judge(problem);
  const Outcome outcome = problem.stage.resolve(problem.request);
  const auto best = judge.search();
  if (!best) {
    REQUIRE_FALSE(outcome.resolution);
    CHECK_FALSE(outcome.explanation->reasons.empty());
    return;
  }
  INFO("the search finds " << shown(*best));
  REQUIRE(outcome.resolution);
  const Assignment chosen = assignment_of(problem, outcome);
  INFO("the resolver says " << shown(chosen));
  CHECK(judge.fault(chosen) == "");
  for (const std::string& root : judge.roots())
    CHECK(root + " " + shown({{root, chosen.at(root)}}) ==
          root + " " + shown({{root, best->at(root)}}));
  CHECK(dispensable(judge, chosen) == std::vector<std::string>{});
  CHECK(improvable(judge, chosen) == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("of every small problem the answer is the one an exhaustive search finds",
          "[resolve][property]") {
  if (const char* seed = std::getenv("LAS_TEST_SEED")) {
    check_case(static_cast<unsigned>(std::stoul(seed)));
    return;
  }
  for (unsigned seed = 0; seed < kCases; ++seed)
    check_case(seed);
}

TEST_CASE("the random problems are of every kind", "[resolve][property]") {
  unsigned solved = 0, refused = 0, changed = 0;
  for (unsigned seed = 0; seed < kCases; ++seed) {
    const Problem problem = small_world::make(seed);
    const Outcome outcome = problem.stage.resolve(problem.request);
    ++(outcome.resolution ? solved : refused);
    if (outcome.resolution)
      changed += std::any_of(outcome.resolution->choices.begin(),
                             outcome.resolution->choices.end(),
                             [](const Choice& choice) { return !choice.already_installed; });
  }
  CHECK(solved > kCases / 4);
  CHECK(refused > kCases / 10);
  CHECK(changed > kCases / 4);
}

TEST_CASE("the order of a catalog's manifests, versions and wishes of the state changes nothing",
          "[resolve][property]") {
  std::mt19937 order(20260101);
  for (unsigned seed = 0; seed < 300; ++seed) {
    Problem problem = small_world::make(seed);
    INFO("seed " << seed << "\n" << problem.to_string());
    const auto before = problem.stage.resolve(problem.request);
    auto manifests = small_world::manifests_of(problem.stage.catalog);
    std::shuffle(manifests.begin(), manifests.end(), order);
    for (auto& manifest : manifests)
      std::shuffle(manifest.provides.begin(), manifest.provides.end(), order);
    problem.stage.catalog = las::catalog::Catalog(std::move(manifests));
    std::shuffle(problem.stage.present.modules.begin(), problem.stage.present.modules.end(), order);
    std::shuffle(problem.stage.present.world.begin(), problem.stage.present.world.end(), order);
    const auto after = problem.stage.resolve(problem.request);
    CHECK(builders::lines(before) == builders::lines(after));
    if (!before.resolution || !after.resolution)
      continue;
    for (std::size_t i = 0; i < before.resolution->choices.size(); ++i)
      CHECK(before.resolution->choices[i].why == after.resolution->choices[i].why);
  }
}
