// What an RTC that went ahead tells, before it is overwritten.
#pragma once

#include "agent/core/offset.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/rtc.hpp"

namespace clockmend::core {

/// The model of the RTC's edge may be wrong by so much, steal time and trims included.
constexpr milliseconds kRtcModelMargin{100};
constexpr const char* kRtcWentAhead = "failed: the RTC went ahead before the write, by another pause or another writer";

/// RAW stands still with the machine and the RTC does not: RTC - RAW is less than this, unless the machine stood still.
/// `expected`: where the RTC lies against REALTIME.
[[nodiscard]] inline nanoseconds farthest_rtc(const OffsetInterval& expected, const ClockSnapshot& now) {
  return expected.high.value + kRtcModelMargin + realtime_minus_raw(now);
}

/// It may be all that tells of a pause, and must not be set back to a clock that is wrong again.
[[nodiscard]] inline bool rtc_went_ahead(const RtcSecond& read, nanoseconds farthest) {
  return read.utc - read.after.raw.time_since_epoch() >= farthest;
}

}  // namespace clockmend::core
