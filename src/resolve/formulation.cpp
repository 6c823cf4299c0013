// SPDX-License-Identifier: Apache-2.0
#include "formulation.hpp"

#include <algorithm>

namespace las::resolve {

namespace {

// Which of a module's possible builds is taken first: the order of `builds`, except that
// * what is installed comes before all when no upgrade is asked for, and
// * what is installed but would not be chosen today (no such GPU any more) comes after the others
// of
//   its release in an upgrade, yet before older releases.
std::vector<const Build*> by_preference(const Module& module) {
  std::vector<const Build*> order;
  for (const Build& build : module.builds) {
    if (build.usable())
      order.push_back(&build);
  }
  const auto rank = [&](const Build* build) { return build->installed && !module.upgrade ? 0 : 1; };
  std::stable_sort(order.begin(), order.end(), [&](const Build* a, const Build* b) {
    if (rank(a) != rank(b))
      return rank(a) < rank(b);
    if (a->version != b->version)
      return a->version > b->version;
    return a->rejections.empty() && !b->rejections.empty();
  });
  return order;
}

bool provides_what_is_needed(const catalog::Manifest& manifest, const Universe& universe) {
  return std::any_of(
      manifest.provides.begin(), manifest.provides.end(), [&](const std::string& capability) {
        return universe.is_reached_capability(capability);
      });
}

// No name, range, variant or mode contains a line break.
std::string key_of(const Demand& demand) {
  std::string key = demand.kind == Demand::Kind::Module ? "module" : "capability";
  for (const std::string& part :
       {demand.name, demand.range.to_string(), demand.variant, demand.mode})
    key += '\n' + part;
  return demand.or_installed ? key + "\n+" : key;
}

}  // namespace

Demand demand_of(const state::WorldEntry& entry) {
  Demand demand;
  demand.name = entry.module;
  demand.range = VersionRange::parse(entry.range).value_or(VersionRange());
  demand.variant = entry.variant;
  demand.mode = entry.mode;
  demand.or_installed = true;  // a catalog that dropped it is no reason to fail
  return demand;
}

Demand demand_of(const Wish& wish) {
  return {Demand::Kind::Module, wish.name, wish.range, wish.variant, wish.mode, false};
}

Formulation::Formulation(const Request& request, const Universe& universe) {
  add_nodes(universe);
  // Requirements may bring demands, never nodes. Builds that are not installed and share a list of
  // dependencies (those of one manifest, as a rule) need the same.
  std::map<const catalog::Dependencies*, std::size_t> first_with;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& [module, build] = nodes_[i];
    Problem::Package& package = problem_.packages[i];
    if (!build->installed && build->release != nullptr) {
      const auto [first, is_new] = first_with.emplace(&dependencies_of(*module, *build), i);
      if (!is_new) {
        const Problem::Package& same = problem_.packages[first->second];
        package.requirements = same.requirements;
        package.conflicts = same.conflicts;
        package.recommendations = same.recommendations;
        continue;
      }
    }
    for (const Demand& demand : universe.requirements(*module, *build))
      package.requirements.push_back(index_of(demand));
    for (const Demand& demand : universe.conflicts(*module, *build))
      package.conflicts.push_back(index_of(demand));
    for (const Demand& demand : universe.recommendations(*module, *build))
      package.recommendations.push_back(index_of(demand));
  }
  add_jobs(request, universe);
}

void Formulation::add_nodes(const Universe& universe) {
  for (const auto& [name, module] : universe.modules()) {
    const std::vector<const Build*> order = by_preference(module);
    range_of_[name] = {nodes_.size(), nodes_.size() + order.size()};
    int preference = static_cast<int>(order.size());
    for (const Build* build : order) {
      if (module.manifest != nullptr) {
        for (const std::string& capability : module.manifest->provides) {
          auto& all = providing_[capability];
          if (all.empty() || all.back() != nodes_.size())
            all.push_back(nodes_.size());
        }
      }
      problem_.packages.push_back({name, preference--, module.installed != nullptr, {}, {}, {}});
      nodes_.push_back({&module, build});
    }
  }
}

void Formulation::add_jobs(const Request& request, const Universe& universe) {
  std::set<std::string> done;
  for (const Wish& wish : request.install) {
    const Demand demand = demand_of(wish);
    add_job(demand, false);
    requested_.insert(index_of(demand));
    done.insert(wish.name);
  }
  for (const std::string& name : request.prefer) {
    const Module* module = universe.find(name);
    if (module != nullptr && module->manifest != nullptr && done.count(name) == 0 &&
        provides_what_is_needed(*module->manifest, universe))
      add_job(demand_of(Wish{name, {}, {}, {}}), true);
  }
  for (const auto& [name, module] : universe.modules()) {
    if (module.installed == nullptr || done.count(name) > 0)
      continue;
    Demand demand;
    demand.name = name;
    if (module.wanted_by_user() || module.held)
      add_job(module.world != nullptr ? demand_of(*module.world) : demand, false);
    else if (module.installed->reason == state::Reason::Optional)
      add_job(demand, true);
  }
}

void Formulation::add_job(const Demand& demand, bool weak) {
  problem_.jobs.push_back({index_of(demand), weak});
}

std::size_t Formulation::index_of(const Demand& demand) {
  const auto [found, added] = index_.emplace(key_of(demand), demands_.size());
  if (added) {
    demands_.push_back(demand);
    problem_.demands.push_back(packages_for(demand));
  }
  return found->second;
}

std::vector<std::size_t> Formulation::packages_for(const Demand& demand) const {
  std::vector<std::size_t> packages;
  if (demand.kind == Demand::Kind::Capability) {
    const auto found = providing_.find(demand.name);
    return found == providing_.end() ? packages : found->second;
  }
  const auto found = range_of_.find(demand.name);
  if (found == range_of_.end())
    return packages;
  for (std::size_t i = found->second.first; i < found->second.second; ++i) {
    if (demand.accepts(*nodes_[i].build))
      packages.push_back(i);
  }
  return packages;
}

}  // namespace las::resolve
