// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/document/node.hpp"
#include "las/policy/policy.hpp"

namespace las::policy {

/// The value of a `conditions:` key: a map whose entries must all hold, or a list of such maps. An
/// absent node always holds. Faults go to the node's diagnostics.
Condition parse_conditions(const document::Node& node);

}  // namespace las::policy
