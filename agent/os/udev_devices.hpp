// Devices coming and going: libudev's monitor, and sysfs where there is no udev.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "agent/core/ports/watches.hpp"

namespace clockmend::os {

/// Watches the subsystems rtc, virtio-ports and ptp, vmclock among the misc devices, and the device of the driver vmgenid. A
/// virtio port gets its name from the host only after it was added: it is reported as `add` without a name, and as `change` once
/// the name is known. A device that went and came back between two listings is reported as `remove` and `add`.
class UdevDevices final : public core::DeviceSource {
 public:
  /// `root` is the prefix before /sys and /run (tests); with a prefix there is no monitor, just the scan.
  explicit UdevDevices(asio::io_context& io, std::string root = {});
  UdevDevices(const UdevDevices&) = delete;
  UdevDevices& operator=(const UdevDevices&) = delete;
  ~UdevDevices() override;

  /// Without a monitor the devices present are still reported once, and the error says so.
  core::Status start(std::function<void(const core::DeviceEvent&)> on_event) override;
  /// How often everything was listed: once after start, and after each overrun of the monitor's buffer.
  [[nodiscard]] unsigned listings() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace clockmend::os
