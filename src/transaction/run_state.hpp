// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/state/records.hpp"
#include "las/transaction/transaction.hpp"

#include <string>

/// The steps of a transaction, one function each; transaction.cpp puts them in order.
namespace las::transaction {

/// What an unfinished transaction knows about itself; the journal is its durable half.
struct Run {
  const Surroundings& world;
  state::Journal journal;
  state::OperationRecord operation;
};

/// Writes journal and operation together.
void record(Run& run);

/// Step 3: fetches and stages every module of the plan into the store. Returns them as installed
/// records, in plan order.
std::vector<state::InstalledModule> stage_modules(Run& run,
                                                  const plan::Plan& plan,
                                                  const Activity& activity);
/// Throws NoSpace when what the plan is known to need does not fit.
void check_free_space(const Surroundings& world, const plan::Plan& plan);

/// Step 4: the generation that results, and its folder generations/<n>/.
state::Generation next_generation(const Run& run,
                                  const state::Generation& present,
                                  const plan::Plan& plan,
                                  const std::vector<state::InstalledModule>& staged);
void write_generation_folder(const Surroundings& world, const state::Generation& generation);

/// The changes outside the store that the generation's modules stand on.
std::vector<state::ExternalChange> still_wanted(const state::Generation& generation);
/// Those that `from` stands on and `to` does not.
std::vector<state::ExternalChange> no_longer_wanted(const state::Generation& from,
                                                    const state::Generation& to);
/// Records with the modules of `to` what they need of the changes that `from` leaves behind, so
/// that the last to need it takes it away.
void hand_over_external(const Surroundings& world,
                        const state::Generation& from,
                        state::Generation& to);
/// Takes the changes back, the last first; what `kept` names stays.
void undo_external(const Surroundings& world,
                   const std::vector<state::ExternalChange>& changes,
                   const std::vector<state::ExternalChange>& kept,
                   const Activity& activity);

/// Step 5: the commit point. `start`: services that are to run from now on, besides the new ones.
void commit(Run& run,
            const state::Generation& generation,
            const std::vector<std::string>& start = {});

/// Where the damaged payload of the same name lies while this operation replaces it.
std::string damaged_name(const Run& run, const std::string& store_name);

/// Step 6: makes the machine what `to` says. Idempotent. A service that did not change and cannot
/// be started is reported, no reason to reject the generation.
void converge(const Surroundings& world,
              const state::Generation& from,
              const state::Generation& to,
              const Activity& activity);

/// Step 7: every service that is new or changed in `to` runs the wanted program and is healthy.
/// Throws Io with the reason.
void prove(const Surroundings& world,
           const state::Generation& from,
           const state::Generation& to,
           const Activity& activity);

/// Steps 6 and 7 with the way back; then closes journal and operation.
void finish(Run& run,
            const state::Generation& from,
            const state::Generation& to,
            const Activity& activity);

/// After a rejection: makes `from` current again, converges to it, and removes what `to` brought.
/// Every step that fails is reported and the others go on, so that the journal is always closed;
/// what is not as recorded then is found by verify. Also what recovery does for Phase::Returning.
void go_back(Run& run,
             const state::Generation& from,
             const state::Generation& to,
             const Activity& activity);

/// Takes back everything before the commit point.
void undo(Run& run, const Activity& activity);

/// Whether a service of `to` has to be (re)started because it differs from the one in `from`.
bool service_changed(const state::Generation& from, const state::ServiceInstance& service);

}  // namespace las::transaction
