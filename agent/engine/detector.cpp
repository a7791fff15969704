#include "agent/engine/detector.hpp"

namespace clockmend::engine {
namespace {

// A gap interval must keep clear of zero by this before it counts: the RTC's edge repeats within +-0.7 ms (measured
// under TCG), and a false alarm costs a second of edge search.
constexpr core::milliseconds kTrip{5};

std::string milliseconds_text(core::nanoseconds v) {
  return std::to_string(std::chrono::duration_cast<core::milliseconds>(v).count()) + " ms";
}

}  // namespace

std::string in_words(core::Offset offset) {
  const auto ms = std::chrono::duration_cast<core::milliseconds>(core::magnitude(offset)).count();
  const std::string amount = std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1) + " s";
  return offset.value < core::nanoseconds::zero() ? "clock ahead by " + amount : "clock behind by " + amount;
}

Judgement judge_rtc(const core::OffsetReading& reading, const Baselines& baselines, const core::Policy& policy) {
  Judgement j;
  if (!baselines.of(core::Witness::rtc)) return j;
  const bool exact = is_exact(reading);
  const core::OffsetInterval gap = *baselines.gap(reading);
  if (gap.high.value < -kTrip) {
    // Frozen guests fall behind, never ahead: an RTC that went back was written, or lost its phase in a restore.
    j.note = "the RTC went back against CLOCK_MONOTONIC_RAW by " + milliseconds_text(-gap.middle().value) +
             ": written or moved, its baseline is learned anew";
    j.learn = Learn::replace;
    j.ask_ntp = true;
    return j;
  }
  if (gap.low.value <= kTrip) return j;
  if (exact && gap.high.value < policy.record_threshold) {
    j.learn = Learn::replace;  // a short steal or drift below what is recorded
    return j;
  }
  j.detection = Detection{core::Cause::pause,
                          exact ? "rtc: it ran on while the guest stood still, " + in_words(gap.middle())
                                : "rtc: its second changed early, the guest stood still for up to " + milliseconds_text(gap.high.value)};
  return j;
}

Judgement judge_host_clock(const core::OffsetReading& reading, const Baselines& baselines, const core::Policy& policy) {
  Judgement j;
  if (!baselines.of(reading.witness)) return j;
  const core::OffsetInterval gap = *baselines.gap(reading);
  const std::string who = core::to_string(reading.witness);
  if (gap.high.value < -kTrip) {
    j.note = who + ": the host's clock went back against CLOCK_MONOTONIC_RAW by " + milliseconds_text(-gap.middle().value) +
             ": it was set, or it is another host's; its baseline is learned anew";
    j.learn = Learn::replace;
    j.ask_ntp = true;
    return j;
  }
  if (gap.low.value <= kTrip) return j;
  j.learn = Learn::replace;  // a short steal or drift below what is recorded
  if (gap.high.value >= policy.record_threshold)
    j.detection = Detection{core::Cause::pause, who + ": it ran on while the guest stood still, " + in_words(gap.middle())};
  return j;
}

Judgement judge_ntp(const core::OffsetReading& reading, const core::Policy& policy) {
  Judgement j;
  j.learn = Learn::ignore;
  const core::OffsetInterval i = core::interval_around(reading.offset, reading.uncertainty);
  if (i.least_magnitude() > policy.step_threshold)
    j.detection = Detection{core::Cause::ntp_offset, "ntp: " + in_words(reading.offset) + " (" + reading.detail + ")"};
  return j;
}

}  // namespace clockmend::engine
