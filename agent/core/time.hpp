// Typed time points for the four kernel clocks clockmend compares (clock_gettime(2)).
//
// A REALTIME point cannot be subtracted from a BOOTTIME point: mixing clocks is the mistake this
// program exists to repair, so it must not compile. Reading a clock is a port (ports/clock_reader.hpp);
// these tags have no now().
#pragma once

#include <chrono>

namespace clockmend::core {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

enum class ClockId { realtime, monotonic, monotonic_raw, boottime };

template <ClockId Id>
struct Clock {
  using duration = nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock<Id>, duration>;
  static constexpr bool is_steady = Id != ClockId::realtime;
};

using RealtimePoint = Clock<ClockId::realtime>::time_point;
using MonotonicPoint = Clock<ClockId::monotonic>::time_point;
/// CLOCK_MONOTONIC_RAW: never slewed; frozen while the VM is frozen (unless the clocksource ran on).
using RawPoint = Clock<ClockId::monotonic_raw>::time_point;
using BoottimePoint = Clock<ClockId::boottime>::time_point;

/// The four clocks read together. `bracket` is the time the reading took: each value is true at some
/// instant within it, so differences of clocks inside one snapshot are good to `bracket`.
struct ClockSnapshot {
  RealtimePoint realtime{};
  MonotonicPoint monotonic{};
  RawPoint raw{};
  BoottimePoint boottime{};
  nanoseconds bracket{};
};

/// REALTIME - MONOTONIC: changes only when somebody sets the clock (both slew alike).
[[nodiscard]] constexpr nanoseconds realtime_minus_monotonic(const ClockSnapshot& s) {
  return s.realtime.time_since_epoch() - s.monotonic.time_since_epoch();
}

/// BOOTTIME - MONOTONIC: grows by the length of a guest suspend (S3, s2idle), never by a VM pause.
[[nodiscard]] constexpr nanoseconds boottime_minus_monotonic(const ClockSnapshot& s) {
  return s.boottime.time_since_epoch() - s.monotonic.time_since_epoch();
}

/// REALTIME - RAW: every adjustment of REALTIME (steps, slews, frequency), none of the VM's pauses.
[[nodiscard]] constexpr nanoseconds realtime_minus_raw(const ClockSnapshot& s) {
  return s.realtime.time_since_epoch() - s.raw.time_since_epoch();
}

/// The next whole multiple of `period` after `now`: timers of one period that use it end together, in one wake-up.
[[nodiscard]] constexpr MonotonicPoint next_tick(MonotonicPoint now, nanoseconds period) {
  return now + (period - now.time_since_epoch() % period);
}

}  // namespace clockmend::core
