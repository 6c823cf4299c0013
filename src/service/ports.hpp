// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/state/records.hpp"

namespace las::service {

/// Busy when something else listens on the service's port: started all the same it would fail later
/// and with less clear words, or, worse, somebody else's answer would pass for its health.
void require_port_free(const state::ServiceInstance& service);

}  // namespace las::service
