// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/state/records.hpp"

#include <optional>
#include <string>
#include <vector>

/// Pure: how two generations differ, and what taking one change back would make.
namespace las::plan {

/// One module, service or wish that is not the same in two generations; an absent side has none.
template <typename Record>
struct Changed {
  std::string name;
  std::optional<Record> before, after;
};

struct Difference {
  std::vector<Changed<state::InstalledModule>> modules;
  std::vector<Changed<state::ServiceInstance>> services;
  std::vector<Changed<state::WorldEntry>> world;

  bool empty() const { return modules.empty() && services.empty() && world.empty(); }
};

/// Each by name. When something was installed again as it was (only times differ) counts as equal.
Difference difference(const state::Generation& before, const state::Generation& after);

/// "demo 1.0 -> 2.0 (cpu)", one line each, for people: modules, then services, then wishes.
std::vector<std::string> describe(const Difference& difference);

struct Undo {
  state::Generation result;  ///< `present` without the change; number and times are the caller's
  std::vector<std::string> obstacles;  ///< why it cannot be; empty: it can
  Difference change;                   ///< from `present` to `result`
};

/// Takes the change from `before` to `after` back and keeps all later ones. What a later change
/// touched too, or stands on, is an obstacle. Ranges of versions are not looked at: a generation
/// does not know them.
Undo undo(const state::Generation& present,
          const state::Generation& before,
          const state::Generation& after);

}  // namespace las::plan
