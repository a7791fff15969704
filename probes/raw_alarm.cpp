#include "probes/raw_alarm.hpp"

#include <algorithm>
#include <utility>

namespace clockmend::probes {
namespace {

using core::nanoseconds;

/// Too early by less than this is not worth another wake-up.
constexpr nanoseconds kTolerance = core::milliseconds{3};
/// The rate is measured over waits at least this long; the bracket of two snapshots is then below 0.1 %.
constexpr nanoseconds kRateBase = core::milliseconds{100};
/// chronyd's largest slew is 1/12; beyond 15 % it was a jump of the counter, not a rate.
constexpr double kLargestSlew = 0.15;

}  // namespace

void RawAlarm::set(core::RawPoint when, std::function<void()> call) {
  when_ = when;
  call_ = std::move(call);
  arm();
}

void RawAlarm::set_after(nanoseconds delay, std::function<void()> call) { set(clock_.snapshot().raw + delay, std::move(call)); }

void RawAlarm::arm() {
  const core::ClockSnapshot now = clock_.snapshot();
  if (last_ && now.raw - last_->raw >= kRateBase) {
    const double rate =
        static_cast<double>((now.monotonic - last_->monotonic).count()) / static_cast<double>((now.raw - last_->raw).count());
    monotonic_per_raw_ = std::clamp(rate, 1.0 - kLargestSlew, 1.0 + kLargestSlew);
  }
  if (!last_ || now.raw - last_->raw >= kRateBase) last_ = now;
  const auto raw_wait = static_cast<double>(std::max(when_ - now.raw, nanoseconds::zero()).count());
  const nanoseconds wait{static_cast<nanoseconds::rep>(raw_wait * monotonic_per_raw_)};
  timer_ = scheduler_.at(now.monotonic + wait, [this] { fired(); });
}

void RawAlarm::fired() {
  if (when_ - clock_.snapshot().raw > kTolerance) return arm();
  const auto call = std::move(call_);  // it may set the alarm again
  call();
}

}  // namespace clockmend::probes
