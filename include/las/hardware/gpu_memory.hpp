// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <optional>
#include <set>

namespace las::hardware {

/// GPU memory that these processes hold together, on GPUs of these vendors. Nothing where no driver
/// tells. Sources: NVML for NVIDIA, which is waited for 2 s at most; for the others what DRM's
/// drivers write into /proc/<pid>/fdinfo (Linux, Documentation/gpu/drm-usage-stats.rst), readable
/// for root and the process's user.
std::optional<ByteSize> gpu_memory(const platform::FileReader& files,
                                   const std::set<std::uint32_t>& pids,
                                   const std::set<GpuVendor>& vendors);

}  // namespace las::hardware
