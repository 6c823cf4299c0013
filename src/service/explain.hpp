// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/service/supervisor.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace las::service {

/// How many lines of its log a failure quotes.
inline constexpr std::size_t kQuotedLines = 5;

/// "exited with status 3", "is stopped": the end of a service in one clause.
std::string describe_end(const ServiceStatus& status);

/// `reason`, then the last lines of the service's log, all on one line. A log that cannot be read
/// does not hide the reason.
std::string with_last_lines(std::string reason,
                            Supervisor& supervisor,
                            const state::ServiceInstance& service);

}  // namespace las::service
