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
  platform::Clock& clock;
  const platform::Environment& environment;
  const platform::Layout& layout;
  state::StateStore& store;
  fetch::Fetcher& fetcher;
  service::Supervisor& supervisor;
  const std::map<std::string, std::unique_ptr<source::SourceKind>>& sources;
  std::string operation_id;  ///< of this run of las; one run makes one transaction
  /// Makes the instance of a service anew after its module changed (other store path, version).
  std::function<state::ServiceInstance(const state::ServiceInstance& old,
                                       const state::InstalledModule& module)>
      rebuild_service;
};

struct Result {
  std::string operation_id;
  std::uint64_t generation_before = 0, generation_after = 0;
};

class Transactor {
 public:
  explicit Transactor(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  /// Runs the plan. Throws what went wrong; before the commit point nothing visible has changed and
  /// everything staged is removed; after it (a service that does not become healthy, a Ctrl-C while
  /// waiting for it) the previous generation is converged to again and the Error says
  /// rolled_back().
  Result run(const plan::Plan& plan, const std::string& command, const Activity& activity);

  /// Makes an existing generation current: a switch, no solving, no download. NotFound for a number
  /// that does not exist; CorruptState when a payload it needs is gone.
  Result switch_to(std::uint64_t generation, const std::string& command, const Activity& activity);

  /// Finishes (after the commit point) or undoes (before it) what an interrupted run left. Returns
  /// what it did as a sentence, or nothing if there was nothing. Idempotent: may itself be killed.
  std::optional<std::string> recover(const Activity& activity);

 private:
  Surroundings surroundings_;
};

/// Whether every payload of the generation is in the store; the names of those missing.
std::vector<std::string> missing_payloads(const state::Generation& generation,
                                          const platform::FileReader& files,
                                          const platform::Layout& layout);

}  // namespace las::transaction
