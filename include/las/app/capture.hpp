// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <cstddef>
#include <filesystem>

namespace las::app {

struct CaptureResult {
  hardware::HardwareProfile profile;  ///< of this machine, nothing left out
  std::size_t entries = 0;            ///< in the archive
};

/// Writes what a probe of this machine (or of --sysroot) reads into the tar archive `file`, without
/// what would tell whose machine it is: see hardware::capture. Usage together with --hardware.
CaptureResult capture(Session& session,
                      const std::filesystem::path& file,
                      const Activity& activity);

}  // namespace las::app
