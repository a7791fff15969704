// The applications' programs before and after a step: when they are run, once each in a correction.
#pragma once

#include "agent/core/policy.hpp"
#include "agent/core/report.hpp"
#include "agent/engine/commands.hpp"

namespace clockmend::engine {

class StepHooks {
 public:
  /// Whether the step may be made now. Asked for the first time, the pre-step hooks are run.
  [[nodiscard]] bool allow(const core::Policy& policy, const core::CorrectionReport& report, const core::Estimate& estimate, Commands& out);
  /// They have ended, or have had their time.
  void had_their_time() { waiting_ = false; }
  /// The clock is as right as this correction makes it, or stays as it is: whoever was told before is told now, and whoever
  /// only waits for steps hears of them.
  void over(const core::Policy& policy, const core::CorrectionReport& report, Commands& out);

 private:
  bool begun_ = false;
  bool waiting_ = false;
  bool over_ = false;
};

}  // namespace clockmend::engine
