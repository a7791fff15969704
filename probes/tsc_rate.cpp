#include "probes/tsc_rate.hpp"

#include <algorithm>
#include <cmath>

namespace clockmend::probes {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
/// Keeps a nonsense counter from overflowing what is computed with it: 30 years.
constexpr double kLongest = 1e18;

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void TscRate::learn(std::int64_t ticks, core::nanoseconds raw, core::nanoseconds bracket) {
  if (ticks <= 0 || raw <= core::nanoseconds::zero()) return;
  const auto length = static_cast<double>(raw.count());
  intervals_.push_back({static_cast<double>(ticks) * kNanosecondsPerSecond / length, static_cast<double>(bracket.count()) / length});
  if (intervals_.size() > kMost) intervals_.erase(intervals_.begin());
  settle();
}

void TscRate::forget() {
  intervals_.clear();
  median_ = 0;
  error_ = 1;
}

void TscRate::settle() {
  std::vector<double> rates;
  for (const Interval& i : intervals_) rates.push_back(i.per_second);
  median_ = median_of(rates);
  // The median deviation, not the largest: one interval with an event in it must not hide the next event.
  std::vector<double> deviations;
  for (const Interval& i : intervals_) deviations.push_back(std::abs(i.per_second - median_) / median_ + i.error);
  error_ = median_of(deviations);
}

std::optional<double> TscRate::per_second() const {
  if (intervals_.size() < kFewest) return std::nullopt;
  return median_;
}

core::nanoseconds TscRate::beyond_raw(std::int64_t ticks, core::nanoseconds raw) const {
  if (!per_second()) return core::nanoseconds::zero();
  const double counted = static_cast<double>(ticks) * kNanosecondsPerSecond / median_;
  return core::nanoseconds{static_cast<core::nanoseconds::rep>(std::clamp(counted, -kLongest, kLongest))} - raw;
}

core::nanoseconds TscRate::error_over(core::nanoseconds raw) const {
  const double error = std::min(static_cast<double>(raw.count()) * error_, kLongest);
  return core::nanoseconds{static_cast<core::nanoseconds::rep>(error)};
}

}  // namespace clockmend::probes
