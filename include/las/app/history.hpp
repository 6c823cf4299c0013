// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/plan/difference.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What was done, and taking one thing back.
namespace las::app {

/// The operation whose id is or begins with `id`. NotFound, or Usage when several do.
state::OperationRecord operation_named(Session& session, const std::string& id);

/// NotFound for a number that was never given out, or was collected.
state::Generation generation_numbered(Session& session, std::uint64_t number);

struct PreparedUndo {
  state::OperationRecord operation;
  plan::Undo undo;
  std::uint64_t base_generation = 0;
  std::vector<std::string> irreversible;  ///< what happens to data, translated
};

/// What taking one past operation back would make, all later ones kept. Unsatisfiable, with every
/// obstacle as cause, when later ones stand on it; NotFound when its generations were collected;
/// Usage when it made no other generation (a model, a collection).
PreparedUndo prepare_undo(Session& session, const std::string& id, const Activity& activity);
transaction::Result execute(Session& session,
                            const PreparedUndo& prepared,
                            const Activity& activity);

}  // namespace las::app
