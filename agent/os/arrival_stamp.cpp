#include "agent/os/arrival_stamp.hpp"

namespace clockmend::os {

core::ClockSnapshot arrival_clocks(const core::ClockSnapshot& wake, std::optional<core::RealtimePoint> kernel_stamp,
                                   const core::ClockSnapshot& reference) {
  if (!kernel_stamp) return wake;
  const core::nanoseconds age = wake.realtime - *kernel_stamp;
  if (age < core::nanoseconds::zero() || age > core::seconds{1}) return wake;
  // Two snapshots of an unstepped clock differ by their brackets only; 1 us is for the clocks' rounding.
  const core::nanoseconds moved = core::realtime_minus_monotonic(wake) - core::realtime_minus_monotonic(reference);
  const core::nanoseconds noise = wake.bracket + reference.bracket + core::microseconds{1};
  if (moved > noise || moved < -noise) return wake;
  core::ClockSnapshot arrival = wake;
  arrival.realtime -= age;
  arrival.monotonic -= age;
  arrival.raw -= age;
  arrival.boottime -= age;
  return arrival;
}

}  // namespace clockmend::os
