// Whether a time daemon disciplines the clock again, after a correction.
#pragma once

#include <functional>
#include <optional>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/scheduler.hpp"

namespace clockmend::correctors {

/// Asks the kernel, so it is the same for every daemon: a step sets STA_UNSYNC and the maximum error to 16 s, and from then on
/// that error only grows (500 ppm) until somebody who disciplines the clock sets it anew (adjtimex(2), MOD_MAXERROR).
class SyncWatch {
 public:
  enum class State { idle, waiting, again, given_up };

  SyncWatch(core::ClockReader& clock, core::Scheduler& scheduler) : clock_(clock), scheduler_(scheduler) {}

  /// From now on, anew. `on_end` once: again or given_up, the latter after half an hour.
  void begin(std::function<void()> on_end);
  void stop();
  [[nodiscard]] State state() const { return state_; }
  /// From begin() until the daemon was seen at work again; late by at most 1 s or a tenth of it, whichever is more.
  [[nodiscard]] std::optional<core::nanoseconds> took() const { return took_; }

 private:
  void look();
  void end(State state);

  core::ClockReader& clock_;
  core::Scheduler& scheduler_;
  State state_ = State::idle;
  core::KernelClockStatus before_;
  core::MonotonicPoint begun_{};
  std::optional<core::nanoseconds> took_;
  std::function<void()> on_end_;
  core::TimerHandle timer_;
};

}  // namespace clockmend::correctors
