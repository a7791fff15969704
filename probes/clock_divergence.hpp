// Somebody set the clock, or the guest was suspended: REALTIME, MONOTONIC and BOOTTIME compared.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/watches.hpp"
#include "agent/core/probe.hpp"

namespace clockmend::probes {

/// Hands the clocks over on every clock set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET; it also fires after a guest
/// suspend) and when asked. It has no timer, and it cannot see a frozen VM: all clocks freeze together. Whose step it
/// was is told by the engine's ledger of own steps, by value; hence nothing is suppressed here.
class ClockDivergenceProbe final : public core::Probe {
 public:
  ClockDivergenceProbe(core::ClockSetWatch& watch, core::ClockReader& clock) : watch_(watch), clock_(clock) {}

  [[nodiscard]] std::string_view name() const override { return "clocks"; }
  void start(core::ObservationSink sink) override;
  void measure_now() override;
  void own_change(const core::OwnChange&) override {}
  [[nodiscard]] core::ProbeHealth health() const override { return {state_, why_, {}}; }

 private:
  core::ClockSetWatch& watch_;
  core::ClockReader& clock_;
  core::ObservationSink sink_;
  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
};

}  // namespace clockmend::probes
