// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "facts.hpp"

#include "las/policy/policy.hpp"

#include <string>

namespace las::policy {

/// One comparison as a trace shows it: "gpu.vram_total >= 24GB".
std::string spell(const Condition& comparison);

/// What is missing for `condition` to hold (`wanted`) or for it not to hold, on these facts, as
/// "needs compute capability 7.5 or newer; this machine has 6.1". Empty when nothing can be named.
std::string shortfall(const Condition& condition, bool wanted, const Facts& facts);

}  // namespace las::policy
