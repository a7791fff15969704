#include "probes/ntp/timestamp.hpp"

#include <algorithm>

namespace clockmend::probes::ntp {

namespace {
constexpr std::int64_t kUnixEpochIn1900 = 2'208'988'800;  // seconds from 1900 to 1970 (RFC 5905 figure 4)
constexpr std::int64_t kBehindPivot = 8LL * 366 * 86400;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
}  // namespace

Timestamp to_ntp(core::RealtimePoint t) {
  const auto since = t.time_since_epoch();
  const auto whole = std::chrono::floor<core::seconds>(since);
  const auto ns = static_cast<std::uint64_t>((since - whole).count());
  const auto secs = static_cast<std::uint32_t>(whole.count() + kUnixEpochIn1900);  // the era is dropped here
  return {std::uint64_t{secs} << 32U | ((ns << 32U) + kNsPerSecond / 2) / kNsPerSecond};
}

core::RealtimePoint to_realtime(Timestamp t, core::RealtimePoint pivot) {
  const auto pivot_seconds = std::chrono::floor<core::seconds>(pivot.time_since_epoch()).count();
  const std::int64_t begin = pivot_seconds + kUnixEpochIn1900 - kBehindPivot;
  const auto secs = static_cast<std::uint32_t>(t.value >> 32U);
  const std::uint32_t after_begin = secs - static_cast<std::uint32_t>(begin);  // modulo 2^32: at most 136 years later
  const std::uint64_t fraction = t.value & 0xFFFFFFFFU;
  const auto ns = (fraction * kNsPerSecond + (std::uint64_t{1} << 31U)) >> 32U;
  return core::RealtimePoint{core::seconds{begin + after_begin - kUnixEpochIn1900} + core::nanoseconds{static_cast<std::int64_t>(ns)}};
}

core::nanoseconds short_to_ns(std::uint32_t value) {
  return core::nanoseconds{static_cast<std::int64_t>((std::uint64_t{value} * kNsPerSecond) >> 16U)};
}

core::nanoseconds precision_to_ns(std::int8_t log2_seconds) {
  const int e = std::clamp<int>(log2_seconds, -30, 4);
  constexpr std::int64_t second = 1'000'000'000;
  return core::nanoseconds{e >= 0 ? second << e : second >> -e};
}

}  // namespace clockmend::probes::ntp
