// SPDX-License-Identifier: Apache-2.0
#include "ports.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/net.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {

std::uint16_t choose_port(std::uint16_t first,
                          std::uint16_t last,
                          const std::vector<state::PortLease>& leases) {
  // Counted in 32 bits, so that a range that ends at 65535 ends.
  for (std::uint32_t candidate = first; candidate <= last; ++candidate) {
    const auto port = static_cast<std::uint16_t>(candidate);
    const bool leased = std::any_of(
        leases.begin(), leases.end(), [&](const auto& lease) { return lease.port == port; });
    if (port != 0 && !leased && platform::port_is_free(port))
      return port;
  }
  throw Error(ErrorKind::Busy, _("no free port is left"), fmt::format("{}-{}", first, last))
      .hint(_("stop a service, or widen the range of ports in the configuration"));
}

void require_port_free(const state::ServiceInstance& service) {
  if (service.port == 0 || platform::port_is_free(service.port))
    return;
  throw Error(ErrorKind::Busy,
              fmt::format(fmt::runtime(_("port {} is already in use")), service.port),
              service.id)
      .hint(fmt::format("ss -ltnp 'sport = :{}'", service.port));
}

}  // namespace las::service
