// Idle watching: does this observation mean that the clock's relation to true time changed?
#pragma once

#include <optional>
#include <string>

#include "agent/core/discontinuity.hpp"
#include "agent/core/policy.hpp"
#include "agent/engine/baselines.hpp"

namespace clockmend::engine {

struct Detection {
  core::Cause cause = core::Cause::pause;
  std::string tripwire;
};

/// What to do with a reading that is no discontinuity.
enum class Learn {
  keep,     // candidate for the baseline, the better one stays
  replace,  // the old baseline no longer holds (a write, a short gap): take this one
  ignore,
};

struct Judgement {
  std::optional<Detection> detection;
  Learn learn = Learn::keep;
  std::string note;      // worth a log line
  bool ask_ntp = false;  // a suspicion that only NTP can settle
};

[[nodiscard]] Judgement judge_rtc(const core::OffsetReading& reading, const Baselines& baselines, const core::Policy& policy);
/// PTP and vmclock: the host's own clock, known to microseconds at every reading.
[[nodiscard]] Judgement judge_host_clock(const core::OffsetReading& reading, const Baselines& baselines, const core::Policy& policy);
[[nodiscard]] Judgement judge_ntp(const core::OffsetReading& reading, const core::Policy& policy);

/// "clock behind by 47.550 s" for people: sign in words, milliseconds.
[[nodiscard]] std::string in_words(core::Offset offset);

}  // namespace clockmend::engine
