#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// A consistent copy of the vmclock page (linux/vmclock-abi.h), read under its seq_count, and the counter read with it.
/// Fields that lie beyond the page's own size are absent, or keep the value given here.
struct VmclockPage {
  std::uint32_t seq_count = 0;
  std::uint64_t disruption_marker = 0;
  std::optional<std::uint64_t> vm_generation_counter;  // also absent without flag 8 (VM_GEN_COUNTER_PRESENT)
  std::uint64_t flags = 0;
  std::uint8_t counter_id = 0xff;  // VMCLOCK_COUNTER_*: 1 X86_TSC; 0xff: invalid
  std::uint8_t time_type = 0;      // VMCLOCK_TIME_*: 0 UTC, 1 TAI, 2 monotonic, 3 and 4 smeared
  std::uint8_t clock_status = 0;   // VMCLOCK_STATUS_*: 2 synchronized, 3 freerunning
  std::int16_t tai_offset_s = 0;   // TAI to UTC: -37 today; valid with flag 0
  std::uint8_t leap_indicator = 0;
  std::uint8_t period_shift = 0;
  std::uint64_t counter_value = 0;
  std::uint64_t counter_period_frac_s = 0;              // 2^-(64 + period_shift) s
  std::optional<std::uint64_t> period_maxerror_frac_s;  // same unit; only with flag 4
  /// Whether the size covers counter_value up to time_frac_s; without it they mean nothing.
  bool has_time = false;
  std::uint64_t time_s = 0;
  std::uint64_t time_frac_s = 0;                  // 2^-64 s
  std::optional<std::uint64_t> time_maxerror_ns;  // only with flag 6
  /// The counter the page counts in (x86: TSC), read between two readings of the clocks; absent where it cannot be read.
  std::optional<std::uint64_t> counter_now;
  ClockSnapshot at;  // its bracket encloses counter_now
};

class Vmclock {
 public:
  virtual ~Vmclock() = default;
  /// Opens the device if it is not open. not_found without a device; invalid for a page that is no vmclock; timeout when
  /// it stays mid-update.
  virtual Result<VmclockPage> read() = 0;
  /// Calls back once, from the event loop, when the page changes from now on; then it must be asked for again. Ask first and
  /// read afterwards: a change between the two is then not lost. unsupported where the kernel or the device has no
  /// notification (poll(2) gives POLLHUP at once): read by a timer then.
  virtual Status watch(std::function<void()> on_change) = 0;
  /// Forgets the device, a pending watch too; the next read() opens what is there then (it came back, or was renumbered).
  virtual void reopen() = 0;
  /// Whether there is any.
  [[nodiscard]] virtual bool present() const = 0;
  /// "/dev/vmclock0": the one that is open, else the one that would be opened.
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace clockmend::core
