#pragma once

#include <string>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// One RTC_RD_TIME: the RTC's whole second, and the clocks right before and right after the ioctl. An edge may have
/// fallen inside that bracket; the reader of the value must allow for it.
struct RtcSecond {
  seconds utc{};  // as UTC since 1970; converted from local time where the RTC runs in local time
  ClockSnapshot before;
  ClockSnapshot after;
};

enum class RtcMode { utc, local };

class Rtc {
 public:
  virtual ~Rtc() = default;
  /// not_found without a device, invalid for nonsense (1970, 2099, not a date), io otherwise.
  virtual Result<RtcSecond> read() = 0;
  /// Writes the whole second `utc` (RTC_SET_TIME); the caller chooses the moment. Needs CAP_SYS_TIME.
  virtual Status write(seconds utc) = 0;
  /// How long after a write of second S the device shows S+1: 500 ms for rtc-cmos (and QEMU's), else about 1 s.
  [[nodiscard]] virtual milliseconds first_edge_after_write() const = 0;
  /// From line 3 of /etc/adjtime; UTC where it is missing.
  [[nodiscard]] virtual RtcMode mode() const = 0;
  /// "/dev/rtc0 (rtc_cmos)", or why there is none.
  [[nodiscard]] virtual std::string describe() const = 0;
  [[nodiscard]] virtual bool present() const = 0;
};

}  // namespace clockmend::core
