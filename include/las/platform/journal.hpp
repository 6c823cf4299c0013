// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace las::platform {

/// Whether journald listens on this machine.
bool journal_available();

/// Sends one record natively (fields in capitals; MESSAGE and PRIORITY 0-7 among them). Failure is
/// ignored: logging never fails a command.
void send_to_journal(const std::map<std::string, std::string>& fields) noexcept;

}  // namespace las::platform
