// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unit_file.hpp"

#include "las/service/unit.hpp"

namespace las::service {

/// Adds what confines the service to its [Service] section: everything shut that no engine needs
/// (systemd.exec(5), SANDBOXING), then the doors of `needs_open`, each under its reason.
///
/// User managers have no privileges to make mounts, dynamic users or network filters with; in user
/// scope only what works by seccomp and rlimits is used, and a door in a wall that is not there is
/// left out. InvalidData, with a suggestion, for a door that is not one of the sandbox.
void add_sandbox(UnitSection& service, const UnitInput& input);

}  // namespace las::service
