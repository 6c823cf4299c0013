// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace las::platform {

/// What the process was started with. Taken once in main; a plain value, so tests make their own.
struct Environment {
  std::map<std::string, std::string> variables;
  std::uint32_t uid = 0;
  std::string user;  ///< login name, or the number when there is none
  std::string home;
  std::string host_name;
  std::string boot_id;     ///< /proc/sys/kernel/random/boot_id
  std::string executable;  ///< absolute path of the running las

  std::optional<std::string> get(const std::string& name) const {
    const auto found = variables.find(name);
    if (found == variables.end() || found->second.empty())
      return std::nullopt;
    return found->second;
  }
};

Environment read_environment();

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  virtual std::chrono::system_clock::time_point now() const = 0;
  virtual std::chrono::steady_clock::time_point steady_now() const = 0;
  /// Waits; a fake advances itself instead.
  virtual void wait(std::chrono::milliseconds duration) = 0;
};

std::unique_ptr<Clock> make_system_clock();

/// "2026-11-23T15:04:05Z"
std::string to_iso8601(std::chrono::system_clock::time_point time);
std::optional<std::chrono::system_clock::time_point> from_iso8601(const std::string& text);

/// The instant at which the day "2026-11-23" ends in the local time of this process (TZ), or the
/// clock's last one (in 2262); nothing for what is no date of the calendar.
std::optional<std::chrono::system_clock::time_point> end_of_local_day(const std::string& date);

/// A random identifier, time-ordered to the microsecond: "20261123T150405.012345-1a2b".
std::string make_operation_id(std::chrono::system_clock::time_point now);

}  // namespace las::platform
