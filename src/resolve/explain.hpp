// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formulation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace las::resolve {

struct NoBuild {
  std::vector<Explanation::Reason> reasons;  ///< in reading order
  bool by_policy = false;                    ///< a policy decides it
  std::vector<std::string> denied;           ///< overrides of these would make a build possible
  std::string remedy = {};                   ///< what to type to lift one of the reasons
};

/// Why no build of `module` meets `demand`.
NoBuild why_no_build(const Module& module, const Demand& demand);

/// Faults of a request that show before solving: names nobody knows, wishes nothing fits.
std::optional<Explanation> explain_request(const Request& request, const Universe& universe);

/// A conflict between modules, as a chain from the request to what cannot be.
Explanation explain_clash(const Request& request,
                          const Universe& universe,
                          const Formulation& formulation,
                          const std::vector<Clash>& clashes);

/// Installed modules the user wants that need one of the modules to be removed.
Explanation explain_dependents(const Request& request, const Universe& universe);

/// A chain through a whole catalog is explained by its two ends.
void keep_both_ends(std::vector<Explanation::Reason>& reasons);

/// What could be tried instead, best first: "las install foo" without saying that it works.
std::vector<Wish> alternatives(const Request& request,
                               const Explanation& explanation,
                               const Universe& universe);

}  // namespace las::resolve
