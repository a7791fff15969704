#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// Calls back whenever anybody sets CLOCK_REALTIME (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET), us included.
class ClockSetWatch {
 public:
  virtual ~ClockSetWatch() = default;
  virtual Status start(std::function<void()> on_set) = 0;
};

enum class DeviceAction { add, remove, change };

struct DeviceEvent {
  DeviceAction action = DeviceAction::add;
  std::string subsystem;  // rtc | virtio-ports | ptp | vmclock | vmgenid
  std::string devnode;    // "/dev/rtc0"; may be empty on remove; vmgenid has none
  std::string name;       // the port name, the RTC driver, the PTP clock_name, else the kernel's name
};

/// Devices that come and go (udev). Present ones are reported as `add` once after start.
class DeviceSource {
 public:
  virtual ~DeviceSource() = default;
  virtual Status start(std::function<void(const DeviceEvent&)> on_event) = 0;
};

}  // namespace clockmend::core
