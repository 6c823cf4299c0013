// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace las::hardware {

/// /proc/meminfo: "MemTotal:  24684084 kB" lines, in bytes.
std::map<std::string, ByteSize> parse_meminfo(std::string_view text);

/// HugePages_Total: the pages of the default size that are reserved.
std::optional<std::uint64_t> parse_huge_page_count(std::string_view text);

Memory read_memory(const platform::FileReader& files);

}  // namespace las::hardware
