#include "probes/vmclock_time.hpp"

#include <algorithm>
#include <string>

namespace clockmend::probes {
namespace {

using core::nanoseconds;
using core::seconds;

__extension__ using u128 = unsigned __int128;

constexpr std::uint8_t kCounterTsc = 1;
constexpr std::uint8_t kTimeUtc = 0;
constexpr std::uint8_t kTimeTai = 1;
constexpr std::uint8_t kSynchronized = 2;
constexpr std::uint8_t kFreerunning = 3;
constexpr std::uint8_t kLeapSecondNow = 3;  // VMCLOCK_LEAP_POS: it is 23:59:60, which CLOCK_REALTIME cannot show

/// Where a synchronized hypervisor does not state its error. More than any disciplined host's, less than what is stepped for.
constexpr nanoseconds kUnstatedError = core::milliseconds{10};
/// linux/vmclock-abi.h: the tolerance of such counters. Used where the page does not state its period's error.
constexpr double kUnstatedPeriodError = 50e-6;
/// With more error than this it is no witness.
constexpr seconds kUseless{10};
/// A page not updated for so long is nobody's measurement any more.
constexpr seconds kOldest{24 * 3600};
/// A counter this far before the page's own is another counter; less may be another CPU's.
constexpr seconds kEarliest{-1};
/// Outside of these it is no date: 2000-01-01 and 2200-01-01. Whether a date is plausible is the guards' question.
constexpr std::uint64_t kFirst = 946684800;
constexpr std::uint64_t kLast = 7258118400;

core::Error no_time(const std::string& why) { return {core::ErrorCode::unavailable, "the page carries no time (" + why + ")"}; }

/// seconds * 2^64, as two parts of 64 bits: ticks * period, whose unit is 2^-(64 + shift) s.
u128 span(std::uint64_t ticks, std::uint64_t period, std::uint8_t shift) {
  return shift < 128 ? static_cast<u128>(ticks) * period >> shift : u128{0};
}

constexpr std::uint64_t whole_seconds(u128 t) { return static_cast<std::uint64_t>(t >> 64); }

nanoseconds below_seconds(u128 t) {
  const auto fraction = static_cast<std::uint64_t>(t);
  return nanoseconds{static_cast<nanoseconds::rep>(static_cast<u128>(fraction) * 1'000'000'000U >> 64)};
}

/// Saturated at ten thousand years' worth, so that nothing overflows.
nanoseconds duration_of(u128 t) {
  constexpr std::uint64_t kMany = 4'000'000'000;
  return whole_seconds(t) > kMany ? nanoseconds{seconds{kMany}} : seconds{static_cast<std::int64_t>(whole_seconds(t))} + below_seconds(t);
}

/// Time since the page's instant, negative when the counter is before it.
nanoseconds age_of(const core::VmclockPage& page) {
  const std::uint64_t ticks = *page.counter_now - page.counter_value;
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  if ((ticks & kSign) == 0) return duration_of(span(ticks, page.counter_period_frac_s, page.period_shift));
  return -duration_of(span(~ticks + 1, page.counter_period_frac_s, page.period_shift));
}

nanoseconds extrapolation_error(const core::VmclockPage& page, nanoseconds age) {
  const nanoseconds span_ns = age < nanoseconds::zero() ? -age : age;
  if (!page.period_maxerror_frac_s)
    return nanoseconds{static_cast<nanoseconds::rep>(static_cast<double>(span_ns.count()) * kUnstatedPeriodError)};
  const std::uint64_t ticks = age < nanoseconds::zero() ? page.counter_value - *page.counter_now : *page.counter_now - page.counter_value;
  return duration_of(span(ticks, *page.period_maxerror_frac_s, page.period_shift));
}

nanoseconds stated_error(const core::VmclockPage& page) {
  constexpr std::uint64_t kHour = 3'600'000'000'000;
  if (!page.time_maxerror_ns) return kUnstatedError;
  return nanoseconds{static_cast<nanoseconds::rep>(std::min(*page.time_maxerror_ns, kHour))};
}

core::Status scale_leads_to_utc(const core::VmclockPage& page) {
  if (page.time_type == kTimeUtc) return core::success();
  if (page.time_type == kTimeTai) {
    if ((page.flags & kVmclockTaiOffsetValid) != 0) return core::success();
    return no_time("TAI without its offset to UTC");
  }
  return no_time(page.time_type == 2 ? "a monotonic time scale" : "a smeared or unknown time scale");
}

}  // namespace

std::string_view vmclock_status(const core::VmclockPage& page) {
  switch (page.clock_status) {
    case 0:
      return "unknown";
    case 1:
      return "initializing";
    case kSynchronized:
      return "synchronized";
    case kFreerunning:
      return "freerunning";
    case 4:
      return "unreliable";
    default:
      return "out of range";
  }
}

core::Status vmclock_tells_time(const core::VmclockPage& page) {
  if (page.counter_id == 0xff) return no_time("counter invalid");
  if (page.counter_id != kCounterTsc) return no_time("counter " + std::to_string(page.counter_id) + " is not this machine's");
  if (!page.has_time) return no_time("the page ends before it");
  if (!page.counter_now) return no_time("this machine's counter cannot be used");
  if (page.clock_status == kFreerunning) {
    if (!page.time_maxerror_ns) return no_time("freerunning, with unknown error");
  } else if (page.clock_status != kSynchronized) {
    return no_time("status " + std::string(vmclock_status(page)));
  }
  if (auto scale = scale_leads_to_utc(page); !scale) return scale;
  if (page.leap_indicator == kLeapSecondNow) return no_time("a leap second is under way");
  if (page.counter_period_frac_s == 0) return no_time("its counter's period is 0");
  return core::success();
}

core::Result<core::OffsetReading> vmclock_reading(const core::VmclockPage& page) {
  if (auto tells = vmclock_tells_time(page); !tells) return tells.error();
  const nanoseconds age = age_of(page);
  if (age < kEarliest) return no_time("the counter is before the page's");
  if (age > kOldest) return no_time("the page is older than a day");
  if (page.time_s < kFirst || page.time_s > kLast) return no_time("absurd: " + std::to_string(page.time_s) + " s since 1970");

  nanoseconds since_1970 = seconds{static_cast<std::int64_t>(page.time_s)} + below_seconds(page.time_frac_s) + age;
  // "TAI to UTC": to be added, -37 s today.
  if (page.time_type == kTimeTai) since_1970 += seconds{page.tai_offset_s};

  core::OffsetReading r;
  r.witness = core::Witness::vmclock;
  r.offset = {since_1970 - page.at.realtime.time_since_epoch()};
  r.uncertainty = page.at.bracket + extrapolation_error(page, age);
  r.systematic = stated_error(page);
  r.at = page.at;
  if (r.uncertainty + r.systematic > kUseless) return no_time("it may be wrong by more than 10 s");
  return r;
}

}  // namespace clockmend::probes
