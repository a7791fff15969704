// Where the second edges of the RTC lie on CLOCK_MONOTONIC_RAW.
//
// RAW, because steps and slews of REALTIME do not touch it, while a frozen VM freezes it and not the RTC.
// The model is a set of possible phases, never a point: each read narrows it, elapsed time widens it, and a read that
// leaves it empty proves that the RTC moved against RAW.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/core/ports/rtc.hpp"
#include "agent/core/time.hpp"

namespace clockmend::probes {

/// An edge happened somewhere in [low, high].
struct EdgeSpan {
  core::RawPoint low;
  core::RawPoint high;
  [[nodiscard]] core::nanoseconds width() const { return high - low; }
  [[nodiscard]] core::RawPoint middle() const { return low + (high - low) / 2; }
};

/// What one read says about the model.
struct EdgeVerdict {
  enum class Kind { consistent, ahead, behind };
  Kind kind = Kind::consistent;
  /// By how much the RTC is ahead or behind at least. The truth may be up to a second more.
  core::nanoseconds at_least{};
};

/// The RTC's rate against RAW, with its error.
struct EdgeRate {
  /// Two oscillators that NTP can discipline differ by no more (NTP's own frequency limit, adjtimex(2)).
  static constexpr std::int64_t kUnknownPpb = 500'000;
  /// What is kept open after learning: temperature, and a host that slews its clock a little.
  static constexpr std::int64_t kLearnedPpb = 50'000;
  std::int64_t ppb = 0;  // RAW nanoseconds beyond 1e9 per RTC second
  std::int64_t uncertainty_ppb = kUnknownPpb;
};

class RtcEdgeModel {
 public:
  /// The edge at which the RTC began to show `second` lies in `span`.
  RtcEdgeModel(core::seconds second, EdgeSpan span, EdgeRate rate);

  /// Where the edge of `second` must lie: widened by the rate's uncertainty.
  [[nodiscard]] EdgeSpan edge(core::seconds second) const;
  [[nodiscard]] EdgeVerdict judge(const core::RtcSecond& read) const;
  /// Narrows the phases by a read that judge() found consistent; now and then learns the rate.
  void learn(const core::RtcSecond& read);
  /// The phase slipped a little against the prediction (a freeze too short to matter, a change of the rate): open the
  /// span again by `room` on the side the read points to and distrust the rate.
  void reopen(const core::RtcSecond& read, EdgeVerdict::Kind side, core::nanoseconds room);

  /// The RTC's time at this instant, as if each second began exactly at its edge; UTC since 1970.
  [[nodiscard]] core::nanoseconds rtc_time(core::RawPoint at) const;
  /// Half-width of what is possible around rtc_time(at).
  [[nodiscard]] core::nanoseconds uncertainty(core::RawPoint at) const;
  [[nodiscard]] const EdgeRate& rate() const { return rate_; }
  /// The rate without the trust in it: what is carried over a freeze, behind which another host may be.
  [[nodiscard]] EdgeRate distrusted_rate() const { return {rate_.ppb, EdgeRate::kUnknownPpb}; }

 private:
  void anchor_at(core::seconds second, EdgeSpan span);
  void track_rate();

  core::seconds anchor_;
  EdgeSpan span_;
  EdgeRate rate_;
  struct Mark {
    core::seconds second;
    EdgeSpan span;
  };
  std::optional<Mark> mark_;             // begin of the running rate window
  std::optional<EdgeRate> last_window_;  // what the window before said
};

}  // namespace clockmend::probes
