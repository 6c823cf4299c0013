// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/install.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// What the use cases that change modules share.
namespace las::app {

state::Generation current_generation(Session& session);

/// What the user agreed to was made for one generation: Busy when it is no longer the current one.
/// Needs the writer lock to mean anything.
void check_base(Session& session, std::uint64_t generation);

/// Modules to get anew although they are installed in the wanted version.
/// By name, with the reason, translated.
using Reinstallations = std::map<std::string, std::string>;

/// The version of an installed module's packages that its distribution has now, where that is
/// another than what is installed; "" otherwise.
std::string newer_build(Session& session,
                        const state::InstalledModule& installed,
                        const Activity& activity);

/// The plan of a resolution, with the sources that are for this machine and without the services of
/// modules that leave. describe_plan() is still to come.
PreparedPlan plan_resolution(Session& session,
                             const state::Generation& present,
                             const resolve::Request& request,
                             const resolve::Resolution& resolution,
                             const Reinstallations& anew,
                             const Activity& activity);

/// Says where the plan's sources would come from and which overrides it rests on.
void describe_plan(Session& session, PreparedPlan& prepared, const Activity& activity);

}  // namespace las::app
