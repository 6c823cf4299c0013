// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <string>
#include <vector>

/// A user's exceptions to policies. They are records of this state (never of a policy file), hold
/// for every plan that is made for it, and are only added to: what was, stays readable.
namespace las::app {

enum class OverrideState { InForce, Expired, Reverted };
std::string_view to_string(OverrideState state);  ///< "in-force", "expired", "reverted"

struct OverrideView {
  std::string id;  ///< "ov-3"
  std::string capability, reason;
  std::string until;  ///< last day it holds ("2026-12-31"); "" = until it is reverted
  std::string added_at, added_by;
  std::string reverted_at, reverted_by;  ///< "" while it is not
  OverrideState state = OverrideState::InForce;
};

/// All there ever were, oldest first.
std::vector<OverrideView> overrides(Session& session);

/// Those that count now.
std::vector<policy::Override> overrides_in_force(Session& session);

struct OverrideRequest {
  std::string capability, reason;
  std::string until;  ///< "YYYY-MM-DD", counted in local time to the end of that day; "" = no end
};

struct AddedOverride {
  bool added = false;
  OverrideView view;    ///< the one that was added or that is there already; empty id: none needed
  std::string message;  ///< one sentence for a person
};

/// Records an override, unless it is not needed (the policy allows the capability here) or there
/// already. Errors: Usage (no reason, a date that is none or is over, another override of the
/// capability is in force), NotFound with a suggestion for a name that neither a rule nor the
/// catalog has. Takes the lock unless `only_check`.
AddedOverride add_override(Session& session,
                           const OverrideRequest& request,
                           bool only_check,
                           const Activity& activity);

/// Ends an override. NotFound for an unknown id; one that was reverted before stays as it is
/// (`changed` false). Takes the lock unless `only_check`.
struct RevertedOverride {
  bool changed = false;
  OverrideView view;
};

RevertedOverride revert_override(Session& session,
                                 const std::string& id,
                                 bool only_check,
                                 const Activity& activity);

/// Who acts: the user, and whoever called sudo: "root (sudo by anna)".
std::string actor(const state::OverrideEvent& event);

}  // namespace las::app
