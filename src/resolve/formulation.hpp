// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "solver.hpp"
#include "universe.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace las::resolve {

/// The universe and a request as a Problem, and the way back from its indices.
class Formulation {
 public:
  struct Node {
    const Module* module = nullptr;
    const Build* build = nullptr;
  };

  Formulation(const Request& request, const Universe& universe);

  const Problem& problem() const { return problem_; }

  const Node& node(std::size_t package) const { return nodes_[package]; }

  const Demand& demand(std::size_t index) const { return demands_[index]; }

  /// Whether a job was asked for by this request (and not by what is installed).
  bool is_request(std::size_t demand_index) const { return requested_.count(demand_index) > 0; }

 private:
  void add_nodes(const Universe& universe);
  void add_jobs(const Request& request, const Universe& universe);
  void add_job(const Demand& demand, bool weak);
  std::size_t index_of(const Demand& demand);
  std::vector<std::size_t> packages_for(const Demand& demand) const;

  Problem problem_;
  std::vector<Node> nodes_;
  std::vector<Demand> demands_;
  std::map<std::string, std::size_t> index_;  ///< of demands, by spelling
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> range_of_;  ///< of nodes
  std::map<std::string, std::vector<std::size_t>, std::less<>> providing_;
  std::set<std::size_t> requested_;
};

/// What a wish asks for.
Demand demand_of(const Wish& wish);
/// What an earlier wish still asks for.
Demand demand_of(const state::WorldEntry& entry);

}  // namespace las::resolve
