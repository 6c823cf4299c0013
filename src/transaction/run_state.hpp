// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/state/records.hpp"
#include "las/transaction/transaction.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

/// The steps of a transaction, one function each; transaction.cpp puts them in order.
namespace las::transaction {

/// What an unfinished transaction knows about itself; the journal is its durable half.
struct Run {
  const Surroundings& world;
  state::Journal journal;
  state::OperationRecord operation;
  bool mend = false;  ///< units that somebody edited are written anew
};

/// Writes journal and operation together.
void record(Run& run);

/// Step 3: fetches and stages every module of the plan into the store. Returns them as installed
/// records, in plan order.
std::vector<state::InstalledModule> stage_modules(Run& run,
                                                  const plan::Plan& plan,
                                                  const Activity& activity);
/// Throws what can be known to fail before anything is begun: NoSpace (old, new and temporary, per
/// file system), Permission, Busy (a port), Unsatisfiable (data that the wanted release cannot
/// read). Returns what is to be done with data.
std::vector<state::DataMove> preflight(const Surroundings& world,
                                       const state::Generation& present,
                                       const plan::Plan& plan);

/// A service that is to be there, and what its release makes of its data.
struct DataWish {
  std::string service, module, version, format, directory;
};

/// All services of a generation that is to become current.
std::vector<DataWish> data_wishes(const state::Generation& target);
/// What has to be done with the data that lies there now: a newer release migrates a copied one, an
/// older one gets back the snapshot that it can read. Unsatisfiable when there is none.
std::vector<state::DataMove> due_data_moves(const Surroundings& world,
                                            const state::Generation& present,
                                            const std::vector<DataWish>& wishes);
/// Does the journal's moves that are not done; what writes the data has to be stopped. Idempotent,
/// also after a crash at any point.
void move_data(Run& run, const Activity& activity);
/// Takes them back, done or not, likewise.
void move_data_back(Run& run);
/// Deletes the snapshots of a service's data, and what is recorded of the data.
void purge_snapshots(const Surroundings& world, const std::string& directory);

/// Step 4: the generation that results, and its folder generations/<n>/.
state::Generation next_generation(const Run& run,
                                  const state::Generation& present,
                                  const plan::Plan& plan,
                                  const std::vector<state::InstalledModule>& staged);
/// The services of modules that changed since `present` run from another store path now.
void rebuild_services(const Surroundings& world,
                      const state::Generation& present,
                      state::Generation& next);
void write_generation_folder(const Surroundings& world, const state::Generation& generation);

/// Tells of every directive that a user's drop-in sets and that las generates otherwise than
/// before: the user's holds, and may no longer be what the user wants.
void warn_of_contradictions(const Surroundings& world,
                            const state::Generation& present,
                            const state::Generation& next,
                            const Activity& activity);

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
/// What is taken back: all, or, where a generation is left that may be come back to, only what does
/// not stay for that (source::ExternalKind::stays_for_rollback).
enum class Reach { All, Leaving };
/// Takes the changes back, the last first; what `kept` names stays.
void undo_external(const Surroundings& world,
                   const std::vector<state::ExternalChange>& changes,
                   const std::vector<state::ExternalChange>& kept,
                   Reach reach,
                   const Activity& activity);
/// What stays outside the store for the generations `going` alone, which are still in the state.
std::vector<state::ExternalChange> stays_for(const Surroundings& world,
                                             const std::vector<state::Generation>& going);
/// Takes that back.
void undo_stayed(const Surroundings& world,
                 const std::vector<state::Generation>& going,
                 const Activity& activity);

/// Records which ports the service has: its own, and the one behind its socket.
void put_ports(state::WriteTransaction& transaction, const state::ServiceInstance& service);

/// Step 5: the commit point. `start`: services that are to run from now on, besides the new ones.
void commit(Run& run,
            const state::Generation& generation,
            const std::vector<std::string>& start = {});
/// The same as a part of a write.
void put_commit(state::WriteTransaction& transaction,
                Run& run,
                const state::Generation& generation,
                const std::vector<std::string>& start);

/// Where the damaged payload of the same name lies while this operation replaces it.
std::string damaged_name(const Run& run, const std::string& store_name);

/// Step 6: makes the machine what `to` says. Idempotent. `between` is called once everything that
/// changes is stopped, before anything is started. A service that did not change and cannot be
/// started is reported, no reason to reject the generation; nor is its unit touched if somebody
/// edited it, unless `mend`.
void converge(const Surroundings& world,
              const state::Generation& from,
              const state::Generation& to,
              const std::function<void()>& between,
              bool mend,
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
///
/// Returns what could not be taken back, or does not run as it did.
std::vector<std::string> go_back(Run& run,
                                 const state::Generation& from,
                                 const state::Generation& to,
                                 const Activity& activity);

/// Takes back everything before the commit point.
void undo(Run& run, const Activity& activity);

/// Whether a service of `to` has to be (re)started because it, or the module that it runs, differs
/// from what is in `from`.
bool service_changed(const state::Generation& from,
                     const state::Generation& to,
                     const state::ServiceInstance& service);

/// Adds to the operation how long `step` takes, also when it throws.
template <typename Step>
auto timed(Run& run, const char* name, Step&& step) {
  struct Timer {
    Run& run;
    const char* name;
    std::chrono::steady_clock::time_point begun = run.world.clock.steady_now();

    ~Timer() {
      const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
          run.world.clock.steady_now() - begun);
      run.operation.steps.push_back({name, spent.count()});
    }
  } timer{run, name};

  return step();
}

}  // namespace las::transaction
