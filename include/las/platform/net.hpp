// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace las::platform {

/// Whether a TCP listener could bind `port` on the loopback addresses right now (tried for real,
/// with SO_REUSEADDR, on 127.0.0.1 and, where IPv6 exists, ::1). A race remains until the service
/// binds.
bool port_is_free(std::uint16_t port);

/// Whether something accepts TCP connections on 127.0.0.1:port.
bool port_accepts(std::uint16_t port);

}  // namespace las::platform
