// The four kernel clocks of a guest beside the true time, moved only by the test.
#pragma once

#include <string>

#include "agent/core/offset.hpp"
#include "agent/core/ports/clock_reader.hpp"

namespace clockmend::fakes {

class FakeClock final : public core::ClockReader {
 public:
  /// What a freeze of the VM does to the guest's counter: depends on clocksource and event (stop/cont, migration, ...).
  enum class Pause { frozen, counter_ran_on };

  /// Starts right: REALTIME equals the true time. Default 2025-01-01T00:00:00Z.
  explicit FakeClock(core::RealtimePoint truth = core::RealtimePoint{core::seconds{1735689600}}) : truth_(truth), realtime_(truth) {}

  [[nodiscard]] core::ClockSnapshot snapshot() override { return {realtime_, monotonic_, raw_, boottime_, bracket}; }
  [[nodiscard]] core::KernelClockStatus kernel_status() override { return status; }
  [[nodiscard]] std::string clocksource() override { return source; }

  [[nodiscard]] core::RealtimePoint truth() const { return truth_; }
  /// truth - REALTIME: what a perfect witness would report.
  [[nodiscard]] core::Offset error() const { return {truth_ - realtime_}; }

  /// Time passes for everybody until MONOTONIC is `d` further. REALTIME drifts by `drift_ppm` (positive: runs fast).
  void advance(core::nanoseconds d) {
    // A slew makes REALTIME, MONOTONIC and BOOTTIME run fast together, against the true time and RAW.
    const core::nanoseconds slew{d.count() / 1'000 * slew_ppm / (1'000'000 + slew_ppm) * 1'000};
    truth_ += d - slew - crystal(d - slew);
    raw_ += d - slew;
    monotonic_ += d;
    boottime_ += d;
    realtime_ += d + core::nanoseconds{d.count() / 1'000'000 * drift_ppm};
  }
  /// The VM is frozen for `gap`: the world goes on, the guest's clocks stand still or not.
  void pause(core::nanoseconds gap, Pause how = Pause::frozen) {
    truth_ += gap;
    if (how == Pause::frozen) return;
    monotonic_ += gap;
    raw_ += gap;
    boottime_ += gap;
    realtime_ += gap;
  }
  /// Time in which the guest does nothing, by the clocks that count it; RAW goes with MONOTONIC.
  void elapse(core::nanoseconds gap, bool realtime, bool monotonic, bool boottime) {
    truth_ += gap;
    if (realtime) realtime_ += gap;
    if (boottime) boottime_ += gap;
    if (!monotonic) return;
    monotonic_ += gap;
    raw_ += gap;
  }
  /// The kernel's account of a guest suspend was wrong by this: a wake-up timed by whole RTC seconds.
  void oversleep(core::nanoseconds error) {
    realtime_ += error;
    boottime_ += error;
  }
  /// Guest suspend (S3): the kernel adds the sleep to REALTIME and BOOTTIME, not to MONOTONIC.
  void suspend(core::nanoseconds gap) {
    truth_ += gap;
    realtime_ += gap;
    boottime_ += gap;
  }
  /// UTC itself is set by a second; the guest's clocks know nothing of it.
  void leap(core::nanoseconds amount) { truth_ += amount; }
  /// Somebody sets REALTIME: positive moves it forward.
  void step(core::nanoseconds amount) { realtime_ += amount; }

  // What the test may set freely.
  core::KernelClockStatus status{};
  std::string source = "tsc";
  core::nanoseconds bracket{};
  long drift_ppm = 0;
  long slew_ppm = 0;     // adjtime(3), chronyd's up to 83333
  long crystal_ppm = 0;  // all of the guest's clocks run fast by this, RAW too

 private:
  // The remainder is carried, for time may pass in steps of microseconds.
  core::nanoseconds crystal(core::nanoseconds d) {
    const std::int64_t parts = d.count() * crystal_ppm + carried_;
    carried_ = parts % 1'000'000;
    return core::nanoseconds{parts / 1'000'000};
  }

  std::int64_t carried_ = 0;
  core::RealtimePoint truth_;
  core::RealtimePoint realtime_;
  core::MonotonicPoint monotonic_{core::seconds{1000}};
  core::RawPoint raw_{core::seconds{900}};
  core::BoottimePoint boottime_{core::seconds{1100}};
};

}  // namespace clockmend::fakes
