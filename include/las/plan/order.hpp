// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

namespace las::plan {

/// The keys of `needs` in an order in which each comes after everything it needs; what is equal is
/// sorted by name. Needs that are no keys are ignored. A circle is entered at its first name.
std::vector<std::string> dependency_order(
    const std::map<std::string, std::vector<std::string>>& needs);

}  // namespace las::plan
