#include "agent/engine/clock_ledger.hpp"

#include <algorithm>

namespace clockmend::engine {
namespace {

// Steps below this are no discontinuity for anybody, and the two clocks of a snapshot are read a moment apart.
constexpr core::microseconds kTolerance{500};
// A guest suspend shorter than this cannot be told from the reading bracket of BOOTTIME.
constexpr core::milliseconds kSuspendTolerance{5};

core::nanoseconds magnitude(core::nanoseconds v) { return v < v.zero() ? -v : v; }

}  // namespace

ClockLedger::ClockLedger(const core::ClockSnapshot& first)
    : expected_set_(core::realtime_minus_monotonic(first)),
      expected_suspend_(core::boottime_minus_monotonic(first)),
      bracket_(first.bracket) {}

ForeignChange ClockLedger::compare(const core::ClockSnapshot& now) {
  ForeignChange change;
  const core::nanoseconds noise = std::max(bracket_, now.bracket);
  core::nanoseconds tolerance = kTolerance + noise;
  const core::nanoseconds suspended = core::boottime_minus_monotonic(now) - expected_suspend_;
  if (magnitude(suspended) > kSuspendTolerance + noise) {
    change.suspended = suspended;
    expected_suspend_ += suspended;
    // The kernel adds the sleep to REALTIME as well (timekeeping_inject_sleeptime64): that part was no step.
    expected_set_ += suspended;
    tolerance = kSuspendTolerance + noise;
  }
  const core::nanoseconds set = core::realtime_minus_monotonic(now) - expected_set_;
  if (magnitude(set) > tolerance) {
    change.step = set;
    expected_set_ += set;
    bracket_ = now.bracket;
  }
  return change;
}

void ClockLedger::own_step(core::Offset amount) { expected_set_ += amount.value; }

}  // namespace clockmend::engine
