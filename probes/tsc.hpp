// The CPU's counter against CLOCK_MONOTONIC_RAW: it runs on over a plain pause (stop/cont) that a paravirtual clock does not count.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/ports/tsc.hpp"
#include "agent/core/probe.hpp"
#include "probes/tsc_rate.hpp"

namespace clockmend::probes {

/// A tripwire that knows the gap. Off, and never woken, where it is blind: the clock itself runs on the TSC, an emulator stops
/// both, no constant TSC. It looks at that again when asked to measure, and once a minute while it runs. A restore or a migration stops
/// both counters: others see those.
class TscProbe final : public core::Probe {
 public:
  TscProbe(core::Tsc& tsc, core::ClockReader& clock, core::Scheduler& scheduler, core::milliseconds poll_interval);

  [[nodiscard]] std::string_view name() const override { return "tsc"; }
  void start(core::ObservationSink sink) override;
  /// A tripwire has nothing to answer; it compares the counters now instead of at its next tick.
  void measure_now() override;
  void own_change(const core::OwnChange&) override {}
  [[nodiscard]] core::ProbeHealth health() const override;

 private:
  /// Why it is blind here, or empty.
  [[nodiscard]] std::string blindness();
  void decide();
  void arm();
  void tick();
  void compare(const core::TscReading& now);
  void diverged(core::nanoseconds gap, core::nanoseconds raw, core::nanoseconds uncertainty);
  void pause(std::string why);
  void forget();

  core::Tsc& tsc_;
  core::ClockReader& clock_;
  core::Scheduler& scheduler_;
  core::milliseconds poll_interval_;
  core::ObservationSink sink_;
  core::TimerHandle timer_;

  TscRate rate_;
  std::optional<core::TscReading> last_;
  core::RawPoint decided_at_{};
  std::string source_;        // the clocksource last seen
  unsigned divergences_ = 0;  // in a row
  unsigned backward_ = 0;     // the counter fell behind RAW, since backward_since_
  core::RawPoint backward_since_{};

  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
};

}  // namespace clockmend::probes
