// How fast the time stamp counter runs against CLOCK_MONOTONIC_RAW, learned from intervals without an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/core/time.hpp"

namespace clockmend::probes {

/// The median of the last intervals: an event among them cannot pull it, and a slow drift is followed.
class TscRate {
 public:
  /// An interval: the ticks counted, RAW's length of it, and what both ends' brackets leave uncertain.
  void learn(std::int64_t ticks, core::nanoseconds raw, core::nanoseconds bracket);
  void forget();

  /// Ticks per second; nothing until enough intervals are known.
  [[nodiscard]] std::optional<double> per_second() const;
  /// What the counter says about an interval beyond RAW: positive, RAW stood still (or the counter jumped ahead). Zero as long as
  /// no rate is known.
  [[nodiscard]] core::nanoseconds beyond_raw(std::int64_t ticks, core::nanoseconds raw) const;
  /// What the rate's own error makes of an interval of that length.
  [[nodiscard]] core::nanoseconds error_over(core::nanoseconds raw) const;

  static constexpr std::size_t kFewest = 5;
  static constexpr std::size_t kMost = 15;

 private:
  struct Interval {
    double per_second = 0;
    double error = 0;  // relative
  };
  void settle();

  std::vector<Interval> intervals_;  // the oldest first
  double median_ = 0;
  double error_ = 1;  // relative: the intervals' own, and their spread about the median
};

}  // namespace clockmend::probes
