#pragma once

#include <algorithm>

#include "agent/core/time.hpp"

namespace clockmend::channel {

/// `burst` at once, then one per `interval` (the generic cell rate algorithm, ITU-T I.371: one time point instead of a count).
/// Time is CLOCK_MONOTONIC, which mostly stands still while the VM does: a bucket need not refill during a pause.
class TokenBucket {
 public:
  constexpr TokenBucket(unsigned burst, core::nanoseconds interval) : interval_(interval), tolerance_(interval * (burst - 1)) {}

  [[nodiscard]] bool take(core::MonotonicPoint now) {
    if (next_allowed() > now) return false;
    due_ = std::max(due_, now) + interval_;
    return true;
  }

  /// When take() succeeds (again); in the past: at once.
  [[nodiscard]] core::MonotonicPoint next_allowed() const { return due_ - tolerance_; }

 private:
  core::nanoseconds interval_;
  core::nanoseconds tolerance_;
  core::MonotonicPoint due_{};
};

}  // namespace clockmend::channel
