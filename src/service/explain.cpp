// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::service {

std::string describe_end(const ServiceStatus& status) {
  // 64 signals; beyond them lie systemd's own exit codes (systemd.exec(5), PROCESS EXIT CODES).
  constexpr int kSignalBase = 128, kLastSignal = 64;
  if (status.state == RunState::Absent)
    return _("is not installed");
  if (!status.exit_status)
    return status.state == RunState::Stopped ? _("is stopped") : _("ended by itself");
  const int exit_status = *status.exit_status;
  if (exit_status > kSignalBase && exit_status <= kSignalBase + kLastSignal)
    return fmt::format(fmt::runtime(_("was killed by signal {}")), exit_status - kSignalBase);
  return fmt::format(fmt::runtime(_("exited with status {}")), exit_status);
}

std::string with_last_lines(std::string reason,
                            Supervisor& supervisor,
                            const state::ServiceInstance& service) {
  std::vector<std::string> lines;
  try {
    lines = supervisor.logs(service, kQuotedLines);
  } catch (const Error& error) {
    return fmt::format(fmt::runtime(_("{}; its log cannot be read: {}")), reason, error.what());
  }
  if (lines.empty())
    return fmt::format(fmt::runtime(_("{}; its log is empty")), reason);
  return fmt::format(fmt::runtime(_("{}; its log ends: {}")), reason, text::join(lines, " | "));
}

}  // namespace las::service
