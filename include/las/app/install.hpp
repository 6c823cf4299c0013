// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/plan/plan.hpp"
#include "las/resolve/inspect.hpp"
#include "las/resolve/resolve.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace las::app {

/// What to change, as typed.
struct ChangeRequest {
  std::vector<std::string> install;  ///< wishes: "name", "name=version", "name@range"
  std::vector<std::string> remove;
  std::vector<std::string> upgrade;  ///< installed modules to bring to their newest release
  bool upgrade_all = false;
  bool reinstall = false;           ///< fetch and unpack again what is installed already
  std::string variant, mode;        ///< for all installed wishes; "" = the best
  std::vector<std::string> prefer;  ///< of several providers of a capability, these
  resolve::Optionals optionals = resolve::Optionals::Keep;
  bool purge = false;           ///< the data and drop-ins of the services of what is removed, too
  bool keep_unhealthy = false;  ///< --no-rollback: see transaction::RunOptions
};

/// A plan to show before it is run.
struct PreparedPlan {
  plan::Plan plan;

  /// Per install action: where each source would come from, in order.
  struct SourceLine {
    std::string subject, kind, from, note;
  };

  std::vector<SourceLine> sources;

  /// What the plan does only because an override turned a policy's denial.
  struct OverrideLine {
    std::string subject;  ///< module of the action
    std::string capability, override_id, reason;
    std::string denial;  ///< what the policy says: "engine needs ...; this machine has ..."
  };

  std::vector<OverrideLine> overrides;
  /// Upgrades: what does not come to its newest release, and why.
  std::vector<resolve::Standing> kept_back;

  /// A folder of `plan.purge`, which is deleted for good.
  struct PurgeLine {
    enum class What { Data, Settings } what = What::Data;  ///< settings: a user's drop-ins
    std::string module, service;
    std::filesystem::path folder;
    ByteSize size;
  };

  std::vector<PurgeLine> purge;
  /// Translated: what a rollback would not bring back as it was, named before the question.
  std::vector<std::string> irreversible;
  bool keep_unhealthy = false;
  std::vector<std::string> notes;     ///< translated: what it will run under, what it cannot do
  std::uint64_t base_generation = 0;  ///< the generation the plan starts from
  /// What the user asked for changes although no module does (a dependency becomes a wish).
  bool only_world_changes = false;
};

/// What to do, or why it cannot be done.
struct ChangeOutcome {
  std::optional<PreparedPlan> prepared;
  std::optional<resolve::Explanation> explanation;  ///< exactly one of the two
};

/// Resolves and plans; changes nothing and needs no lock. Usage for a wish that is none; NotFound
/// when data are to be purged of something that is unknown.
ChangeOutcome plan_change(Session& session, const ChangeRequest& request, const Activity& activity);

/// The same; throws what resolve::to_error makes of an explanation.
PreparedPlan prepare_change(Session& session,
                            const ChangeRequest& request,
                            const Activity& activity);

enum class HoldWish { Hold, Unhold };

/// A plan that changes no module: from now on these installed modules are neither changed nor
/// removed, or are so again. NotFound, with the nearest name, for what is not installed.
PreparedPlan prepare_hold(Session& session,
                          const std::vector<std::string>& names,
                          HoldWish wish,
                          const Activity& activity);

/// Fills `overrides` of a plan.
void add_override_lines(Session& session, PreparedPlan& prepared, const Activity& activity);

/// What happens to the data of a service, as a sentence for the plan.
std::string describe(const state::DataMove& move);

/// Runs it (takes the lock). The plan is made for one generation: if another run changed the state
/// since, it is refused as Busy ("the state changed meanwhile").
transaction::Result execute(Session& session,
                            const PreparedPlan& prepared,
                            const Activity& activity);

/// A switch from the generation the user saw to `target`. The same number converges again: links,
/// units and services become what the records say. Busy when another run changed the state
/// meanwhile.
transaction::Result rollback(Session& session,
                             std::uint64_t base_generation,
                             std::uint64_t target,
                             const Activity& activity);

}  // namespace las::app
