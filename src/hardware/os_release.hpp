// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <map>
#include <string>
#include <string_view>

namespace las::hardware {

/// os-release(5): KEY=value lines with shell quoting; lines that are not are skipped.
std::map<std::string, std::string> parse_os_release(std::string_view text);

/// Fills id, version, codename and pretty_name.
void read_os_release(const platform::FileReader& files, OperatingSystem& os);

}  // namespace las::hardware
