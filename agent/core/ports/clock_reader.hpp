#pragma once

#include <string>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// The kernel's own account of the clock (adjtimex(2), modes = 0).
struct KernelClockStatus {
  bool unsynchronized = true;  // STA_UNSYNC
  bool leap_pending = false;   // STA_INS or STA_DEL
  nanoseconds max_error{};
  double frequency_ppm = 0.0;
  int tai_offset_s = 0;
};

class ClockReader {
 public:
  virtual ~ClockReader() = default;
  /// All four clocks within one bracket; retried a few times for a tight one. Cannot fail on Linux.
  [[nodiscard]] virtual ClockSnapshot snapshot() = 0;
  [[nodiscard]] virtual KernelClockStatus kernel_status() = 0;
  /// Current clocksource by sysfs ("kvm-clock", "tsc", ...), "unknown" where it cannot be read.
  [[nodiscard]] virtual std::string clocksource() = 0;
};

}  // namespace clockmend::core
