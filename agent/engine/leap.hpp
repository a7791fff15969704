// An announced leap second: what it can look like, and when it is over.
#pragma once

#include "agent/core/offset.hpp"
#include "agent/core/time.hpp"

namespace clockmend::engine {

/// Leap seconds happen at the end of a UTC day (STA_INS, STA_DEL: adjtimex(2)). Within a minute of it clocks disagree by a second
/// that are all right in their way: one has applied it, another applies it late, slews it (chronyd's leapsecmode) or hears of
/// it at its next poll.
[[nodiscard]] bool near_leap(core::RealtimePoint t);

/// An announced leap second may be all there is to this offset: it is about one second, and a day ends. Asked of the clock as it
/// is and as it would be.
[[nodiscard]] bool leap_explains(core::Offset offset, core::nanoseconds uncertainty, core::RealtimePoint now);

/// The kernel applied it: REALTIME was set by one second, exactly, in the first minute of a day.
[[nodiscard]] bool is_leap_step(core::nanoseconds step, core::RealtimePoint now);

/// From `now`, which is near: how long until a measurement tells of a mistake again.
[[nodiscard]] core::nanoseconds leap_over_in(core::RealtimePoint now);

inline constexpr const char* kLeapDoubt =
    "a leap second is announced and explains an offset of about 1 s; measured again a minute after it";

}  // namespace clockmend::engine
