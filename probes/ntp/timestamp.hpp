// NTP's fixed-point times (RFC 5905 section 6) <-> RealtimePoint, in integers throughout: a double of seconds since 1900 has
// no nanoseconds left, and NaN passes every comparison.
#pragma once

#include <cstdint>

#include "agent/core/time.hpp"

namespace clockmend::probes::ntp {

/// 32.32 bit seconds since 1900-01-01, modulo 2^32 s: which era it belongs to is not in the packet (era 1 begins 2036-02-07).
/// Zero means "unknown".
struct Timestamp {
  std::uint64_t value = 0;

  [[nodiscard]] constexpr bool zero() const { return value == 0; }
  friend constexpr bool operator==(const Timestamp&, const Timestamp&) = default;
};

[[nodiscard]] Timestamp to_ntp(core::RealtimePoint t);

/// The one instant `t` can mean within [pivot - 8 years, pivot + 128 years). The pivot must not come from the clock under
/// suspicion: callers give max(build date, last good time). The 8 years behind it let a reply from just before the pivot
/// be recognised as too old instead of landing in the next era.
[[nodiscard]] core::RealtimePoint to_realtime(Timestamp t, core::RealtimePoint pivot);

/// 16.16 bit seconds (root delay, root dispersion), unsigned.
[[nodiscard]] core::nanoseconds short_to_ns(std::uint32_t value);

/// The precision field, log2 seconds, clamped to [2^-30 s, 2^4 s]: beyond that it says nothing usable.
[[nodiscard]] core::nanoseconds precision_to_ns(std::int8_t log2_seconds);

}  // namespace clockmend::probes::ntp
