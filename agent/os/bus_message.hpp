// Reading D-Bus replies: errors and the properties of a systemd unit.
#pragma once

#include <systemd/sd-bus.h>

#include <memory>
#include <string>

#include "agent/core/ports/service_manager.hpp"
#include "agent/core/result.hpp"

namespace clockmend::os {

struct SlotUnref {
  void operator()(sd_bus_slot* s) const { ::sd_bus_slot_unref(s); }
};
/// Destroying it cancels the pending reply or the match: no callback after that.
using SlotPtr = std::unique_ptr<sd_bus_slot, SlotUnref>;

/// Success if `reply` is no error; else a code the caller can act on: not_permitted (bus policy or polkit), not_found (no
/// such unit), invalid (masked, bad name), unavailable (nobody there), timeout, io. `what` begins the text.
[[nodiscard]] core::Status check_reply(sd_bus_message* reply, const std::string& what);

/// From the a{sv} of Properties.GetAll on org.freedesktop.systemd1.Unit; unknown properties are skipped.
[[nodiscard]] core::Result<core::UnitState> read_unit_properties(sd_bus_message* reply);

/// From the v of Properties.Get, for a string property.
[[nodiscard]] core::Result<std::string> read_string_variant(sd_bus_message* reply);

}  // namespace clockmend::os
