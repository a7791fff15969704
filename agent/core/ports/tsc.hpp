#pragma once

#include <cstdint>
#include <string>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// The CPU's time stamp counter between two readings of the clocks: `at.bracket` encloses it.
struct TscReading {
  std::uint64_t ticks = 0;
  ClockSnapshot at;
};

class Tsc {
 public:
  virtual ~Tsc() = default;
  /// unsupported on other machines than x86, or where the counter is not constant (/proc/cpuinfo: constant_tsc).
  virtual Result<TscReading> read() = 0;
  /// True under an emulator (QEMU's TCG), whose counter stands still together with the clocks.
  [[nodiscard]] virtual bool emulated() const = 0;
};

}  // namespace clockmend::core
