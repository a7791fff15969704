#include "agent/engine/baselines.hpp"

namespace clockmend::engine {
namespace {

// A witness and RAW drift apart at most this fast between two readings (TSC calibration error plus crystal; the RTC
// probe itself learns the rest). Only the short time since the last reading counts.
constexpr std::int64_t kDriftPpm = 200;
// Differences of REALTIME - BOOTTIME below this are what reading two clocks in turn costs.
constexpr core::microseconds kReadingNoise{500};

core::nanoseconds drift(const core::ClockSnapshot& from, const core::ClockSnapshot& to) {
  const core::nanoseconds age = to.raw - from.raw;
  return age > age.zero() ? age * kDriftPpm / 1'000'000 : age.zero();
}

core::nanoseconds total_error(const core::OffsetReading& base, const core::OffsetReading& now) {
  return base.uncertainty + now.uncertainty + base.at.bracket + now.at.bracket + drift(base.at, now.at);
}

}  // namespace

void Baselines::learn(const core::OffsetReading& reading, bool disciplined) {
  const auto& old = slots_[index(reading.witness)];
  const bool better = old && old->reading.uncertainty + drift(old->reading.at, reading.at) < reading.uncertainty;
  // The first exact reading of a clock known right is worth more than a finer one of a clock that was not.
  const bool promotes = old && disciplined && !old->disciplined && is_exact(reading);
  if (!better || promotes) relearn(reading, disciplined);
}

void Baselines::relearn(const core::OffsetReading& reading, bool disciplined) {
  slots_[index(reading.witness)] = Baseline{reading, disciplined};
}

void Baselines::accept_step(core::Offset amount) {
  for (auto& slot : slots_)
    if (slot) move_along(slot->reading, amount);
}

void move_along(core::OffsetReading& reading, core::Offset applied) {
  reading.offset = reading.offset - applied;
  reading.at.realtime += applied.value;
}

core::OffsetReading rebased(core::OffsetReading reading, const core::ClockSnapshot& now) {
  const auto difference = [](const core::ClockSnapshot& s) { return s.realtime.time_since_epoch() - s.boottime.time_since_epoch(); };
  const core::Offset stepped{difference(now) - difference(reading.at)};
  if (core::magnitude(stepped) > kReadingNoise + reading.at.bracket + now.bracket) move_along(reading, stepped);
  return reading;
}

core::HostNotice rebased(core::HostNotice notice, const core::ClockSnapshot& now) {
  if (notice.exchange) notice.exchange = rebased(*notice.exchange, now);
  return notice;
}

std::optional<core::OffsetInterval> Baselines::gap(const core::OffsetReading& reading) const {
  const auto& base = of(reading.witness);
  if (!base) return std::nullopt;
  const core::nanoseconds adjusted = core::realtime_minus_raw(reading.at) - core::realtime_minus_raw(base->reading.at);
  const core::Offset change{reading.offset.value - base->reading.offset.value + adjusted};
  return core::interval_around(change, total_error(base->reading, reading));
}

std::optional<core::OffsetInterval> Baselines::needed(const core::OffsetReading& reading) const {
  const auto& base = of(reading.witness);
  if (!base) return std::nullopt;
  return core::interval_around(reading.offset - base->reading.offset, total_error(base->reading, reading));
}

}  // namespace clockmend::engine
