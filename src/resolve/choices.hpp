// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formulation.hpp"

#include <vector>

namespace las::resolve {

/// The chosen packages as a Resolution: without those nobody needs, each with its reason and why.
Resolution make_resolution(const Request& request,
                           const Universe& universe,
                           const Formulation& formulation,
                           const std::vector<std::size_t>& chosen);

}  // namespace las::resolve
