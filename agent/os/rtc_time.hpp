// The RTC's broken-down time <-> seconds since 1970, UTC or in the zone of the machine.
#pragma once

#include <linux/rtc.h>

#include <ctime>

#include "agent/core/ports/rtc.hpp"
#include "agent/core/result.hpp"

namespace clockmend::os {

/// The date and the time of day; what else <time.h> knows is 0.
[[nodiscard]] rtc_time rtc_fields(const std::tm& t);
/// `near` settles the one hour a year that exists twice in local time: the reading nearer to it is taken.
/// invalid: not a date, before 2000 or from 2099 on (a dead battery, a device without a clock).
[[nodiscard]] core::Result<core::seconds> seconds_from_rtc(const rtc_time& value, core::RtcMode mode, core::seconds near);
[[nodiscard]] core::Result<rtc_time> seconds_to_rtc(core::seconds utc, core::RtcMode mode);

}  // namespace clockmend::os
