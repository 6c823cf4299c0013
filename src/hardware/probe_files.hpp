// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/probe.hpp"
#include "las/platform/file_system.hpp"

namespace las::hardware {

/// probe() with its reader given, and without the facts that a capture recorded. Without `topology`
/// hwloc, which opens files by itself, is not called.
HardwareProfile probe_files(const platform::FileReader& files,
                            const platform::Environment& environment,
                            platform::ProcessRunner& processes,
                            const ProbeOptions& options,
                            const Activity& activity,
                            bool topology = true);

/// This machine, or options.sysroot.
std::unique_ptr<platform::FileReader> make_reader(const ProbeOptions& options);

}  // namespace las::hardware
