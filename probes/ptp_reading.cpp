// Reading the clock every tick: is it sane, on which scale does it run, and is there anything to say.
#include <cstdio>
#include <utility>

#include "probes/ptp.hpp"
#include "probes/ptp_limits.hpp"

namespace clockmend::probes {

using core::nanoseconds;

namespace {

// Of PHC against REALTIME, and of both against the other clocks, which were read somewhere on the way after the bracket.
nanoseconds error_of(const core::PhcReading& reading) { return reading.bracket / 2 + reading.at.bracket / 2; }

}  // namespace

void PtpProbe::tick() {
  arm_tick();
  observe(false);
}

void PtpProbe::observe(bool asked) {
  const auto reading = held_->phc->read();
  if (!reading) return failed(reading.error(), asked);
  held_->failures = 0;
  held_->bracket = reading->bracket;
  judge(*reading, asked);
}

void PtpProbe::failed(const core::Error& error, bool asked) {
  const std::string why = error.text;
  if (error.code == core::ErrorCode::not_found)
    gone(why);
  else if (++held_->failures > kPtpToleratedFailures)
    put_aside(why, std::nullopt);
  if (asked) emit_failure(why);
}

// The descriptor is of a device that is no more; the one that took its place may be there already, under any number. It is
// opened at once, but only in place of one that had proved good: else a device that comes and goes would keep us busy.
void PtpProbe::gone(const std::string& why) {
  if (!held_->learned) return put_aside(why, std::nullopt);
  candidates_.appeared(held_->device.node, scheduler_.now());
  lost(ptp_words(held_->device) + ": " + why);
}

void PtpProbe::judge(const core::PhcReading& reading, bool asked) {
  const PtpPoint point{reading.phc, reading.at.raw, error_of(reading)};
  held_->rate.add(point);
  const bool due = held_->told && point.raw - held_->told->raw >= kPtpBaselineEvery;
  if (rate_is_wrong(due)) return reject(asked);
  if (const auto undecided = decide_scale(reading)) {
    put_aside(*undecided, kPtpScaleRetry);
    if (asked) emit_failure(why_);
    return;
  }
  if (due) refresh_scale();
  switch (choose(point, asked)) {
    case Word::none:
      return;
    case Word::reading:
      return tell(reading, point);
    case Word::disruption:
      return warn(point);
    case Word::failure:
      return emit_failure(ptp_words(held_->device) + reason_for_silence());
  }
}

std::optional<std::string> PtpProbe::decide_scale(const core::PhcReading& reading) {
  if (held_->tai_offset || held_->kind.tripwire) return std::nullopt;
  const nanoseconds ahead = reading.phc - reading.at.realtime.time_since_epoch();
  const auto decided = decide_tai_offset(held_->kind.scale, ahead, clock_.kernel_status());
  const auto known = scales_.find(held_->device.clock_name);
  // Opened again after a pause of 37 s, a clock in UTC looks like one in TAI: what it was before is not given up for that.
  const bool other = held_->kind.scale == core::Timescale::automatic && known != scales_.end() && decided &&
                     (*decided == nanoseconds::zero()) != (known->second == nanoseconds::zero());
  if (decided && !other) {
    held_->tai_offset = decided;
    if (known != scales_.end() || scales_.size() < kPtpScalesKnown) scales_[held_->device.clock_name] = *decided;
  }
  if (held_->tai_offset || held_->silent) return std::nullopt;  // a wrong rate is found first: it is the reason to name
  char text[160];
  std::snprintf(text, sizeof text, "the time scale (UTC or TAI) cannot be decided: it is %.3f s ahead of the system clock%s",
                static_cast<double>(ahead.count()) / 1e9,
                !other                                 ? ""
                : known->second == nanoseconds::zero() ? ", and was in UTC before"
                                                       : ", and was in TAI before");
  return text;
}

bool PtpProbe::rate_is_wrong(bool due) {
  if (held_->learned && !due && !held_->rate.in_doubt()) return false;
  const PtpRate::Verdict verdict = held_->rate.judge();
  if (verdict == PtpRate::Verdict::insane) return true;
  if (verdict == PtpRate::Verdict::sane && !held_->learned) {
    held_->learned = true;
    held_->silent = false;
    state_ = core::ProbeState::running;
    candidates_.praise(held_->device);
  }
  return false;
}

PtpProbe::Word PtpProbe::choose(const PtpPoint& point, bool asked) {
  Held& h = *held_;
  const bool may_speak = !h.silent && !h.rate.in_doubt();
  if (asked) return may_speak && !h.kind.tripwire ? Word::reading : Word::failure;
  if (!may_speak) return Word::none;
  if (h.told) {
    // A change while the rate is being learned waits until it can be told from a wrong rate.
    const PtpRate::Change change = h.rate.between(*h.told, point);
    if (h.learned && core::magnitude({change.moved}) > kPtpChange + change.error) return h.kind.tripwire ? Word::disruption : Word::reading;
    const nanoseconds age = point.raw - h.told->raw;
    if (age < kPtpBaselineEvery || (point.error > kPtpCoarse && age < 2 * kPtpBaselineEvery)) return Word::none;
  }
  if (!h.kind.tripwire) return Word::reading;
  h.told = point;
  if (better_one_there()) look_soon();
  return Word::none;
}

const char* PtpProbe::reason_for_silence() const {
  if (held_->kind.tripwire) return " is smeared: it tells that time passed, not which time it is";
  return held_->silent ? ": its rate is still being learned" : ": its rate is in doubt";
}

// A leap second moves both, and the kernel learns of it (ADJ_TAI).
void PtpProbe::refresh_scale() {
  if (held_->tai_offset.value_or(nanoseconds::zero()) == nanoseconds::zero()) return;
  const core::KernelClockStatus kernel = clock_.kernel_status();
  if (kernel.tai_offset_s != 0) held_->tai_offset = tai_minus_utc(kernel);
}

void PtpProbe::tell(const core::PhcReading& reading, const PtpPoint& point) {
  core::OffsetReading told = offset_reading(reading);
  held_->told = point;
  last_ = told;
  spoke_ = true;
  if (const auto broken = std::exchange(baseline_void_, std::nullopt)) emit(core::BaselineVoid{core::Witness::ptp, *broken});
  emit(std::move(told));
}

void PtpProbe::warn(const PtpPoint& point) {
  const PtpRate::Change change = held_->rate.between(*held_->told, point);
  held_->told = point;
  core::Disruption disruption;
  disruption.tripwire = core::Tripwire::ptp;
  if (change.moved > nanoseconds::zero()) disruption.gap = change.moved;
  disruption.gap_uncertainty = change.error;
  char text[80];
  std::snprintf(text, sizeof text, " moved by %+.3f s against CLOCK_MONOTONIC_RAW", static_cast<double>(change.moved.count()) / 1e9);
  disruption.why = ptp_words(held_->device) + text;
  emit(std::move(disruption));
}

void PtpProbe::reject(bool asked) {
  const std::string why = held_->rate.describe();
  if (PtpCandidates::Candidate* candidate = candidates_.find(held_->device)) candidate->rejected = true;
  put_aside(why, std::nullopt);
  const std::string whole = why_;
  // What it said so far is worth nothing.
  baseline_void_.reset();
  if (std::exchange(spoke_, false)) emit(core::BaselineVoid{core::Witness::ptp, whole});
  if (asked) emit_failure(whole);
}

core::OffsetReading PtpProbe::offset_reading(const core::PhcReading& reading) const {
  const nanoseconds tai = held_->tai_offset.value_or(nanoseconds::zero());
  core::OffsetReading told;
  told.witness = core::Witness::ptp;
  told.offset.value = reading.phc - tai - reading.at.realtime.time_since_epoch();
  told.uncertainty = error_of(reading);
  told.at = reading.at;
  char text[96];
  if (reading.samples == 0)
    std::snprintf(text, sizeof text, ", cross timestamp");
  else
    std::snprintf(text, sizeof text, ", best of %u brackets %.1f us", reading.samples, static_cast<double>(reading.bracket.count()) / 1e3);
  told.detail = ptp_words(held_->device) + text;
  if (tai != nanoseconds::zero()) told.detail += ", TAI-UTC " + std::to_string(std::chrono::floor<core::seconds>(tai).count()) + " s";
  return told;
}

void PtpProbe::emit(core::Observation observation) {
  if (sink_) sink_(std::move(observation));
}

void PtpProbe::emit_failure(const std::string& why) { emit(core::MeasurementFailed{core::Witness::ptp, why}); }

}  // namespace clockmend::probes
