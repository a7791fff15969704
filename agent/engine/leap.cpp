#include "agent/engine/leap.hpp"

#include <algorithm>

namespace clockmend::engine {
namespace {

constexpr core::seconds kUtcDay{86400};
constexpr core::seconds kVicinity{60};
constexpr core::nanoseconds kLeap = core::seconds{1};
constexpr core::nanoseconds kAlike = core::milliseconds{100};
constexpr core::nanoseconds kMostUncertain = core::milliseconds{400};
constexpr core::nanoseconds kExactly = core::milliseconds{10};

core::nanoseconds since_midnight(core::RealtimePoint t) { return t.time_since_epoch() % kUtcDay; }

}  // namespace

bool near_leap(core::RealtimePoint t) {
  const core::nanoseconds since = since_midnight(t);
  return std::min(since, kUtcDay - since) <= kVicinity;
}

bool leap_explains(core::Offset offset, core::nanoseconds uncertainty, core::RealtimePoint now) {
  const core::nanoseconds apart = core::magnitude(core::Offset{core::magnitude(offset) - kLeap});
  return apart <= kAlike + std::min(uncertainty, kMostUncertain) && (near_leap(now) || near_leap(now + offset.value));
}

bool is_leap_step(core::nanoseconds step, core::RealtimePoint now) {
  return core::magnitude(core::Offset{core::magnitude(core::Offset{step}) - kLeap}) <= kExactly && near_leap(now);
}

core::nanoseconds leap_over_in(core::RealtimePoint now) {
  const core::nanoseconds since = since_midnight(now);
  // A second later still, for an inserted one repeats the last second of the day.
  return (since <= kVicinity ? kVicinity - since : kUtcDay - since + kVicinity) + 2 * kLeap;
}

}  // namespace clockmend::engine
