// SPDX-License-Identifier: Apache-2.0
#include "signals.hpp"

#include "las/base/diagnostics.hpp"
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <array>
#include <csignal>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace las::service {

int signal_number(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, int>, 7> kStopSignals{{
      {"SIGTERM", SIGTERM},
      {"SIGINT", SIGINT},
      {"SIGQUIT", SIGQUIT},
      {"SIGHUP", SIGHUP},
      {"SIGUSR1", SIGUSR1},
      {"SIGUSR2", SIGUSR2},
      {"SIGKILL", SIGKILL},
  }};
  std::vector<std::string> names;
  for (const auto& [known, number] : kStopSignals) {
    if (known == name)
      return number;
    names.emplace_back(known);
  }
  Error error(ErrorKind::InvalidData, _("not a signal that stops a service"), std::string(name));
  if (const std::string near = nearest_name(name, names); !near.empty())
    error.hint(fmt::format(fmt::runtime(_("did you mean '{}'?")), near));
  throw error;
}

}  // namespace las::service
