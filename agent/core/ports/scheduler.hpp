#pragma once

#include <functional>
#include <memory>

#include "agent/core/time.hpp"

namespace clockmend::core {

/// A pending call; destroying it cancels the call. A callback never runs after its Timer is gone.
class Timer {
 public:
  virtual ~Timer() = default;
};
using TimerHandle = std::unique_ptr<Timer>;

/// Timers on CLOCK_MONOTONIC. No one reads the time of day to wait: REALTIME jumps under us by design.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  [[nodiscard]] virtual MonotonicPoint now() = 0;
  [[nodiscard]] virtual TimerHandle at(MonotonicPoint when, std::function<void()> call) = 0;
  [[nodiscard]] TimerHandle after(nanoseconds delay, std::function<void()> call) { return at(now() + delay, std::move(call)); }
};

}  // namespace clockmend::core
