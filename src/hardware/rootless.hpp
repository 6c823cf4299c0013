// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

#include <cstdint>
#include <string_view>

namespace las::hardware {

/// Number of subordinate ids of a user in /etc/subuid or /etc/subgid (subuid(5)): lines
/// "NAME-OR-UID:FIRST:COUNT".
std::uint64_t count_subordinate_ids(std::string_view text,
                                    std::string_view user,
                                    std::uint32_t uid);

/// Whether a systemd user manager runs for this user: its private socket.
Fact<bool> read_systemd_user(const platform::FileReader& files,
                             const platform::Environment& environment);

/// What podman itself needs to run containers for an ordinary user: user namespaces, newuidmap, and
/// 65536 subordinate ids of each sort. Its origin names what decided. Not asked for root.
Fact<bool> read_podman_rootless(const platform::FileReader& files,
                                const platform::Environment& environment,
                                const platform::ProcessRunner& processes);

/// Whether a docker daemon of this user's own listens. Not asked for root.
Fact<bool> read_docker_rootless(const platform::FileReader& files,
                                const platform::Environment& environment);

}  // namespace las::hardware
