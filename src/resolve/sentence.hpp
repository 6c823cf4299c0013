// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <fmt/format.h>

namespace las::resolve {

/// A translated sentence with its values filled in.
template <typename... Values>
std::string sentence(const std::string& format, const Values&... values) {
  return fmt::format(fmt::runtime(format), values...);
}

}  // namespace las::resolve
