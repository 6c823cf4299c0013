// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/version.hpp"

#include <optional>
#include <string_view>

namespace las::hardware {

/// The upstream part of a package's version in the text of /var/lib/dpkg/status
/// ("5:27.3.1-1~debian.12" gives 27.3.1); nothing unless it is installed.
std::optional<Version> installed_package(std::string_view status, std::string_view package);

}  // namespace las::hardware
