// What we conclude from observations: the clock's relation to true time changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/notice.hpp"
#include "agent/core/reading.hpp"

namespace clockmend::core {

enum class Cause { notice, pause, foreign_step, suspend, ntp_offset, request };

[[nodiscard]] constexpr const char* to_string(Cause c) {
  switch (c) {
    case Cause::notice:
      return "notice";
    case Cause::pause:
      return "pause";
    case Cause::foreign_step:
      return "foreign-step";
    case Cause::suspend:
      return "guest-suspend";
    case Cause::ntp_offset:
      return "ntp-offset";
    case Cause::request:
      return "request";
  }
  return "?";
}

/// differential: the change of a witness's offset since its baseline; absolute: the witness's value itself.
enum class Basis { differential, absolute };

[[nodiscard]] constexpr const char* to_string(Basis b) { return b == Basis::differential ? "differential" : "absolute"; }

/// How well the estimate is founded. single: one source's word. corroborated: two independent witnesses, or the majority of
/// several NTP servers.
enum class Confidence { none, single, corroborated };

[[nodiscard]] constexpr const char* to_string(Confidence c) {
  switch (c) {
    case Confidence::none:
      return "none";
    case Confidence::single:
      return "single";
    case Confidence::corroborated:
      return "corroborated";
  }
  return "?";
}

/// One witness's testimony inside a discontinuity, kept for the audit record.
struct Evidence {
  OffsetReading reading;
  Basis basis = Basis::absolute;
  OffsetInterval needed{};            // the step this witness calls for, with its whole error
  std::optional<OffsetInterval> gap;  // how long the guest stood still, by this witness; nothing without a baseline
  bool used = false;                  // inside the voted intersection
  bool disciplined = false;           // differential against a baseline that was taken while the clock was known right
};

struct Discontinuity {
  Cause cause = Cause::pause;
  std::string tripwire;    // which probe fired, in its own words
  ClockSnapshot detected;  // clocks at detection, before any correction
  std::optional<HostNotice> notice;
  std::optional<nanoseconds> foreign_step;  // sum of other people's steps seen since it opened (REALTIME - MONOTONIC)
  std::vector<std::string> disruptions;     // what tripwires announced while it was open, in their own words
  std::optional<OffsetInterval> gap;        // how long the guest stood still, by whoever knows it best
  Confidence confidence = Confidence::none;
  std::vector<Evidence> evidence;
};

/// The voted step: the best interval on which the largest group of witnesses agrees.
struct Estimate {
  Offset offset;
  nanoseconds uncertainty{};
  Basis basis = Basis::absolute;
  Witness best = Witness::ntp;  // whose reading is the tightest of the agreeing group
  unsigned witnesses = 0;       // independent witnesses agreeing
  bool ntp_majority = false;    // two or more NTP servers agree and they are a strict majority of those that answered
  std::vector<Witness> agreeing;
};

}  // namespace clockmend::core
