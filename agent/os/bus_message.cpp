#include "agent/os/bus_message.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include "agent/os/errors.hpp"

namespace clockmend::os {
namespace {

core::ErrorCode code_of_bus_error(std::string_view name) {
  using core::ErrorCode;
  static constexpr std::pair<std::string_view, ErrorCode> kTable[] = {
      {"org.freedesktop.DBus.Error.AccessDenied", ErrorCode::not_permitted},
      {"org.freedesktop.DBus.Error.AuthFailed", ErrorCode::not_permitted},
      {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ErrorCode::not_permitted},
      {"org.freedesktop.PolicyKit1.Error.NotAuthorized", ErrorCode::not_permitted},
      {"org.freedesktop.systemd1.NoSuchUnit", ErrorCode::not_found},
      {"org.freedesktop.systemd1.UnitMasked", ErrorCode::invalid},
      {"org.freedesktop.systemd1.BadUnitSetting", ErrorCode::invalid},
      {"org.freedesktop.systemd1.LoadFailed", ErrorCode::invalid},
      {"org.freedesktop.DBus.Error.InvalidArgs", ErrorCode::invalid},
      {"org.freedesktop.DBus.Error.ServiceUnknown", ErrorCode::unavailable},
      {"org.freedesktop.DBus.Error.NameHasNoOwner", ErrorCode::unavailable},
      {"org.freedesktop.DBus.Error.Disconnected", ErrorCode::unavailable},
      {"org.freedesktop.DBus.Error.NoServer", ErrorCode::unavailable},
      {"org.freedesktop.DBus.Error.NoReply", ErrorCode::unavailable},
      {"org.freedesktop.systemd1.ShuttingDown", ErrorCode::unavailable},
      {"org.freedesktop.DBus.Error.Timeout", ErrorCode::timeout},
      {"System.Error.ETIMEDOUT", ErrorCode::timeout},
      {"System.Error.ECONNRESET", ErrorCode::unavailable},
      {"System.Error.ENOTCONN", ErrorCode::unavailable},
  };
  for (const auto& [known, code] : kTable) {
    if (name == known) return code;
  }
  return ErrorCode::io;
}

// -EBADMSG and the like: the other side does not speak as org.freedesktop.systemd1(5) says.
core::Error bad_reply(int rc) { return errno_error(-rc, "unexpected D-Bus reply"); }

int read_string_into(sd_bus_message* m, std::string& out) {
  const char* text = nullptr;
  int rc = ::sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "s");
  if (rc >= 0) rc = ::sd_bus_message_read(m, "s", &text);
  if (rc >= 0) rc = ::sd_bus_message_exit_container(m);
  if (rc >= 0 && text != nullptr) out = text;
  return rc;
}

int read_invocation_into(sd_bus_message* m, std::string& out) {
  const void* bytes = nullptr;
  std::size_t size = 0;
  int rc = ::sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "ay");
  if (rc >= 0) rc = ::sd_bus_message_read_array(m, SD_BUS_TYPE_BYTE, &bytes, &size);
  if (rc >= 0) rc = ::sd_bus_message_exit_container(m);
  if (rc < 0) return rc;
  out.clear();
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t byte = static_cast<const std::uint8_t*>(bytes)[i];
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 0xf];
  }
  return rc;
}

int read_property(sd_bus_message* m, std::string_view name, core::UnitState& state) {
  if (name == "Id") return read_string_into(m, state.id);
  if (name == "LoadState") return read_string_into(m, state.load_state);
  if (name == "ActiveState") return read_string_into(m, state.active_state);
  if (name == "SubState") return read_string_into(m, state.sub_state);
  if (name == "InvocationID") return read_invocation_into(m, state.invocation_id);
  return ::sd_bus_message_skip(m, "v");
}

}  // namespace

core::Status check_reply(sd_bus_message* reply, const std::string& what) {
  const sd_bus_error* error = ::sd_bus_message_get_error(reply);
  if (error == nullptr) return core::success();
  const std::string name = error->name == nullptr ? "" : error->name;
  const std::string text = error->message == nullptr ? name : error->message;
  return core::Error{code_of_bus_error(name), what + ": " + text};
}

core::Result<core::UnitState> read_unit_properties(sd_bus_message* reply) {
  core::UnitState state;
  int rc = ::sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sv}");
  while (rc >= 0 && (rc = ::sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
    const char* name = nullptr;
    rc = ::sd_bus_message_read(reply, "s", &name);
    if (rc >= 0) rc = read_property(reply, name, state);
    if (rc >= 0) rc = ::sd_bus_message_exit_container(reply);
  }
  if (rc < 0) return bad_reply(rc);
  return state;
}

core::Result<std::string> read_string_variant(sd_bus_message* reply) {
  std::string text;
  if (const int rc = read_string_into(reply, text); rc < 0) return bad_reply(rc);
  return text;
}

}  // namespace clockmend::os
