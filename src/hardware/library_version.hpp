// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <string>

namespace las::hardware {

/// The version in the name of the file that a library's soname leads to: libnvidia-ml.so.1, a link
/// to libnvidia-ml.so.580.65.06, gives 580.65.06. The library is not opened.
Fact<Version> read_library_version(const platform::FileReader& files, const std::string& soname);

}  // namespace las::hardware
