// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unit_file.hpp"

#include "las/service/unit.hpp"

#include <string>

/// What a service that starts on demand has beyond its own unit.
namespace las::service {

/// Adds to the service's [Service] section what it tells the proxy: that it is ready, and that it
/// crashed.
void add_readiness(UnitSection& section, const UnitInput& input);

/// Its port, which starts the proxy.
std::string render_socket(const UnitInput& input);

/// Starts the service and hands every connection on once that is ready. Without connections it
/// ends, and the service, which nobody needs any more, with it.
std::string render_proxy(const UnitInput& input);

/// Comes after both, whether the service could be started or not, and tells the proxy, unless the
/// service has told it.
std::string render_gate(const UnitInput& input);

}  // namespace las::service
