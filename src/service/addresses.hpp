// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace las::service {

/// Whether an address to listen on can only be reached from this machine.
bool is_loopback(std::string_view host);
/// The address under which a listener on `host` is reached from this machine ("0.0.0.0" is not one
/// to connect to), as it stands in a URL.
std::string probe_host(std::string_view host);

}  // namespace las::service
