// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace las::hardware {

/// "Linux version 6.1.0-18-amd64 (debian-kernel@...) ..." gives "6.1.0-18-amd64".
std::optional<std::string> parse_proc_version(std::string_view text);
/// The architecture that a /proc/cpuinfo shows, for trees captured before Linux 6.1 had
/// /proc/sys/kernel/arch.
std::optional<std::string> architecture_of_cpuinfo(std::string_view cpuinfo);

Fact<std::string> read_kernel(const platform::FileReader& files);
/// `live`: uname(2) may answer.
Fact<std::string> read_architecture(const platform::FileReader& files, bool live);

}  // namespace las::hardware
