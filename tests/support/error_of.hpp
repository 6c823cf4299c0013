// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"

#include <optional>

namespace las::test {

/// The Error that `body` throws, or nothing if it throws none.
template <typename Body>
std::optional<Error> error_of(Body&& body) {
  try {
    static_cast<void>(body());
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace las::test
