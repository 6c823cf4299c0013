// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libsystemd.hpp"

#include "las/base/error.hpp"
#include "las/platform/systemd_bus.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace las::platform {

constexpr const char* kSystemdDestination = "org.freedesktop.systemd1";

struct CloseBus {
  void operator()(sd_bus* bus) const { LibSystemd::get().flush_close_unref(bus); }
};

using BusPointer = std::unique_ptr<sd_bus, CloseBus>;

struct FreeMessage {
  void operator()(sd_bus_message* message) const { LibSystemd::get().message_unref(message); }
};

using MessagePointer = std::unique_ptr<sd_bus_message, FreeMessage>;

class BusError {
 public:
  BusError() = default;
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;

  ~BusError() { LibSystemd::get().error_free(&error_); }

  sd_bus_error* get() { return &error_; }

  /// The Error for a failed call (negative errno `result`).
  Error to_error(int result, std::string message, std::string subject) const;

 private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

MessagePointer make_call(sd_bus* bus, const char* path, const char* interface, const char* method);
void append_string(const MessagePointer& call, const std::string& text);
void append_boolean(const MessagePointer& call, bool value);
void append_strings(const MessagePointer& call, const std::vector<std::string>& texts);

/// Sends `call` and waits for the answer; the other side's refusal becomes an Error of `message`
/// and `subject`. `timeout_us` 0: sd-bus's own.
MessagePointer send_call(sd_bus* bus,
                         const MessagePointer& call,
                         std::uint64_t timeout_us,
                         std::string message,
                         std::string subject);

/// The object path that `reply` holds first.
std::string read_path(const MessagePointer& reply);

/// The basic values of an a{sv}, by name. Those of other types are left out.
struct PropertyMap {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::uint64_t> unsigned_numbers;
  std::map<std::string, std::int64_t> signed_numbers;

  std::string text(const std::string& name) const {
    const auto found = texts.find(name);
    return found != texts.end() ? found->second : "";
  }

  std::uint64_t number(const std::string& name) const {
    const auto found = unsigned_numbers.find(name);
    return found != unsigned_numbers.end() ? found->second : 0;
  }

  /// systemd says "unknown" with the largest number.
  std::optional<std::uint64_t> measure(const std::string& name) const {
    const auto found = unsigned_numbers.find(name);
    if (found == unsigned_numbers.end() || found->second == UINT64_MAX)
      return std::nullopt;
    return found->second;
  }
};

/// Adds the a{sv} that `message` holds first.
void read_properties(sd_bus_message* message, PropertyMap& properties);

/// The interface on a connection that stands; tests put a stand-in on its other end.
std::unique_ptr<SystemdBus> make_systemd_bus(BusPointer bus);

}  // namespace las::platform
