// When a datagram arrived, on all four clocks.
#pragma once

#include <optional>

#include "agent/core/time.hpp"

namespace clockmend::os {

/// The kernel stamps a datagram with CLOCK_REALTIME only (SO_TIMESTAMPNS, socket(7)). `wake` are the clocks read when we woke
/// up for it, `reference` the clocks before the request was sent. The stamp is used, by moving `wake` back by the
/// datagram's age, if the age is within [0, 1 s] and nobody stepped the clock since `reference` (REALTIME - MONOTONIC is
/// unchanged), for a stamp from before a step is on another scale. Otherwise the answer is `wake`.
[[nodiscard]] core::ClockSnapshot arrival_clocks(const core::ClockSnapshot& wake, std::optional<core::RealtimePoint> kernel_stamp,
                                                 const core::ClockSnapshot& reference);

}  // namespace clockmend::os
