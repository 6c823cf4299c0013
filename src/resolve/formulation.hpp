// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "solver.hpp"
#include "universe.hpp"

#include <set>
#include <string_view>
#include <unordered_map>
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
  /// Demands are one when they are spelled alike.
  struct Spelling {
    std::size_t operator()(const Demand& demand) const;
    bool operator()(const Demand& a, const Demand& b) const;
  };

  void add_nodes(const Universe& universe);
  void add_relations(const Universe& universe);
  void add_jobs(const Request& request);
  void add_job(const Demand& demand, bool weak);
  std::vector<std::size_t> indices_of(const std::vector<Demand>& demands);
  std::size_t index_of(const Demand& demand);
  std::vector<std::size_t> packages_for(const Demand& demand) const;

  const Universe& universe_;
  Problem problem_;
  std::vector<Node> nodes_;
  std::vector<Demand> demands_;
  std::unordered_map<Demand, std::size_t, Spelling, Spelling> index_;  ///< of demands
  std::vector<std::pair<std::size_t, std::size_t>> range_of_;          ///< of a module's nodes
  std::unordered_map<std::string_view, std::vector<std::size_t>> providing_;
  std::set<std::size_t> requested_;
};

/// What a wish asks for.
Demand demand_of(const Wish& wish);
/// What an earlier wish still asks for: of a module that has one.
Demand remembered_demand(const Module& module);

}  // namespace las::resolve
