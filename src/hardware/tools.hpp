// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/hardware/probe.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

namespace las::hardware {

/// Fills what programs there are: their versions (from dpkg's records, or by running `PROGRAM
/// --version`), what this user can do with them, and the toolkits on disk. Interrupted passes
/// through. `known` (may be nullptr) spares starting large programs that have not changed.
/// nvidia_driver, cuda_driver and level_zero come with the GPUs.
void read_tools(const platform::FileReader& files,
                const platform::Environment& environment,
                platform::ProcessRunner& processes,
                ProgramVersions* known,
                const Activity& activity,
                Tools& tools);

/// Of a captured tree: only what is on disk.
void captured_tools(const platform::FileReader& files, Tools& tools);

}  // namespace las::hardware
