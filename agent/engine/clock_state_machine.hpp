// ClockState as a pure function of what happened: the diagram in README.md is this table.
#pragma once

#include <optional>
#include <string>

#include "agent/core/clock_state.hpp"
#include "agent/core/report.hpp"

namespace clockmend::engine {

enum class StateEvent {
  verified,       // NTP (or the kernel's own account, where there is no NTP) says the clock is right
  unverified,     // the idle verification got no answer
  disturbed,      // a tripwire fired
  correcting,     // the first action began
  stepped,        // the clock was stepped; proof outstanding
  finished_ok,    // correction or no-op, proved
  finished_weak,  // ended without proof, or with part of the care failed
  refused,        // a guard forbade the correction
};

[[nodiscard]] core::ClockState next(core::ClockState now, StateEvent event);

class ClockStateMachine {
 public:
  void on(StateEvent event, std::string reason, core::RealtimePoint now);
  [[nodiscard]] core::ClockState state() const { return state_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// Since when the clock has been trustworthy; nothing while it is not.
  [[nodiscard]] std::optional<core::RealtimePoint> valid_since() const { return valid_since_; }

 private:
  core::ClockState state_ = core::ClockState::starting;
  std::string reason_ = "no witness has answered yet";
  std::optional<core::RealtimePoint> valid_since_;
};

}  // namespace clockmend::engine
