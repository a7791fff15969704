#include "probes/ptp_rate.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "agent/core/offset.hpp"
#include "probes/ptp_limits.hpp"

namespace clockmend::probes {
namespace {

using core::nanoseconds;

nanoseconds at_rate(nanoseconds elapsed, double ppm) {
  return nanoseconds{static_cast<nanoseconds::rep>(static_cast<double>(elapsed.count()) * ppm * 1e-6)};
}

double ppm_of(nanoseconds moved, nanoseconds elapsed) {
  return static_cast<double>(moved.count()) / static_cast<double>(elapsed.count()) * 1e6;
}

}  // namespace

PtpRate::PtpRate() : error_ppm_(kPtpLargestRatePpm) {}

void PtpRate::add(const PtpPoint& point) {
  if (last_ && point.raw - last_->raw < kPtpRateStep) return;
  if (last_) {
    const nanoseconds raw = point.raw - last_->raw;
    steps_[next_] = {raw, point.phc - last_->phc - raw, point.error + last_->error};
    next_ = (next_ + 1) % kSteps;
    count_ = std::min(count_ + 1, kSteps);
  }
  last_ = point;
}

double PtpRate::median_rate() const {
  std::array<double, kSteps> rates{};
  for (unsigned i = 0; i < count_; ++i) rates[i] = ppm_of(steps_[i].moved, steps_[i].raw);
  const auto middle = rates.begin() + count_ / 2;
  std::nth_element(rates.begin(), middle, rates.begin() + count_);
  return *middle;
}

PtpRate::Kept PtpRate::without_jumps(double rate) const {
  Kept kept;
  nanoseconds widest{};
  for (unsigned i = 0; i < count_; ++i) {
    const Step& step = steps_[i];
    if (core::magnitude({step.moved - at_rate(step.raw, rate)}) > kPtpChange + step.error) {
      ++kept.jumps;
      continue;
    }
    kept.raw += step.raw;
    kept.moved += step.moved;
    widest = std::max(widest, step.error);
  }
  kept.error = widest * (kept.jumps + 1);  // neighbours share their readings: only the ends of a run count
  return kept;
}

PtpRate::Verdict PtpRate::judge() {
  if (count_ < kPtpRateLeastSteps) return Verdict::learning;
  const Kept kept = without_jumps(median_rate());
  erratic_ = kept.jumps * 2 > count_;
  if (erratic_) return count_ == kSteps ? Verdict::insane : Verdict::learning;
  if (kept.raw < kPtpRateBase) return Verdict::learning;
  ppm_ = ppm_of(kept.moved, kept.raw);
  error_ppm_ = ppm_of(kept.error, kept.raw);
  return std::abs(ppm_) > kPtpLargestRatePpm + error_ppm_ ? Verdict::insane : Verdict::sane;
}

bool PtpRate::in_doubt() const {
  unsigned off = 0;
  for (unsigned i = 0; i < std::min(count_, kPtpDoubtfulAmong); ++i) {
    const Step& step = steps_[(next_ + kSteps - 1 - i) % kSteps];
    if (core::magnitude({step.moved}) > kPtpChange + step.error + at_rate(step.raw, kPtpLargestRatePpm)) ++off;
  }
  return off >= kPtpDoubtfulChanges;
}

PtpRate::Change PtpRate::between(const PtpPoint& from, const PtpPoint& to) const {
  const nanoseconds elapsed = to.raw - from.raw;
  const nanoseconds drift = at_rate(elapsed, std::min(error_ppm_ + kPtpLearnedPpm, kPtpLargestRatePpm));
  return {to.phc - from.phc - elapsed - at_rate(elapsed, ppm_), from.error + to.error + core::magnitude({drift})};
}

std::string PtpRate::describe() const {
  if (erratic_) return "it jumps about against CLOCK_MONOTONIC_RAW";
  char text[96];
  std::snprintf(text, sizeof text, "it runs %.0f ppm too %s against CLOCK_MONOTONIC_RAW", std::abs(ppm_), ppm_ < 0 ? "slow" : "fast");
  return text;
}

}  // namespace clockmend::probes
