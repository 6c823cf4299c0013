// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/fetch/fetch.hpp"
#include "las/plan/plan.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/layout.hpp"
#include "las/service/supervisor.hpp"
#include "las/source/source.hpp"
#include "las/state/store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// One run of a plan: everything as planned, or everything as it was. The seven steps are described
/// in ARCHITECTURE.md ("A transaction"); the caller holds the writer lock (step 1).
namespace las::transaction {

struct Surroundings {
  platform::FileSystem& files;
  platform::ProcessRunner& processes;
  platform::Clock& clock;
  const platform::Environment& environment;
  const platform::Layout& layout;
  state::StateStore& store;
  fetch::Fetcher& fetcher;
  service::Supervisor& supervisor;
  const std::map<std::string, std::unique_ptr<source::SourceKind>>& sources;
  const std::vector<std::unique_ptr<source::SystemStep>>& steps;
  std::string operation_id;  ///< of this run of las; one run makes one transaction
  /// Makes the instance of a service anew after its module changed (other store path, version).
  std::function<state::ServiceInstance(const state::ServiceInstance& old,
                                       const state::InstalledModule& module)>
      rebuild_service;
};

/// Who knows how to take back a change of that kind; nullptr for a kind that this las has not.
source::ExternalKind* external_kind(const Surroundings& world, const std::string& kind);

/// How a run differs from the usual.
struct RunOptions {
  bool keep_unhealthy = false;  ///< --no-rollback: a service that is not healthy stays
};

struct Result {
  std::string operation_id;
  std::uint64_t generation_before = 0, generation_after = 0;
};

struct Run;  // one unfinished transaction, private

class Transactor {
 public:
  explicit Transactor(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  /// Runs the plan. Throws what went wrong; before the commit point nothing visible has changed and
  /// everything staged is removed; after it (a service that does not become healthy, a Ctrl-C while
  /// waiting for it) the previous generation is converged to again and the Error says
  /// rolled_back().
  ///
  /// With keep_unhealthy the new generation stays: history says "unhealthy", and what was wrong is
  /// thrown without rolled_back(). Data that could not be purged is Io after everything else is
  /// done; history says "incomplete".
  Result run(const plan::Plan& plan,
             const std::string& command,
             const Activity& activity,
             const RunOptions& options = {});

  /// Makes an existing generation current: a switch, no solving, no download. NotFound for a number
  /// that does not exist; CorruptState when a payload it needs is gone.
  /// Unsatisfiable when data of a service has a format that the older release cannot read and there
  /// is no snapshot of it.
  Result switch_to(std::uint64_t generation, const std::string& command, const Activity& activity);

  /// Makes a generation that was put together from records (`las undo`) the next one: like
  /// switch_to(), but under a new number. `changes`: for history.
  Result adopt(state::Generation generation,
               const std::vector<std::string>& changes,
               const std::string& command,
               const Activity& activity);

  /// Makes the machine what the current generation says once more: links, its folder, units that
  /// were edited or taken away, services that ought to run. Payloads are not touched.
  void converge_again(const std::string& command, const Activity& activity);

  /// Finishes (after the commit point) or undoes (before it) what an interrupted run left. Returns
  /// what it did as a sentence, or nothing if there was nothing. Idempotent: may itself be killed.
  std::optional<std::string> recover(const Activity& activity);

 private:
  Surroundings surroundings_;
};

/// What running the plan, or switching to `target`, does with data of services whose format
/// changes; for the plan that is shown. Reads only. Unsatisfiable as in Transactor.
std::vector<state::DataMove> data_moves(const Surroundings& world,
                                        const state::Generation& present,
                                        const plan::Plan& plan);
std::vector<state::DataMove> data_moves(const Surroundings& world,
                                        const state::Generation& present,
                                        const state::Generation& target);

/// What was found of earlier runs of a service says nothing about the next one: before a start.
void forget_health(state::StateStore& store, const std::string& id);

/// The services of the generation, each after those of the modules that its own needs.
std::vector<const state::ServiceInstance*> in_start_order(const state::Generation& generation);

/// Whether every payload of the generation is in the store; the names of those missing.
std::vector<std::string> missing_payloads(const state::Generation& generation,
                                          const platform::FileReader& files,
                                          const platform::Layout& layout);

}  // namespace las::transaction
