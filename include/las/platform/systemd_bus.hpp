// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/layout.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace las::platform {

/// What systemd says about a unit (org.freedesktop.systemd1.Unit and .Service properties).
struct UnitProperties {
  std::string load_state;    ///< "loaded", "not-found" ...
  std::string active_state;  ///< "active", "activating", "deactivating", "inactive", "failed"
  std::string sub_state;     ///< "running", "dead" ...
  std::string result;        ///< "success", "exit-code", "oom-kill" ...
  std::string fragment_path;
  std::string unit_file_state;  ///< "enabled", "disabled", "" ...
  std::uint32_t main_pid = 0;
  std::int32_t exec_main_status = 0;
  std::uint32_t restarts = 0;
  std::uint64_t active_since_us = 0;  ///< wall clock, microseconds since the epoch; 0 if never
  std::optional<std::uint64_t> memory_current, cpu_usage_ns;
};

/// systemd's manager over D-Bus (sd-bus). Errors: Io with systemd's own words, Permission for
/// polkit's refusal, NotFound for a unit it does not know.
class SystemdBus {
 public:
  SystemdBus() = default;
  SystemdBus(const SystemdBus&) = delete;
  SystemdBus& operator=(const SystemdBus&) = delete;
  virtual ~SystemdBus() = default;

  virtual void reload() = 0;  ///< daemon-reload
  /// Queues the job and waits for its result; "done" returns, anything else ("failed", "timeout",
  /// "dependency" ...) is Io with that word as cause.
  virtual void start(const std::string& unit, const Activity& activity) = 0;
  virtual void stop(const std::string& unit, const Activity& activity) = 0;
  virtual void restart(const std::string& unit, const Activity& activity) = 0;
  virtual void enable(const std::vector<std::string>& units) = 0;
  virtual void disable(const std::vector<std::string>& units) = 0;
  virtual void reset_failed(const std::string& unit) = 0;
  virtual UnitProperties properties(const std::string& unit) = 0;
  /// "252.39-1~deb12u2"
  virtual std::string version() = 0;
};

/// The bus of the running system or user manager; nothing where no systemd runs as such
/// (/run/systemd/system absent, or no user bus).
std::unique_ptr<SystemdBus> connect_systemd(Scope scope);

/// Whether the user's manager, and with it his services, runs from boot on and goes on after he
/// logged out: loginctl(1), enable-linger.
bool lingers(const FileReader& files, const Environment& environment);

}  // namespace las::platform
