// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string_view>

namespace las::hardware {

/// The version in the banner that every libc.so.6 carries:
/// "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36."
std::optional<Version> glibc_version_of_banner(std::string_view library);

/// `live`: the libc that this process runs on answers. Otherwise the library file of the tree.
Fact<Version> read_glibc(const platform::FileReader& files, bool live);

}  // namespace las::hardware
