// SPDX-License-Identifier: Apache-2.0
// What lies outside the store: which changes a generation stands on, and taking back the others.
#include "run_state.hpp"

#include <algorithm>

namespace las::transaction {

namespace {

bool contains(const std::vector<state::ExternalChange>& changes,
              const state::ExternalChange& change) {
  return std::find(changes.begin(), changes.end(), change) != changes.end();
}

// The parts of `change` that `module` needs, as records of its own.
std::vector<state::ExternalChange> heritage(const source::ExternalKind& kind,
                                            const state::ExternalChange& change,
                                            const state::InstalledModule& module) {
  std::vector<state::ExternalChange> parts;
  for (const state::ExternalChange& own : module.external) {
    if (own.kind != change.kind)
      continue;
    const std::string part = kind.inherited(change.wanted, own.wanted);
    if (!part.empty())
      parts.push_back({change.kind, change.before, part});
  }
  return parts;
}

}  // namespace

source::ExternalKind* external_kind(const Surroundings& world, const std::string& kind) {
  if (const auto found = world.sources.find(kind); found != world.sources.end())
    return found->second.get();
  for (const auto& step : world.steps) {
    if (step->kind() == kind)
      return step.get();
  }
  return nullptr;
}

std::vector<state::ExternalChange> still_wanted(const state::Generation& generation) {
  std::vector<state::ExternalChange> changes;
  for (const state::InstalledModule& module : generation.modules)
    changes.insert(changes.end(), module.external.begin(), module.external.end());
  return changes;
}

std::vector<state::ExternalChange> no_longer_wanted(const state::Generation& from,
                                                    const state::Generation& to) {
  const std::vector<state::ExternalChange> kept = still_wanted(to);
  std::vector<state::ExternalChange> gone;
  for (const state::ExternalChange& change : still_wanted(from)) {
    if (!contains(kept, change))
      gone.push_back(change);
  }
  return gone;
}

void hand_over_external(const Surroundings& world,
                        const state::Generation& from,
                        state::Generation& to) {
  for (const state::ExternalChange& change : no_longer_wanted(from, to)) {
    const source::ExternalKind* kind = external_kind(world, change.kind);
    if (kind == nullptr)
      continue;
    for (state::InstalledModule& module : to.modules) {
      for (state::ExternalChange& part : heritage(*kind, change, module)) {
        if (!contains(module.external, part))
          module.external.push_back(std::move(part));
      }
    }
  }
}

void undo_external(const Surroundings& world,
                   const std::vector<state::ExternalChange>& changes,
                   const std::vector<state::ExternalChange>& kept,
                   Reach reach,
                   const Activity& activity) {
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    source::ExternalKind* kind = external_kind(world, change->kind);
    if (kind == nullptr || (reach == Reach::Leaving && kind->stays_for_rollback()))
      continue;
    std::vector<std::string> wanted_by_others;
    for (const state::ExternalChange& other : kept) {
      if (other.kind == change->kind)
        wanted_by_others.push_back(other.wanted);
    }
    kind->undo_external(change->before, change->wanted, wanted_by_others, activity);
  }
}

namespace {

// What all the other generations stand on.
std::vector<state::ExternalChange> kept_by_others(const Surroundings& world,
                                                  const std::vector<state::Generation>& going) {
  std::vector<state::ExternalChange> kept;
  world.store.read([&](const state::ReadTransaction& state) {
    kept = still_wanted(state.current());
    for (const std::uint64_t number : state.generation_numbers()) {
      if (std::any_of(
              going.begin(), going.end(), [&](const auto& one) { return one.number == number; }))
        continue;
      const auto changes = still_wanted(*state.generation(number));
      kept.insert(kept.end(), changes.begin(), changes.end());
    }
  });
  return kept;
}

}  // namespace

std::vector<state::ExternalChange> stays_for(const Surroundings& world,
                                             const std::vector<state::Generation>& going) {
  if (going.empty())
    return {};
  const auto kept = kept_by_others(world, going);
  std::vector<state::ExternalChange> stayed;
  for (const state::Generation& generation : going) {
    for (const state::ExternalChange& change : still_wanted(generation)) {
      const source::ExternalKind* kind = external_kind(world, change.kind);
      if (kind != nullptr && kind->stays_for_rollback() && !contains(kept, change) &&
          !contains(stayed, change))
        stayed.push_back(change);
    }
  }
  return stayed;
}

void undo_stayed(const Surroundings& world,
                 const std::vector<state::Generation>& going,
                 const Activity& activity) {
  undo_external(world, stays_for(world, going), kept_by_others(world, going), Reach::All, activity);
}

}  // namespace las::transaction
