// The real-time clock through /dev/rtcN (rtc(4)).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/rtc.hpp"
#include "agent/os/rtc_mode_file.hpp"
#include "agent/os/rtc_since_epoch.hpp"

namespace clockmend::os {

struct RtcPlace {
  std::string root;    // prefix before /dev, /sys and /etc
  std::string device;  // empty: /dev/rtc, else the first /dev/rtcN that answers
};

/// Read by sysfs where the kernel has it. The device itself is opened for each use and closed again: the kernel lets one process
/// at a time hold an RTC, and hwclock(8) must find it free; a device that was unplugged and came back is found again.
class LinuxRtc final : public core::Rtc {
 public:
  LinuxRtc(RtcPlace place, core::ClockReader& clocks);

  core::Result<core::RtcSecond> read() override;
  core::Status write(core::seconds utc) override;
  [[nodiscard]] core::milliseconds first_edge_after_write() const override;
  [[nodiscard]] core::RtcMode mode() const override;
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] bool present() const override;

 private:
  struct Device {
    std::string node;    // "/dev/rtc0", without the root
    std::string driver;  // "rtc_cmos 00:04", empty if sysfs does not say
  };
  core::Result<core::RtcSecond> read_device(const std::string& node);
  core::Result<core::RtcSecond> read_sysfs();
  core::Result<core::RtcSecond> judged(core::RtcSecond second, const rtc_time& value);
  [[nodiscard]] std::string name_of(const std::string& node) const;
  [[nodiscard]] std::vector<std::string> candidates() const;
  [[nodiscard]] Device identify(const std::string& node) const;
  [[nodiscard]] std::optional<Device> current() const;

  RtcPlace place_;
  core::ClockReader& clocks_;
  RtcModeFile mode_file_;
  std::optional<Device> device_;  // the one that answered last
  RtcSinceEpoch since_epoch_;     // its file in sysfs
  core::RtcMode known_mode_ = core::RtcMode::utc;
  unsigned reads_ = 0;
};

}  // namespace clockmend::os
