// A timer for an instant of CLOCK_MONOTONIC_RAW, on top of a Scheduler that counts CLOCK_MONOTONIC.
#pragma once

#include <functional>
#include <optional>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/scheduler.hpp"

namespace clockmend::probes {

/// MONOTONIC is slewed together with REALTIME (chronyd: up to 8.3 %), RAW is not: over one second that is 83 ms. The
/// rate of the last wait predicts the next, and a wake-up that is still too early waits again.
class RawAlarm {
 public:
  RawAlarm(core::Scheduler& scheduler, core::ClockReader& clock) : scheduler_(scheduler), clock_(clock) {}

  /// Calls `call` once RAW has reached `when` (at once if it has); replaces what was set before.
  void set(core::RawPoint when, std::function<void()> call);
  void set_after(core::nanoseconds delay, std::function<void()> call);
  void cancel() { timer_.reset(); }

 private:
  void arm();
  void fired();

  core::Scheduler& scheduler_;
  core::ClockReader& clock_;
  core::RawPoint when_{};
  std::function<void()> call_;
  std::optional<core::ClockSnapshot> last_;
  double monotonic_per_raw_ = 1.0;
  core::TimerHandle timer_;
};

}  // namespace clockmend::probes
