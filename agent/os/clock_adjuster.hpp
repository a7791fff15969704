// The only place that changes CLOCK_REALTIME.
#pragma once

#include "agent/core/ports/clock_adjuster.hpp"
#include "agent/core/ports/clock_reader.hpp"

namespace clockmend::os {

class LinuxClockAdjuster final : public core::ClockAdjuster {
 public:
  explicit LinuxClockAdjuster(core::ClockReader& clocks) : clocks_(clocks) {}

  /// not_permitted without CAP_SYS_TIME; invalid if the kernel refuses the result (before boot, beyond its range).
  core::Result<core::ClockSnapshot> step(core::Offset offset) override;
  core::Status slew(core::Offset offset) override;
  /// Looks, changes nothing: the effective capability, its user namespace and the system call filter.
  [[nodiscard]] core::Status permitted() override;

 private:
  core::ClockReader& clocks_;
};

/// An offset as clock_adjtime(2) wants it with ADJ_NANO: `nanos` (in tv_usec) is never negative, so -0.3 s is {-1, 700000000}.
struct SplitOffset {
  long secs = 0;
  long nanos = 0;
};
[[nodiscard]] SplitOffset split_offset(core::Offset offset);

}  // namespace clockmend::os
