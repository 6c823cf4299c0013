// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace las::service {

/// SIGTERM for "SIGTERM". InvalidData for a name that cannot stop a service.
int signal_number(std::string_view name);

}  // namespace las::service
