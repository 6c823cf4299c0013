// SPDX-License-Identifier: Apache-2.0
#include "solver.hpp"

#include "undisputed.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>

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

// The demands that each package meets, ascending, in one list instead of one for each of thousands.
class Met {
 public:
  explicit Met(const Problem& problem) : starts_(problem.packages.size() + 1) {
    for (const auto& packages : problem.demands) {
      for (const std::size_t package : packages)
        ++starts_[package + 1];
    }
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    demands_.resize(starts_.back());
    std::vector<std::size_t> next = starts_;
    for (std::size_t demand = 0; demand < problem.demands.size(); ++demand) {
      for (const std::size_t package : problem.demands[demand])
        demands_[next[package]++] = demand;
    }
  }

  std::span<const std::size_t> of(std::size_t package) const {
    return std::span(demands_).subspan(starts_[package], starts_[package + 1] - starts_[package]);
  }

 private:
  std::vector<std::size_t> starts_, demands_;
};

class LibsolvRun {
 public:
  explicit LibsolvRun(const Problem& problem)
      : problem_(problem),
        met_(problem),
        pool_(pool_create(), &pool_free),
        solver_(nullptr, &solver_free) {
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
  Id intern(std::string_view text) {
    return pool_strn2id(pool_.get(), text.data(), static_cast<unsigned int>(text.size()), 1);
  }

  // '#' cannot occur in a module name, so a demand's id is never that of a name.
  void intern_demands() {
    demand_ids_.reserve(problem_.demands.size());
    for (std::size_t i = 0; i < problem_.demands.size(); ++i)
      demand_ids_.push_back(intern("#" + std::to_string(i)));
  }

  // New texts get ascending ids.
  std::optional<std::size_t> demand_of(Id id) const {
    const auto found = std::lower_bound(demand_ids_.begin(), demand_ids_.end(), id);
    if (found == demand_ids_.end() || *found != id)
      return std::nullopt;
    return static_cast<std::size_t>(found - demand_ids_.begin());
  }

  void set_ids(Solvable* solvable, Id key) {
    if (ids_.size() > 0)
      solvable_set_deparray(solvable, key, ids_.get(), 0);
    ids_.clear();
  }

  void set_demands(Solvable* solvable, Id key, std::span<const std::size_t> demands) {
    for (const std::size_t demand : demands)
      ids_.push(demand_ids_[demand]);
    set_ids(solvable, key);
  }

  void add_packages() {
    Repo* repo = repo_create(pool_.get(), "las");
    first_ = repo_add_solvable_block(repo, static_cast<int>(problem_.packages.size()));
    std::string_view name;
    Id name_id = 0;
    std::vector<Id> preferences;  // ids of their texts
    for (std::size_t i = 0; i < problem_.packages.size(); ++i) {
      const Problem::Package& package = problem_.packages[i];
      if (package.name != name || name_id == 0) {
        name = package.name;
        name_id = intern(name);
      }
      const auto preference = static_cast<std::size_t>(package.preference);
      if (preference >= preferences.size())
        preferences.resize(preference + 1);
      if (preferences[preference] == 0)
        preferences[preference] = intern(std::to_string(preference));
      Solvable* solvable = pool_id2solvable(pool_.get(), first_ + static_cast<Id>(i));
      solvable->name = name_id;
      solvable->evr = preferences[preference];
      solvable->arch = ARCH_NOARCH;
      ids_.push(name_id);
      set_demands(solvable, SOLVABLE_PROVIDES, met_.of(i));
      if (package.favoured)
        favoured_.insert(name_id);
      if (package.relations == Problem::kNone)
        continue;
      const Problem::Relations& relations = problem_.relations[package.relations];
      set_demands(solvable, SOLVABLE_REQUIRES, relations.requirements);
      set_demands(solvable, SOLVABLE_CONFLICTS, relations.conflicts);
      set_demands(solvable, SOLVABLE_RECOMMENDS, relations.recommendations);
    }
  }

  void add_jobs() {
    for (const Problem::Job& job : problem_.jobs) {
      jobs_.push(SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES | (job.weak ? SOLVER_WEAK : 0));
      jobs_.push(demand_ids_[job.demand]);
    }
    for (const Id name : favoured_) {
      jobs_.push(SOLVER_FAVOR | SOLVER_SOLVABLE_NAME);
      jobs_.push(name);
    }
  }

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
    if (clash.kind != Clash::Kind::SameName) {
      const auto demand = demand_of(dependency);
      if (!demand)
        return;
      clash.demand = *demand;
    }
    if (clash.kind != Clash::Kind::Job && !is_package(from))
      return;
    clash.package = is_package(from) ? package_of(from) : 0;
    clash.other = is_package(to) ? package_of(to) : 0;
    clashes.push_back(clash);
  }

  const Problem& problem_;
  const Met met_;
  PoolHandle pool_;
  SolverHandle solver_;
  std::vector<Id> demand_ids_;
  Id first_ = 0;
  std::set<Id> favoured_;  // names
  IdQueue ids_;            // of one list at a time
  IdQueue jobs_;
};

}  // namespace

Answer search(const Problem& problem) {
  return LibsolvRun(problem).run();
}

Answer solve(const Problem& problem) {
  if (auto packages = find_undisputed(problem))
    return {true, *std::move(packages), {}};
  return search(problem);
}

}  // namespace las::resolve
