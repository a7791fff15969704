// The devices known so far, and what changes when a new listing or event arrives.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
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
    /// Differs whenever the kernel made the device anew (the inode of its sysfs folder); 0: unknown.
    std::uint64_t instance = 0;
    friend bool operator==(const Device&, const Device&) = default;
  };
  using Listing = std::map<std::string, Device>;  // by kernel name ("vport1p1")

  /// A device that is there (now): `add` when new, `change` when anything differs or `changed` says so, else nothing. Another
  /// device under the same kernel name: `remove` and `add`.
  std::vector<core::DeviceEvent> seen(const std::string& kernel_name, Device device, bool changed = false);
  std::vector<core::DeviceEvent> removed(const std::string& kernel_name);
  /// The whole truth: additions, changes and removals against what was known. Ends an overrun.
  std::vector<core::DeviceEvent> listed(const Listing& present);

  /// Events were lost. Those still queued are older than the lost ones and would undo what the listing tells: nothing is
  /// believed until then.
  void overrun() { lost_ = true; }
  [[nodiscard]] bool needs_listing() const { return lost_; }

 private:
  std::vector<core::DeviceEvent> told(const std::string& kernel_name, Device device, bool changed);
  std::vector<core::DeviceEvent> forgotten(const std::string& kernel_name);

  Listing known_;
  bool lost_ = false;
};

/// The watched devices as sysfs shows them under `root`/sys.
[[nodiscard]] DeviceTable::Listing scan_sysfs(const std::string& root);

/// What a device of this kernel subsystem and driver is called in events; empty: not watched. vmclock is one of the misc
/// devices; vmgenid has no node of its own, it is an ACPI or platform device bound to that driver.
[[nodiscard]] std::string watched_as(std::string_view kernel_subsystem, std::string_view kernel_name, std::string_view driver);

/// The name of a device: sysfs clock_name for ptp, name for rtc and virtio-ports, the kernel's name for the others.
[[nodiscard]] std::string device_name(const std::string& subsystem, const std::string& kernel_name, const std::string& syspath);

/// The inode of a sysfs folder, 0 when it is not there (any more).
[[nodiscard]] std::uint64_t instance_of(const std::string& syspath);

/// What the monitor listens to.
inline constexpr const char* kKernelSubsystems[] = {"rtc", "virtio-ports", "ptp", "misc", "acpi", "platform"};

}  // namespace clockmend::os
