// The last line before the kernel: whatever a defect upstream asks, the clock stays inside its floor and ceiling.
#pragma once

#include "agent/core/ports/clock_adjuster.hpp"
#include "agent/core/ports/clock_reader.hpp"

namespace clockmend::correctors {

/// Bounds of any corrected time; inclusive.
struct TimeBounds {
  core::RealtimePoint floor;
  core::RealtimePoint ceiling;
};

class ClockStepper {
 public:
  ClockStepper(core::ClockAdjuster& adjuster, core::ClockReader& clock) : adjuster_(adjuster), clock_(clock) {}

  /// `invalid` without touching the clock if the result would lie outside `bounds`.
  core::Result<core::ClockSnapshot> step(core::Offset offset, const TimeBounds& bounds);
  /// Hands the offset to the kernel to work off at 500 ppm. `invalid` beyond 2000 s, adjtimex's own range.
  core::Status slew(core::Offset offset);

 private:
  core::ClockAdjuster& adjuster_;
  core::ClockReader& clock_;
};

}  // namespace clockmend::correctors
