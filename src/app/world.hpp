// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/resolve/resolve.hpp"

namespace las::app {

/// What requests are resolved against on this machine; `present` and the session outlive it.
resolve::World world_of(Session& session,
                        const state::Generation& present,
                        const Activity& activity);

}  // namespace las::app
