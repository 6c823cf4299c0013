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
  order.reserve(module.builds.size());
  for (const Build& build : module.builds) {
    if (build.usable())
      order.push_back(&build);
  }
  if (module.installed == nullptr)
    return order;
  const auto rank = [&](const Build* build) { return build->installed && !module.upgrade ? 0 : 1; };
  std::stable_sort(order.begin(), order.end(), [&](const Build* a, const Build* b) {
    if (rank(a) != rank(b))
      return rank(a) < rank(b);
    if (a->version != b->version)
      return a->version > b->version;
    return a->rejected == nullptr && b->rejected != nullptr;
  });
  return order;
}

bool provides_what_is_needed(const catalog::Manifest& manifest, const Universe& universe) {
  return std::any_of(
      manifest.provides.begin(), manifest.provides.end(), [&](const std::string& capability) {
        return universe.is_reached_capability(capability);
      });
}

}  // namespace

Demand remembered_demand(const Module& module) {
  Demand demand;
  demand.name = module.name;
  demand.range = &module.wished;
  demand.variant = module.world->variant;
  demand.mode = module.world->mode;
  demand.or_installed = true;  // a catalog that dropped it is no reason to fail
  return demand;
}

Demand demand_of(const Wish& wish) {
  return {Demand::Kind::Module, wish.name, &wish.range, wish.variant, wish.mode, false};
}

std::size_t Formulation::Spelling::operator()(const Demand& demand) const {
  constexpr std::size_t kFactor = 31;
  const std::hash<std::string_view> hash;
  std::size_t value = hash(demand.name);
  for (const VersionRange::Bound& bound : demand.range->bounds())
    value = value * kFactor + hash(bound.version.text()) + static_cast<std::size_t>(bound.op);
  return value;
}

bool Formulation::Spelling::operator()(const Demand& a, const Demand& b) const {
  const auto &left = a.range->bounds(), &right = b.range->bounds();
  return a.kind == b.kind && a.name == b.name && a.variant == b.variant && a.mode == b.mode &&
         a.or_installed == b.or_installed &&
         std::equal(left.begin(),
                    left.end(),
                    right.begin(),
                    right.end(),
                    [](const VersionRange::Bound& x, const VersionRange::Bound& y) {
                      return x.op == y.op && x.version.text() == y.version.text();
                    });
}

Formulation::Formulation(const Request& request, const Universe& universe) : universe_(universe) {
  add_nodes(universe);
  add_relations(universe);
  add_jobs(request);
}

// Requirements may bring demands, never nodes. Builds that are not installed and share a list of
// dependencies (those of one manifest, as a rule) need the same.
void Formulation::add_relations(const Universe& universe) {
  std::unordered_map<const catalog::Dependencies*, std::size_t> first_with;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& [module, build] = nodes_[i];
    Problem::Package& package = problem_.packages[i];
    if (!build->installed && build->release != nullptr) {
      const auto [first, is_new] = first_with.emplace(&dependencies_of(*module, *build), i);
      if (!is_new) {
        package.relations = problem_.packages[first->second].relations;
        continue;
      }
    }
    package.relations = problem_.relations.size();
    Problem::Relations& relations = problem_.relations.emplace_back();
    relations.requirements = indices_of(universe.requirements(*module, *build));
    relations.conflicts = indices_of(universe.conflicts(*module, *build));
    relations.recommendations = indices_of(universe.recommendations(*module, *build));
  }
}

void Formulation::add_nodes(const Universe& universe) {
  range_of_.reserve(universe.modules().size());
  index_.reserve(2 * universe.modules().size());
  for (const Module* module : universe.modules()) {
    const std::vector<const Build*> order = by_preference(*module);
    const std::size_t first = nodes_.size();
    range_of_.emplace_back(first, first + order.size());
    int preference = static_cast<int>(order.size());
    for (const Build* build : order) {
      problem_.packages.push_back({module->name, preference--, module->installed != nullptr});
      nodes_.push_back({module, build});
    }
    if (module->manifest == nullptr)
      continue;
    for (const std::string& capability : module->manifest->provides) {
      std::vector<std::size_t>& all = providing_[capability];
      if (all.empty() || all.back() < first) {
        for (std::size_t node = first; node < nodes_.size(); ++node)
          all.push_back(node);
      }
    }
  }
}

void Formulation::add_jobs(const Request& request) {
  std::set<std::string_view> done;
  for (const Wish& wish : request.install) {
    const Demand demand = demand_of(wish);
    add_job(demand, false);
    requested_.insert(index_of(demand));
    done.insert(wish.name);
  }
  for (const std::string& name : request.prefer) {
    const Module* module = universe_.find(name);
    if (module != nullptr && module->manifest != nullptr && done.count(name) == 0 &&
        provides_what_is_needed(*module->manifest, universe_))
      add_job({Demand::Kind::Module, name}, true);
  }
  for (const Module* module : universe_.modules()) {
    if (module->installed == nullptr || done.count(module->name) > 0)
      continue;
    const Demand any{Demand::Kind::Module, module->name};
    if (module->wanted_by_user() || module->held)
      add_job(module->world != nullptr ? remembered_demand(*module) : any, false);
    else if (module->installed->reason == state::Reason::Optional)
      add_job(any, true);
  }
}

void Formulation::add_job(const Demand& demand, bool weak) {
  problem_.jobs.push_back({index_of(demand), weak});
}

std::vector<std::size_t> Formulation::indices_of(const std::vector<Demand>& demands) {
  std::vector<std::size_t> indices;
  indices.reserve(demands.size());
  for (const Demand& demand : demands)
    indices.push_back(index_of(demand));
  return indices;
}

std::size_t Formulation::index_of(const Demand& demand) {
  const auto [found, added] = index_.emplace(demand, demands_.size());
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
  const Module* module = universe_.find(demand.name);
  if (module == nullptr)
    return packages;
  const auto [first, last] = range_of_[module->number];
  packages.reserve(last - first);
  for (std::size_t i = first; i < last; ++i) {
    if (demand.accepts(*nodes_[i].build))
      packages.push_back(i);
  }
  return packages;
}

}  // namespace las::resolve
