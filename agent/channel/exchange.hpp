// The four-stamp exchange, guest side: which rounds were really ours, and what the best one says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/reading.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::channel {

struct ExchangeVerdict {
  std::optional<core::OffsetReading> reading;  // host - guest at the best round's t3
  std::int64_t host_sent = 0;                  // the best round's t4: the host's clock when it had the answer
  std::string why;                             // without a reading: why no round is usable
};

/// What this session answered, so that the host cannot make up a round, nor bring one from another connection.
class ExchangeLedger {
 public:
  static constexpr core::seconds kMaxAge{30};       // the rates of two clocks differ by up to 100 ppm: 3 ms in this time
  static constexpr core::seconds kMaxRoundTrip{1};  // a worse round says less than the RTC does

  /// Both clocks of one answer: when the request's bytes were read, and right before the reply is written.
  void record(const core::ClockSnapshot& t2, const core::ClockSnapshot& t3);
  void clear() { used_ = next_ = 0; }

  /// The round with the smallest round trip among those that were answered here within kMaxAge and since whose answer nobody
  /// set the clock (REALTIME - MONOTONIC is unchanged within the snapshots' brackets).
  [[nodiscard]] ExchangeVerdict judge(const std::vector<wire::Quadruple>& rounds, const core::ClockSnapshot& now,
                                      core::nanoseconds host_clock_error) const;

 private:
  struct Entry {
    std::int64_t t2 = 0;
    std::int64_t t3 = 0;
    core::ClockSnapshot at;  // t3's
  };

  [[nodiscard]] const Entry* find(const wire::Quadruple& round) const;

  std::array<Entry, wire::kMaxQuadruples> entries_{};
  std::size_t next_ = 0;
  std::size_t used_ = 0;
};

}  // namespace clockmend::channel
