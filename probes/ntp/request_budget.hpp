// How often one server may be asked: our own bound, and what the server itself demands.
#pragma once

#include <string_view>

#include "agent/core/time.hpp"

namespace clockmend::probes::ntp {

class RequestBudget {
 public:
  /// Requests a server gets at once, and in each minute after that. A correction takes three or four, and pauses come in series.
  static constexpr unsigned kBurst = 16;
  static constexpr core::milliseconds kRefill{60'000 / kBurst};
  /// ntpd with `restrict limited` drops what follows another packet within 2 s (its `discard minimum`).
  static constexpr core::milliseconds kHeadway{2100};

  /// Takes one request. False: exhausted, or the server asked us to wait.
  [[nodiscard]] bool take(core::MonotonicPoint now);
  /// When take() will succeed; `now` if it would.
  [[nodiscard]] core::MonotonicPoint next(core::MonotonicPoint now) const;
  [[nodiscard]] unsigned left(core::MonotonicPoint now) const;
  /// It is the server, not our own bound, that forbids a request now.
  [[nodiscard]] bool told_to_wait(core::MonotonicPoint now) const;
  /// Time since the last request, as an idle round must leave 2 s.
  [[nodiscard]] bool asked_within(core::nanoseconds d, core::MonotonicPoint now) const;

  /// A kiss code whose origin was proved. RATE: the spacing of requests doubles, from 2.1 s to 17 min. DENY, RSTR: a minute
  /// of silence, never more, because nothing authenticates them (CVE-2015-7704). Others: no consequence.
  void kissed(std::string_view code, core::MonotonicPoint now);
  void answered();

  /// How long to wait for the reply to the request just taken. Longer than `timeout` only where the server is likely to have
  /// dropped it as too early: it answered before, and the last request was less than 2 s ago. Then the retry comes after 2 s.
  [[nodiscard]] core::nanoseconds patience(core::nanoseconds timeout) const;
  /// The server has complained about our rate: no extra samples.
  [[nodiscard]] bool spaced() const { return spacing_ > core::nanoseconds::zero(); }

 private:
  core::MonotonicPoint debt_until_{};  // virtual scheduling: each request adds kRefill, and kBurst of them may be owed
  core::MonotonicPoint last_{};
  core::MonotonicPoint silent_until_{};
  core::nanoseconds gap_before_last_{core::nanoseconds::max()};
  core::nanoseconds spacing_{};
  bool ever_asked_ = false;
  bool ever_answered_ = false;
};

}  // namespace clockmend::probes::ntp
