#pragma once

#include "agent/core/offset.hpp"
#include "agent/core/result.hpp"

namespace clockmend::core {

/// Every change of CLOCK_REALTIME goes through here (clock_adjtime(2)).
class ClockAdjuster {
 public:
  virtual ~ClockAdjuster() = default;
  /// Adds `offset` to CLOCK_REALTIME in one atomic relative call (ADJ_SETOFFSET|ADJ_NANO); frequency, PLL state, leap
  /// and TAI settings are kept. Returns the clocks right after it.
  virtual Result<ClockSnapshot> step(Offset offset) = 0;
  /// Lets the kernel work `offset` off gradually (ADJ_OFFSET_SINGLESHOT, 500 ppm). Replaces a running slew; zero cancels.
  virtual Status slew(Offset offset) = 0;
  /// Whether this process may set the clock at all (a null adjustment was accepted).
  [[nodiscard]] virtual Status permitted() = 0;
};

}  // namespace clockmend::core
