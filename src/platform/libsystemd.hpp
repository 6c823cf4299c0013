// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/shared_library.hpp"

#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>

namespace las::platform {

/// The functions of libsystemd that las needs, opened on first use: it brings seven libraries
/// along, a fifth of the time of a command that asks systemd nothing.
struct LibSystemd {
  decltype(&::sd_bus_open_system) open_system = nullptr;
  decltype(&::sd_bus_open_user) open_user = nullptr;
  decltype(&::sd_bus_new) new_bus = nullptr;
  decltype(&::sd_bus_set_address) set_address = nullptr;
  decltype(&::sd_bus_start) start = nullptr;
  decltype(&::sd_bus_is_bus_client) is_bus_client = nullptr;
  decltype(&::sd_bus_flush_close_unref) flush_close_unref = nullptr;
  decltype(&::sd_bus_call) call = nullptr;
  decltype(&::sd_bus_process) process = nullptr;
  decltype(&::sd_bus_wait) wait = nullptr;
  decltype(&::sd_bus_match_signal) match_signal = nullptr;
  decltype(&::sd_bus_slot_unref) slot_unref = nullptr;
  decltype(&::sd_bus_get_property_string) get_property_string = nullptr;
  decltype(&::sd_bus_error_free) error_free = nullptr;
  decltype(&::sd_bus_error_is_set) error_is_set = nullptr;
  decltype(&::sd_bus_message_new_method_call) message_new_method_call = nullptr;
  decltype(&::sd_bus_message_unref) message_unref = nullptr;
  decltype(&::sd_bus_message_append_basic) message_append_basic = nullptr;
  decltype(&::sd_bus_message_open_container) message_open_container = nullptr;
  decltype(&::sd_bus_message_close_container) message_close_container = nullptr;
  decltype(&::sd_bus_message_enter_container) message_enter_container = nullptr;
  decltype(&::sd_bus_message_exit_container) message_exit_container = nullptr;
  decltype(&::sd_bus_message_peek_type) message_peek_type = nullptr;
  decltype(&::sd_bus_message_read) message_read = nullptr;
  decltype(&::sd_bus_message_read_basic) message_read_basic = nullptr;
  decltype(&::sd_bus_message_skip) message_skip = nullptr;
  decltype(&::sd_journal_sendv) journal_sendv = nullptr;

  /// NotFound where the library is not.
  static const LibSystemd& get() {
    static const LibSystemd instance;
    return instance;
  }

 private:
  LibSystemd() {
    const SharedLibrary library{"libsystemd.so.0"};
    library.load(open_system, "sd_bus_open_system");
    library.load(open_user, "sd_bus_open_user");
    library.load(new_bus, "sd_bus_new");
    library.load(set_address, "sd_bus_set_address");
    library.load(start, "sd_bus_start");
    library.load(is_bus_client, "sd_bus_is_bus_client");
    library.load(flush_close_unref, "sd_bus_flush_close_unref");
    library.load(call, "sd_bus_call");
    library.load(process, "sd_bus_process");
    library.load(wait, "sd_bus_wait");
    library.load(match_signal, "sd_bus_match_signal");
    library.load(slot_unref, "sd_bus_slot_unref");
    library.load(get_property_string, "sd_bus_get_property_string");
    library.load(error_free, "sd_bus_error_free");
    library.load(error_is_set, "sd_bus_error_is_set");
    library.load(message_new_method_call, "sd_bus_message_new_method_call");
    library.load(message_unref, "sd_bus_message_unref");
    library.load(message_append_basic, "sd_bus_message_append_basic");
    library.load(message_open_container, "sd_bus_message_open_container");
    library.load(message_close_container, "sd_bus_message_close_container");
    library.load(message_enter_container, "sd_bus_message_enter_container");
    library.load(message_exit_container, "sd_bus_message_exit_container");
    library.load(message_peek_type, "sd_bus_message_peek_type");
    library.load(message_read, "sd_bus_message_read");
    library.load(message_read_basic, "sd_bus_message_read_basic");
    library.load(message_skip, "sd_bus_message_skip");
    library.load(journal_sendv, "sd_journal_sendv");
  }
};

}  // namespace las::platform
