// What no evidence of one source alone may do to a production clock. A guard refuses; it never exits.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "agent/core/discontinuity.hpp"
#include "agent/core/policy.hpp"

namespace clockmend::engine {

/// Uncorroborated steps of the recent past (CVE-2015-5300: many small steps grind a clock away).
class StepHistory {
 public:
  void add(core::BoottimePoint at, core::Offset amount, bool corroborated);
  /// Sum of |uncorroborated steps| within `window` before `now`.
  [[nodiscard]] core::nanoseconds uncorroborated_within(core::BoottimePoint now, core::nanoseconds window) const;

 private:
  struct Entry {
    core::BoottimePoint at;
    core::nanoseconds amount{};
  };
  std::deque<Entry> entries_;
};

struct GuardContext {
  core::ClockSnapshot now;
  bool forced = false;              // the operator asked for it by name
  core::nanoseconds own_forward{};  // stepped forward within this correction: taking part of it back is no backward step
  bool leap_announced = false;      // by the kernel or most NTP servers
};

[[nodiscard]] bool corroborated(const core::Estimate& e);

/// Why this step must not be made, or nothing.
[[nodiscard]] std::optional<std::string> forbidden(const core::Estimate& step, const StepHistory& history, const GuardContext& context,
                                                   const core::Policy& policy);

}  // namespace clockmend::engine
