// SPDX-License-Identifier: Apache-2.0
#include "addresses.hpp"

namespace las::service {

bool is_loopback(std::string_view host) {
  return host.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string probe_host(std::string_view host) {
  if (host.empty() || host == "0.0.0.0" || host == "localhost")
    return "127.0.0.1";
  if (host == "::")
    return "[::1]";
  if (host.find(':') != std::string_view::npos)
    return "[" + std::string(host) + "]";
  return std::string(host);
}

}  // namespace las::service
