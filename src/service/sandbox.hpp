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

/// Who may reach it: systemd's filter of addresses. A socket needs one of its own: what comes in by
/// it belongs to the socket's control group, not to the service's (systemd.resource-control(5)).
void add_network_walls(UnitSection& section, const UnitInput& input);

/// Opens the device files of the GPUs that the service may use, and no others.
void add_gpu_doors(UnitSection& service, const UnitInput& input);

/// The capabilities that the container is given, "" if none: whoever makes or joins it needs them,
/// too.
std::string capabilities_of(const state::ContainerRun& container);

/// Adds what confines a container engine's own processes: what is left when an engine has to make
/// namespaces, mounts and networks. The program in the container has its own walls, given by the
/// engine (the container's options). Nothing here makes a mount namespace: with one, each stop
/// would leave a network namespace and its address translation behind (seen with podman 4.3).
void add_container_walls(UnitSection& service, const UnitInput& input);

/// Adds what confines the client of an engine whose daemon runs the container: it only speaks to a
/// socket. What confines the container is the engine's, and its slice's.
void add_client_walls(UnitSection& service, const UnitInput& input);

}  // namespace las::service
