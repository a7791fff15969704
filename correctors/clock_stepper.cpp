#include "correctors/clock_stepper.hpp"

#include <string>

namespace clockmend::correctors {
namespace {

// adjtimex(2) takes a single-shot offset as a long of microseconds; +-2000 s also fit one of 32 bits, and at 500 ppm they
// take 46 days: whoever asks for more is mistaken.
constexpr core::seconds kLongestSlew{2000};

core::Error refused(const char* side, core::RealtimePoint bound) {
  const auto seconds = std::chrono::floor<core::seconds>(bound.time_since_epoch()).count();
  return {core::ErrorCode::invalid, std::string("refused: the step would set the clock ") + side + " @" + std::to_string(seconds)};
}

}  // namespace

core::Result<core::ClockSnapshot> ClockStepper::step(core::Offset offset, const TimeBounds& bounds) {
  const core::RealtimePoint now = clock_.snapshot().realtime;
  // Compared as distances: now + offset could overflow for an offset that is a defect's.
  if (offset.value < bounds.floor - now) return refused("before", bounds.floor);
  if (offset.value > bounds.ceiling - now) return refused("after", bounds.ceiling);
  return adjuster_.step(offset);
}

core::Status ClockStepper::slew(core::Offset offset) {
  if (offset.value > kLongestSlew || offset.value < -core::nanoseconds{kLongestSlew})
    return core::Error{core::ErrorCode::invalid, "refused: an offset of more than 2000 s is not slewed"};
  return adjuster_.slew(offset);
}

}  // namespace clockmend::correctors
