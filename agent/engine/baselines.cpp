#include "agent/engine/baselines.hpp"

namespace clockmend::engine {
namespace {

// A witness and RAW drift apart at most this fast between two readings (TSC calibration error plus crystal; the RTC
// probe itself learns the rest). Only the short time since the last reading counts.
constexpr std::int64_t kDriftPpm = 200;
// Readings coarser than this tell that something happened, not where the edge was.
constexpr core::milliseconds kCoarsestBaseline{50};

core::nanoseconds drift(const core::ClockSnapshot& from, const core::ClockSnapshot& to) {
  const core::nanoseconds age = to.raw - from.raw;
  return age > age.zero() ? age * kDriftPpm / 1'000'000 : age.zero();
}

core::nanoseconds total_error(const core::OffsetReading& base, const core::OffsetReading& now) {
  return base.uncertainty + now.uncertainty + base.at.bracket + now.at.bracket + drift(base.at, now.at);
}

}  // namespace

void Baselines::learn(const core::OffsetReading& reading, bool disciplined) {
  if (reading.uncertainty > kCoarsestBaseline) return;
  const auto& old = slots_[index(reading.witness)];
  const bool keep = old && !old->stale && old->disciplined && disciplined &&
                    old->reading.uncertainty + drift(old->reading.at, reading.at) < reading.uncertainty;
  if (!keep) relearn(reading, disciplined);
}

void Baselines::relearn(const core::OffsetReading& reading, bool disciplined) {
  if (reading.uncertainty > kCoarsestBaseline) return;
  slots_[index(reading.witness)] = Baseline{reading, disciplined, false};
}

void Baselines::mark_stale() {
  for (auto& slot : slots_)
    if (slot) slot->stale = true;
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
