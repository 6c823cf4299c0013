// SPDX-License-Identifier: Apache-2.0
#include "sd_bus_message.hpp"

#include "las/base/i18n.hpp"

namespace las::platform {

namespace {

void require_composed(int result) {
  if (result < 0)
    throw system_error(-result, _("cannot compose a message to systemd"));
}

void require_read(int result) {
  if (result < 0)
    throw system_error(-result, _("cannot read the answer of systemd"));
}

// Reads the value of one property, standing at its variant.
int read_value(sd_bus_message* message, const std::string& name, PropertyMap& properties) {
  const char* contents = nullptr;
  int result = LibSystemd::get().message_peek_type(message, nullptr, &contents);
  if (result < 0)
    return result;
  const std::string type = contents != nullptr ? contents : "";
  if (type != "s" && type != "u" && type != "t" && type != "i")
    return LibSystemd::get().message_skip(message, "v");
  result = LibSystemd::get().message_enter_container(message, SD_BUS_TYPE_VARIANT, type.c_str());
  if (result < 0)
    return result;
  if (type == "s") {
    const char* text = nullptr;
    result = LibSystemd::get().message_read_basic(message, SD_BUS_TYPE_STRING, &text);
    if (result >= 0)
      properties.texts[name] = text;
  } else if (type == "u") {
    std::uint32_t number = 0;
    result = LibSystemd::get().message_read_basic(message, SD_BUS_TYPE_UINT32, &number);
    properties.unsigned_numbers[name] = number;
  } else if (type == "t") {
    std::uint64_t number = 0;
    result = LibSystemd::get().message_read_basic(message, SD_BUS_TYPE_UINT64, &number);
    properties.unsigned_numbers[name] = number;
  } else {
    std::int32_t number = 0;
    result = LibSystemd::get().message_read_basic(message, SD_BUS_TYPE_INT32, &number);
    properties.signed_numbers[name] = number;
  }
  return result < 0 ? result : LibSystemd::get().message_exit_container(message);
}

}  // namespace

Error BusError::to_error(int result, std::string message, std::string subject) const {
  // sd-bus dresses its own errno values up as remote errors.
  if (!LibSystemd::get().error_is_set(&error_) ||
      std::string_view(error_.name).starts_with("System.Error."))
    return system_error(-result, std::move(message), std::move(subject));
  const std::string_view name(error_.name);
  ErrorKind kind = ErrorKind::Io;
  if (name == "org.freedesktop.systemd1.NoSuchUnit" || name == SD_BUS_ERROR_FILE_NOT_FOUND)
    kind = ErrorKind::NotFound;
  else if (name == SD_BUS_ERROR_ACCESS_DENIED || name == SD_BUS_ERROR_AUTH_FAILED ||
           name == SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED ||
           name.starts_with("org.freedesktop.PolicyKit1.Error."))
    kind = ErrorKind::Permission;
  return Error(kind, std::move(message), std::move(subject))
      .cause(error_.message != nullptr ? error_.message : error_.name);
}

MessagePointer make_call(sd_bus* bus, const char* path, const char* interface, const char* method) {
  sd_bus_message* message = nullptr;
  require_composed(LibSystemd::get().message_new_method_call(
      bus, &message, kSystemdDestination, path, interface, method));
  return MessagePointer(message);
}

MessagePointer send_call(sd_bus* bus,
                         const MessagePointer& call,
                         std::uint64_t timeout_us,
                         std::string message,
                         std::string subject) {
  BusError error;
  sd_bus_message* reply = nullptr;
  const int result = LibSystemd::get().call(bus, call.get(), timeout_us, error.get(), &reply);
  if (result < 0)
    throw error.to_error(result, std::move(message), std::move(subject));
  return MessagePointer(reply);
}

void append_string(const MessagePointer& call, const std::string& text) {
  require_composed(
      LibSystemd::get().message_append_basic(call.get(), SD_BUS_TYPE_STRING, text.c_str()));
}

void append_boolean(const MessagePointer& call, bool value) {
  const int number = value ? 1 : 0;
  require_composed(
      LibSystemd::get().message_append_basic(call.get(), SD_BUS_TYPE_BOOLEAN, &number));
}

void append_strings(const MessagePointer& call, const std::vector<std::string>& texts) {
  require_composed(LibSystemd::get().message_open_container(call.get(), SD_BUS_TYPE_ARRAY, "s"));
  for (const std::string& text : texts)
    append_string(call, text);
  require_composed(LibSystemd::get().message_close_container(call.get()));
}

std::string read_path(const MessagePointer& reply) {
  const char* path = nullptr;
  require_read(LibSystemd::get().message_read_basic(reply.get(), SD_BUS_TYPE_OBJECT_PATH, &path));
  return path;
}

void read_properties(sd_bus_message* message, PropertyMap& properties) {
  require_read(LibSystemd::get().message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}"));
  while (true) {
    const int entered =
        LibSystemd::get().message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv");
    require_read(entered);
    if (entered == 0)
      break;
    const char* name = nullptr;
    require_read(LibSystemd::get().message_read_basic(message, SD_BUS_TYPE_STRING, &name));
    require_read(read_value(message, name, properties));
    require_read(LibSystemd::get().message_exit_container(message));
  }
  require_read(LibSystemd::get().message_exit_container(message));
}

}  // namespace las::platform
