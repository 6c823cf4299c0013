// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/hardware/profile.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

namespace las::hardware {

/// Fills systemd_running, and by running `PROGRAM --version` the versions of systemd, podman,
/// docker and python. Interrupted passes through.
void read_tools(const platform::FileReader& files,
                const platform::Environment& environment,
                platform::ProcessRunner& processes,
                const Activity& activity,
                Tools& tools);

/// Of a captured tree: no program is run.
void captured_tools(const platform::FileReader& files, Tools& tools);

}  // namespace las::hardware
