// The devices known so far, and what changes when a new listing or event arrives.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/core/ports/watches.hpp"

namespace clockmend::os {

/// Pure bookkeeping: events are idempotent, so a device seen by both the first listing and the monitor is reported once, and a
/// listing after an overrun yields exactly what was missed.
class DeviceTable {
 public:
  struct Device {
    std::string subsystem;
    std::string devnode;
    std::string name;
    friend bool operator==(const Device&, const Device&) = default;
  };
  using Listing = std::map<std::string, Device>;  // by kernel name ("vport1p1")

  /// A device that is there (now): `add` when new, `change` when anything differs or `changed` says so, else nothing.
  std::vector<core::DeviceEvent> seen(const std::string& kernel_name, Device device, bool changed = false);
  std::vector<core::DeviceEvent> removed(const std::string& kernel_name);
  /// The whole truth: additions, changes and removals against what was known.
  std::vector<core::DeviceEvent> listed(const Listing& present);

 private:
  Listing known_;
};

/// The devices of the watched subsystems as sysfs shows them under `root`/sys/class.
[[nodiscard]] DeviceTable::Listing scan_sysfs(const std::string& root);

/// The sysfs attribute that names a device of this subsystem: clock_name for ptp, name otherwise.
[[nodiscard]] const char* name_attribute(const std::string& subsystem);

inline constexpr const char* kWatchedSubsystems[] = {"rtc", "virtio-ports", "ptp"};

}  // namespace clockmend::os
