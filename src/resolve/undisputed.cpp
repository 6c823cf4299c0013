// SPDX-License-Identifier: Apache-2.0
#include "undisputed.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace las::resolve {

namespace {

class Undisputed {
 public:
  explicit Undisputed(const Problem& problem)
      : problem_(problem), seen_(problem.demands.size(), false) {
    std::unordered_map<std::string_view, std::size_t> names;
    name_of_.reserve(problem.packages.size());
    for (const Problem::Package& package : problem.packages) {
      const std::size_t last = name_of_.size();
      const bool same = last > 0 && problem.packages[last - 1].name == package.name;
      name_of_.push_back(same ? name_of_.back()
                              : names.emplace(package.name, names.size()).first->second);
    }
    chosen_.resize(names.size(), kNone);
  }

  std::optional<std::vector<std::size_t>> find() {
    for (const Problem::Job& job : problem_.jobs) {
      if (job.weak || !take(job.demand))
        return std::nullopt;
    }
    for (std::size_t next = 0; next < packages_.size(); ++next) {
      const Problem::Relations* relations = relations_of(packages_[next]);
      if (relations == nullptr)
        continue;
      if (!relations->recommendations.empty())
        return std::nullopt;
      for (const std::size_t demand : relations->requirements) {
        if (!take(demand))
          return std::nullopt;
      }
    }
    if (!std::none_of(packages_.begin(), packages_.end(), [&](std::size_t package) {
          return has_conflict(package);
        }))
      return std::nullopt;
    std::sort(packages_.begin(), packages_.end());
    return packages_;
  }

 private:
  static constexpr std::size_t kNone = Problem::kNone;

  const Problem::Relations* relations_of(std::size_t package) const {
    const std::size_t relations = problem_.packages[package].relations;
    return relations == kNone ? nullptr : &problem_.relations[relations];
  }

  // The one package that is better than all others; kNone where there is none, or several names.
  std::size_t best_of(const std::vector<std::size_t>& packages) const {
    std::size_t best = kNone;
    bool tie = false;
    for (const std::size_t package : packages) {
      if (best != kNone && name_of_[package] != name_of_[best])
        return kNone;
      const int order = best == kNone ? 1
                                      : problem_.packages[package].preference -
                                            problem_.packages[best].preference;
      tie = order == 0 || (tie && order < 0);
      if (order > 0)
        best = package;
    }
    return tie ? kNone : best;
  }

  bool take(std::size_t demand) {
    if (seen_[demand])
      return true;
    seen_[demand] = true;
    const std::size_t best = best_of(problem_.demands[demand]);
    if (best == kNone)
      return false;
    std::size_t& chosen = chosen_[name_of_[best]];
    if (chosen == kNone)
      packages_.push_back(chosen = best);
    return chosen == best;
  }

  bool has_conflict(std::size_t package) const {
    const Problem::Relations* relations = relations_of(package);
    if (relations == nullptr)
      return false;
    return std::any_of(
        relations->conflicts.begin(), relations->conflicts.end(), [&](std::size_t demand) {
          const std::vector<std::size_t>& others = problem_.demands[demand];
          return std::any_of(others.begin(), others.end(), [&](std::size_t other) {
            return chosen_[name_of_[other]] == other;
          });
        });
  }

  const Problem& problem_;
  std::vector<bool> seen_;             // demands
  std::vector<std::size_t> name_of_;   // each package's, as a number
  std::vector<std::size_t> chosen_;    // of each name
  std::vector<std::size_t> packages_;  // chosen, in the order they were found in
};

}  // namespace

std::optional<std::vector<std::size_t>> find_undisputed(const Problem& problem) {
  return Undisputed(problem).find();
}

}  // namespace las::resolve
