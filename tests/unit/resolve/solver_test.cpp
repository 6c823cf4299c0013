// SPDX-License-Identifier: Apache-2.0
#include "solver.hpp"

#include "support/catch.hpp"
#include "undisputed.hpp"

#include <algorithm>
#include <random>
#include <string>

using las::resolve::Answer;
using las::resolve::Clash;
using las::resolve::find_undisputed;
using las::resolve::Problem;
using las::resolve::search;
using las::resolve::solve;
using Packages = std::vector<std::size_t>;

TEST_CASE("a problem without packages is solved by nothing", "[resolve]") {
  const Answer answer = solve({});
  CHECK(answer.solved);
  CHECK(answer.chosen.empty());
}

TEST_CASE("of one name the package with the highest preference is taken, as a number",
          "[resolve]") {
  Problem problem;
  problem.packages = {{"a", 9}, {"a", 10}, {"a", 1}};
  problem.demands = {{0, 1, 2}};
  problem.jobs = {{0, false}};
  CHECK(solve(problem).chosen == Packages{1});
}

TEST_CASE("among names that meet a demand the favoured is taken, else the first by name",
          "[resolve]") {
  Problem problem;
  problem.packages = {{"user", 1, false, 0}, {"zeta", 1}, {"beta", 2}, {"beta", 1}, {"gamma", 9}};
  problem.relations = {{{1}}};
  problem.demands = {{0}, {1, 2, 3, 4}};
  problem.jobs = {{0, false}};
  CHECK(solve(problem).chosen == Packages{0, 2});
  problem.packages[1].favoured = true;
  CHECK(solve(problem).chosen == Packages{0, 1});
}

TEST_CASE("an earlier job gets the better package", "[resolve]") {
  // a (new) needs b (new); both b cannot be there.
  Problem problem;
  problem.packages = {{"a", 2, false, 0}, {"a", 1}, {"b", 1}, {"b", 2}};
  problem.relations = {{{2}}};
  problem.demands = {{0, 1}, {2, 3}, {2}};
  problem.jobs = {{0, false}, {1, false}};
  CHECK(solve(problem).chosen == Packages{0, 2});
  problem.jobs = {{1, false}, {0, false}};
  CHECK(solve(problem).chosen == Packages{1, 3});
}

TEST_CASE("a weak job is given up rather than failed", "[resolve]") {
  Problem problem;
  problem.packages = {{"a", 1, false, 0}, {"b", 1}};
  problem.relations = {{{}, {1}}};
  problem.demands = {{0}, {1}};
  problem.jobs = {{0, false}, {1, true}};
  CHECK(solve(problem).chosen == Packages{0});
}

TEST_CASE("a conflict is told by its facts", "[resolve]") {
  Problem problem;
  problem.packages = {{"a", 1, false, 0}, {"b", 1, false, 1}, {"c", 1}};
  problem.relations = {{{1}, {}}, {{}, {2}}};
  problem.demands = {{0}, {1}, {2}};
  problem.jobs = {{0, false}, {2, false}};
  const Answer answer = solve(problem);
  CHECK_FALSE(answer.solved);
  std::vector<std::string> facts;
  for (const Clash& clash : answer.clashes)
    facts.push_back(std::to_string(static_cast<int>(clash.kind)) + ":" +
                    std::to_string(clash.package) + ":" + std::to_string(clash.demand));
  std::sort(facts.begin(), facts.end());
  CHECK(facts == std::vector<std::string>{"0:0:0", "0:0:2", "1:0:1", "3:1:2"});
}

namespace {

// Modules of several builds, few ways to need and exclude each other, and demands that intervals of
// builds meet, as ranges of versions make them; some providers of several names.
Problem random_problem(unsigned int seed) {
  std::mt19937 dice(seed);
  const auto upto = [&](std::size_t count) { return dice() % count; };
  Problem problem;
  static const std::vector<std::string> kNames = {"a", "b", "c", "d", "e", "f"};
  std::vector<std::size_t> first;
  for (const std::string& name : kNames) {
    first.push_back(problem.packages.size());
    const bool favoured = upto(4) == 0;
    const std::size_t lists = problem.relations.size();
    problem.relations.resize(lists + 2);
    for (int left = static_cast<int>(1 + upto(5)); left > 0; --left)
      problem.packages.push_back({name, left, favoured, lists + upto(2)});
  }
  first.push_back(problem.packages.size());
  for (std::size_t i = 0; i < 12; ++i) {
    std::vector<std::size_t>& demand = problem.demands.emplace_back();
    const std::size_t module = upto(kNames.size()), providers = upto(4) == 0 ? 3 : 1;
    const std::size_t last = std::min(module + providers, kNames.size());
    for (std::size_t package = first[module]; package < first[last]; ++package) {
      if (providers > 1 || upto(5) != 0)
        demand.push_back(package);
    }
  }
  for (Problem::Relations& relations : problem.relations) {
    for (std::size_t count = upto(3); count > 0; --count)
      relations.requirements.push_back(upto(problem.demands.size()));
    if (upto(4) == 0)
      relations.conflicts.push_back(upto(problem.demands.size()));
    if (upto(4) == 0)
      relations.recommendations.push_back(upto(problem.demands.size()));
  }
  for (std::size_t count = 1 + upto(3); count > 0; --count)
    problem.jobs.push_back({upto(problem.demands.size()), upto(4) == 0});
  return problem;
}

}  // namespace

TEST_CASE("what is found without a search is what the search finds", "[resolve]") {
  int undisputed = 0, searched_for = 0;
  for (unsigned int seed = 0; seed < 3000; ++seed) {
    const Problem problem = random_problem(seed);
    const Answer answer = solve(problem), searched = search(problem);
    INFO("seed " << seed);
    REQUIRE(answer.solved == searched.solved);
    REQUIRE(answer.chosen == searched.chosen);
    REQUIRE(answer.clashes.size() == searched.clashes.size());
    ++(find_undisputed(problem) ? undisputed : searched_for);
  }
  CHECK(undisputed > 300);
  CHECK(searched_for > 300);
}
