// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string_view>

namespace las::hardware {

/// The "cuda" entry of a CUDA toolkit's version.json.
std::optional<Version> parse_cuda_version_json(std::string_view text);

/// CUDA_VERSION of a toolkit's cuda.h.
std::optional<Version> parse_cuda_header(std::string_view text);

/// Of /usr/local/cuda, or else the newest of /usr/local/cuda-*; toolkits before 11.1 have a
/// version.txt, and some have only their headers. No program is run.
Fact<Version> read_cuda_toolkit(const platform::FileReader& files);
/// Of /opt/rocm, or else the newest of /opt/rocm-*.
Fact<Version> read_rocm(const platform::FileReader& files);

}  // namespace las::hardware
