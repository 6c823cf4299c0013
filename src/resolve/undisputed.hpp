// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "solver.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace las::resolve {

/// What a search leads to when no two of its decisions are at odds. Each demand takes its best
/// package; where all of these go together, a search never has to go back and finds the same,
/// because whatever it has decided agrees with them. Nothing is found here, and a search is needed,
/// where a demand leaves a choice among names, where something may be given up, and where two
/// demands disagree about a module. Packages, ascending; in time linear in what the demands name.
std::optional<std::vector<std::size_t>> find_undisputed(const Problem& problem);

}  // namespace las::resolve
