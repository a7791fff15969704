#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// One reading of a PTP hardware clock between two readings of CLOCK_REALTIME (linux/ptp_clock.h,
/// PTP_SYS_OFFSET_EXTENDED): the tightest of several brackets.
struct PhcReading {
  nanoseconds phc{};      // since 1970 on the device's own time scale (UTC or TAI)
  ClockSnapshot at;       // the clocks in the middle of the bracket; `at.realtime` belongs to `phc`
  nanoseconds bracket{};  // width of the tightest one
  unsigned samples = 0;   // how many brackets there were; 0: the hardware's own cross timestamp (PTP_SYS_OFFSET_PRECISE)
};

struct PhcDevice {
  std::string node;        // "/dev/ptp0"; numbers change from boot to boot
  std::string clock_name;  // sysfs clock_name: what it is
};

class Phc {
 public:
  virtual ~Phc() = default;
  /// One ioctl and four clock readings, in steady state. not_found when the device is gone (ENODEV), invalid when it tells no
  /// time, else what the kernel reported.
  virtual Result<PhcReading> read() = 0;
};

class PhcCatalogue {
 public:
  virtual ~PhcCatalogue() = default;
  /// All clocks the kernel has, in no particular order.
  virtual std::vector<PhcDevice> list() = 0;
  /// not_found too when the node meanwhile belongs to another clock than `device` says.
  virtual Result<std::unique_ptr<Phc>> open(const PhcDevice& device) = 0;
};

}  // namespace clockmend::core
