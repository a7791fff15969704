// The RTC's second by sysfs: one pread of a file that stays open, where /dev/rtcN must be opened for each use.
#pragma once

#include <linux/rtc.h>

#include <string>

#include "agent/core/result.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// /sys/class/rtc/rtcN/since_epoch (drivers/rtc/sysfs.c): the same rtc_read_time() as RTC_RD_TIME, but it holds nobody off, so
/// hwclock(8) finds the device free. Four system calls less per second that is watched.
class RtcSinceEpoch {
 public:
  /// Missing where the kernel was built without RTC_INTF_SYSFS: then is_open() stays false.
  void open(const std::string& root, const std::string& name);
  void close() { fd_ = UniqueFd{}; }
  [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
  /// The device's own fields, not yet judged. not_found when the device is gone.
  [[nodiscard]] core::Result<rtc_time> read() const;

 private:
  UniqueFd fd_;
  std::string path_;
};

}  // namespace clockmend::os
