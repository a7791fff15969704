// Which counter the guest's clocks run on, and what that hides.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/probe.hpp"

namespace clockmend::probes {

/// What a frozen VM does to this clocksource (as in /sys/devices/system/clocksource/*/current_clocksource), in words.
[[nodiscard]] std::string_view pause_visibility(std::string_view clocksource);

/// Environment: tells, measures nothing.
class ClocksourceProbe final : public core::Probe {
 public:
  explicit ClocksourceProbe(core::ClockReader& clock) : clock_(clock) {}

  [[nodiscard]] std::string_view name() const override { return "clocksource"; }
  void start(core::ObservationSink) override { measure_now(); }
  void measure_now() override;
  void own_change(const core::OwnChange&) override {}
  [[nodiscard]] core::ProbeHealth health() const override { return {state_, why_, {}}; }

 private:
  core::ClockReader& clock_;
  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
};

}  // namespace clockmend::probes
