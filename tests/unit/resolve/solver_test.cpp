// SPDX-License-Identifier: Apache-2.0
#include "solver.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <string>

using las::resolve::Answer;
using las::resolve::Clash;
using las::resolve::Problem;
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
  problem.packages = {{"a", 9, false, {}, {}}, {"a", 10, false, {}, {}}, {"a", 1, false, {}, {}}};
  problem.demands = {{0, 1, 2}};
  problem.jobs = {{0, false}};
  CHECK(solve(problem).chosen == Packages{1});
}

TEST_CASE("among names that meet a demand the favoured is taken, else the first by name",
          "[resolve]") {
  Problem problem;
  problem.packages = {{"user", 1, false, {1}, {}},
                      {"zeta", 1, false, {}, {}},
                      {"beta", 2, false, {}, {}},
                      {"beta", 1, false, {}, {}},
                      {"gamma", 9, false, {}, {}}};
  problem.demands = {{0}, {1, 2, 3, 4}};
  problem.jobs = {{0, false}};
  CHECK(solve(problem).chosen == Packages{0, 2});
  problem.packages[1].favoured = true;
  CHECK(solve(problem).chosen == Packages{0, 1});
}

TEST_CASE("an earlier job gets the better package", "[resolve]") {
  // a (new) needs b (new); both b cannot be there.
  Problem problem;
  problem.packages = {{"a", 2, false, {2}, {}},
                      {"a", 1, false, {}, {}},
                      {"b", 1, false, {}, {}},
                      {"b", 2, false, {}, {}}};
  problem.demands = {{0, 1}, {2, 3}, {2}};
  problem.jobs = {{0, false}, {1, false}};
  CHECK(solve(problem).chosen == Packages{0, 2});
  problem.jobs = {{1, false}, {0, false}};
  CHECK(solve(problem).chosen == Packages{1, 3});
}

TEST_CASE("a weak job is given up rather than failed", "[resolve]") {
  Problem problem;
  problem.packages = {{"a", 1, false, {}, {1}}, {"b", 1, false, {}, {}}};
  problem.demands = {{0}, {1}};
  problem.jobs = {{0, false}, {1, true}};
  CHECK(solve(problem).chosen == Packages{0});
}

TEST_CASE("a conflict is told by its facts", "[resolve]") {
  Problem problem;
  problem.packages = {{"a", 1, false, {1}, {}}, {"b", 1, false, {}, {2}}, {"c", 1, false, {}, {}}};
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
