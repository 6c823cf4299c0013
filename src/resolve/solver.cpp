// SPDX-License-Identifier: Apache-2.0
#include "solver.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

// libsolv is C and has members called `requires`, a keyword since C++20; newer releases offer a
// macro that renames them, older ones need ours.
#define LIBSOLV_SOLVABLE_PREPEND_DEP 1
#define requires dep_requires
#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/solver.h>
#undef requires

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

namespace las::resolve {

namespace {

class IdQueue {
 public:
  IdQueue() { queue_init(&queue_); }

  IdQueue(const IdQueue&) = delete;
  IdQueue& operator=(const IdQueue&) = delete;

  ~IdQueue() { queue_free(&queue_); }

  Queue* get() { return &queue_; }

  void push(Id id) { queue_push(&queue_, id); }

  void clear() { queue_empty(&queue_); }

  const Id* begin() const { return queue_.elements; }

  const Id* end() const { return queue_.elements + queue_.count; }

  std::size_t size() const { return static_cast<std::size_t>(queue_.count); }

 private:
  Queue queue_{};
};

using PoolHandle = std::unique_ptr<Pool, decltype(&pool_free)>;
using SolverHandle = std::unique_ptr<Solver, decltype(&solver_free)>;

class LibsolvRun {
 public:
  explicit LibsolvRun(const Problem& problem)
      : problem_(problem), pool_(pool_create(), &pool_free), solver_(nullptr, &solver_free) {
    intern_demands();
    add_packages();
    pool_createwhatprovides(pool_.get());
    add_jobs();
    solver_.reset(solver_create(pool_.get()));
  }

  Answer run() {
    Answer answer;
    if (solver_solve(solver_.get(), jobs_.get()) == 0) {
      answer.solved = true;
      answer.chosen = chosen();
    } else {
      answer.clashes = smallest_conflict();
    }
    return answer;
  }

 private:
  void intern_demands() {
    demand_ids_.reserve(problem_.demands.size());
    for (std::size_t i = 0; i < problem_.demands.size(); ++i) {
      // '#' cannot occur in a module name, so the two kinds of id never meet.
      const Id id = pool_str2id(pool_.get(), ("demand#" + std::to_string(i)).c_str(), 1);
      demand_ids_.push_back(id);
      demand_of_.emplace(id, i);
    }
  }

  void set_dependencies(Solvable* solvable, Id key, IdQueue& ids) {
    if (ids.size() > 0)
      solvable_set_deparray(solvable, key, ids.get(), 0);
    ids.clear();
  }

  void add_packages() {
    std::vector<std::vector<Id>> provides(problem_.packages.size());
    for (std::size_t i = 0; i < problem_.demands.size(); ++i) {
      for (const std::size_t package : problem_.demands[i])
        provides[package].push_back(demand_ids_[i]);
    }
    Repo* repo = repo_create(pool_.get(), "las");
    first_ = repo_add_solvable_block(repo, static_cast<int>(problem_.packages.size()));
    IdQueue ids;
    for (std::size_t i = 0; i < problem_.packages.size(); ++i) {
      const Problem::Package& package = problem_.packages[i];
      Solvable* solvable = pool_id2solvable(pool_.get(), solvable_of(i));
      solvable->name = pool_str2id(pool_.get(), package.name.c_str(), 1);
      solvable->evr = pool_str2id(pool_.get(), std::to_string(package.preference).c_str(), 1);
      solvable->arch = ARCH_NOARCH;
      ids.push(solvable->name);
      for (const Id id : provides[i])
        ids.push(id);
      set_dependencies(solvable, SOLVABLE_PROVIDES, ids);
      for (const std::size_t demand : package.requirements)
        ids.push(demand_ids_[demand]);
      set_dependencies(solvable, SOLVABLE_REQUIRES, ids);
      for (const std::size_t demand : package.conflicts)
        ids.push(demand_ids_[demand]);
      set_dependencies(solvable, SOLVABLE_CONFLICTS, ids);
      for (const std::size_t demand : package.recommendations)
        ids.push(demand_ids_[demand]);
      set_dependencies(solvable, SOLVABLE_RECOMMENDS, ids);
    }
  }

  void add_jobs() {
    for (const Problem::Job& job : problem_.jobs) {
      jobs_.push(SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES | (job.weak ? SOLVER_WEAK : 0));
      jobs_.push(demand_ids_[job.demand]);
    }
    std::set<std::string> favoured;
    for (const Problem::Package& package : problem_.packages) {
      if (!package.favoured || !favoured.insert(package.name).second)
        continue;
      jobs_.push(SOLVER_FAVOR | SOLVER_SOLVABLE_NAME);
      jobs_.push(pool_str2id(pool_.get(), package.name.c_str(), 1));
    }
  }

  Id solvable_of(std::size_t package) const { return first_ + static_cast<Id>(package); }

  std::size_t package_of(Id solvable) const { return static_cast<std::size_t>(solvable - first_); }

  bool is_package(Id solvable) const {
    return solvable >= first_ && package_of(solvable) < problem_.packages.size();
  }

  std::vector<std::size_t> chosen() {
    IdQueue decisions;
    solver_get_decisionqueue(solver_.get(), decisions.get());
    std::vector<std::size_t> packages;
    for (const Id id : decisions) {
      if (id > 0 && is_package(id))
        packages.push_back(package_of(id));
    }
    std::sort(packages.begin(), packages.end());
    return packages;
  }

  std::vector<Clash> smallest_conflict() {
    const unsigned int count = solver_problem_count(solver_.get());
    std::vector<Id> smallest;
    for (unsigned int number = 1; number <= count; ++number) {
      IdQueue rules;
      solver_findallproblemrules(solver_.get(), static_cast<Id>(number), rules.get());
      if (number == 1 || rules.size() < smallest.size())
        smallest.assign(rules.begin(), rules.end());
    }
    std::vector<Clash> clashes;
    for (const Id rule : smallest)
      add_clash(rule, clashes);
    return clashes;
  }

  void add_clash(Id rule, std::vector<Clash>& clashes) {
    Id from = 0, to = 0, dependency = 0;
    const SolverRuleinfo info = solver_ruleinfo(solver_.get(), rule, &from, &to, &dependency);
    Clash clash;
    switch (info) {
      case SOLVER_RULE_JOB:
      case SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP:
        clash.kind = Clash::Kind::Job;
        solver_rule2job(solver_.get(), rule, &dependency);
        break;
      case SOLVER_RULE_PKG_REQUIRES:
        clash.kind = Clash::Kind::Requires;
        break;
      case SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP:
        clash.kind = Clash::Kind::NothingProvides;
        break;
      case SOLVER_RULE_PKG_CONFLICTS:
        clash.kind = Clash::Kind::Conflicts;
        break;
      case SOLVER_RULE_PKG_SAME_NAME:
        clash.kind = Clash::Kind::SameName;
        break;
      default:
        return;  // rules that follow from the ones above
    }
    const auto demand = demand_of_.find(dependency);
    const bool needs_demand = clash.kind != Clash::Kind::SameName;
    if (needs_demand && demand == demand_of_.end())
      return;
    clash.demand = needs_demand ? demand->second : 0;
    if (clash.kind != Clash::Kind::Job && !is_package(from))
      return;
    clash.package = is_package(from) ? package_of(from) : 0;
    clash.other = is_package(to) ? package_of(to) : 0;
    clashes.push_back(clash);
  }

  const Problem& problem_;
  PoolHandle pool_;
  SolverHandle solver_;
  std::vector<Id> demand_ids_;
  std::unordered_map<Id, std::size_t> demand_of_;
  Id first_ = 0;
  IdQueue jobs_;
};

}  // namespace

Answer solve(const Problem& problem) {
  return LibsolvRun(problem).run();
}

}  // namespace las::resolve
