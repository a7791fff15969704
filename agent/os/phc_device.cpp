#include "agent/os/phc_device.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "agent/os/errors.hpp"
#include "agent/os/timespecs.hpp"

namespace clockmend::os {
namespace {

using core::nanoseconds;

static_assert(kPhcBrackets >= 1 && kPhcBrackets <= PTP_MAX_SAMPLES);

/// Between the last pair of the ioctl and the clocks read after it; longer means that we were preempted there.
constexpr core::milliseconds kLongestWay{5};
constexpr unsigned kTries = 2;
constexpr long kMostSeconds = 9'000'000'000;  // below 2^63 ns

struct Bracket {
  nanoseconds before{};
  nanoseconds phc{};
  nanoseconds after{};
  [[nodiscard]] nanoseconds width() const { return after - before; }
};

core::Result<Bracket> bracket_of(const ptp_clock_time& before, const ptp_clock_time& phc, const ptp_clock_time& after) {
  const auto b = from_ptp_time(before);
  const auto p = from_ptp_time(phc);
  const auto a = from_ptp_time(after);
  if (!p) return p.error();
  if (!b || !a) return core::Error{core::ErrorCode::invalid, "impossible system time stamps"};
  return Bracket{*b, *p, *a};
}

// REALTIME may be set back inside a bracket; such a one proves nothing.
void keep_tightest(std::optional<Bracket>& best, const Bracket& next) {
  if (next.width() < nanoseconds::zero()) return;
  if (!best || next.width() < best->width()) best = next;
}

bool not_supported(core::ErrorCode code) { return code == core::ErrorCode::unsupported || code == core::ErrorCode::invalid; }

}  // namespace

PhcCalls linux_phc_calls() {
  return {[](int fd, unsigned long request, void* argument) { return ::ioctl(fd, request, argument) == 0 ? 0 : errno; }, read_clock};
}

core::Result<nanoseconds> from_ptp_time(const ptp_clock_time& t) {
  if (t.nsec >= 1'000'000'000U || t.sec > kMostSeconds || t.sec < -kMostSeconds)
    return core::Error{core::ErrorCode::invalid,
                       "the device tells no time: " + std::to_string(t.sec) + " s, " + std::to_string(t.nsec) + " ns"};
  return core::seconds{t.sec} + nanoseconds{t.nsec};
}

LinuxPhc::LinuxPhc(UniqueFd fd, std::string node, PhcCalls calls) : fd_(std::move(fd)), node_(std::move(node)), calls_(std::move(calls)) {}

core::Result<core::PhcReading> LinuxPhc::read() {
  core::Result<core::PhcReading> reading = core::Error{};
  for (unsigned i = 0; i < kTries; ++i) {
    const auto taken = sample();
    if (!taken) return taken.error();
    reading = placed(*taken);
    if (reading && reading->at.bracket <= kLongestWay) break;
  }
  return reading;
}

core::Result<LinuxPhc::Sample> LinuxPhc::sample() {
  auto taken = sample_with(method_);
  // PRECISE fails with ENODEV when the guest's clocksource is not the counter the device relates to, which may change
  // while we run: whatever it says, the others decide whether the device is there.
  if (!taken && method_ == Method::precise) {
    method_ = Method::extended;
    taken = sample_with(method_);
  }
  if (!taken && method_ == Method::extended && not_supported(taken.error().code)) {
    method_ = Method::basic;
    taken = sample_with(method_);
  }
  return taken;
}

core::Result<LinuxPhc::Sample> LinuxPhc::sample_with(Method method) {
  switch (method) {
    case Method::precise:
      return precise();
    case Method::extended:
      return extended();
    case Method::basic:
      return basic();
  }
  return core::Error{};
}

core::Status LinuxPhc::call(unsigned long request, void* argument, const char* name) {
  int number = EINTR;
  for (unsigned i = 0; i < kTries && number == EINTR; ++i) number = calls_.ioctl(fd_.get(), request, argument);
  if (number == 0) return core::success();
  return errno_error(number, node_ + ": " + name);
}

core::Result<LinuxPhc::Sample> LinuxPhc::precise() {
  ptp_sys_offset_precise data{};
  if (const auto done = call(PTP_SYS_OFFSET_PRECISE, &data, "PTP_SYS_OFFSET_PRECISE"); !done) return done.error();
  const auto pair = bracket_of(data.sys_realtime, data.device, data.sys_realtime);
  if (!pair) return pair.error();
  const auto raw = from_ptp_time(data.sys_monoraw);
  if (!raw) return raw.error();
  return Sample{pair->phc, pair->before, nanoseconds::zero(), pair->before, 0, *raw};
}

core::Result<LinuxPhc::Sample> LinuxPhc::extended() {
  ptp_sys_offset_extended data{};
  data.n_samples = kPhcBrackets;
  if (const auto done = call(PTP_SYS_OFFSET_EXTENDED, &data, "PTP_SYS_OFFSET_EXTENDED"); !done) return done.error();
  std::optional<Bracket> best;
  nanoseconds end{};
  for (const auto& triple : std::span{data.ts, kPhcBrackets}) {
    const auto next = bracket_of(triple[0], triple[1], triple[2]);
    if (!next) return next.error();
    keep_tightest(best, *next);
    end = next->after;
  }
  if (!best) return core::Error{core::ErrorCode::unavailable, node_ + ": the clock was set while it was read"};
  return Sample{best->phc, best->before + best->width() / 2, best->width(), end, kPhcBrackets, {}};
}

core::Result<LinuxPhc::Sample> LinuxPhc::basic() {
  ptp_sys_offset data{};
  data.n_samples = kPhcBrackets;
  if (const auto done = call(PTP_SYS_OFFSET, &data, "PTP_SYS_OFFSET"); !done) return done.error();
  std::optional<Bracket> best;
  nanoseconds end{};
  const auto stamps = std::span{data.ts};  // system, device, system, device, ..., system
  for (std::size_t i = 0; i < kPhcBrackets; ++i) {
    const auto next = bracket_of(stamps[2 * i], stamps[2 * i + 1], stamps[2 * i + 2]);
    if (!next) return next.error();
    keep_tightest(best, *next);
    end = next->after;
  }
  if (!best) return core::Error{core::ErrorCode::unavailable, node_ + ": the clock was set while it was read"};
  return Sample{best->phc, best->before + best->width() / 2, best->width(), end, kPhcBrackets, {}};
}

// The other clocks are read after the ioctl and carried back to the middle of the bracket by what REALTIME went on. All of
// them were read between the ioctl's last stamp and our own reading of REALTIME: that way is the snapshot's bracket.
core::Result<core::PhcReading> LinuxPhc::placed(const Sample& sample) {
  const nanoseconds raw = calls_.clock(CLOCK_MONOTONIC_RAW);
  const nanoseconds monotonic = calls_.clock(CLOCK_MONOTONIC);
  const nanoseconds boottime = calls_.clock(CLOCK_BOOTTIME);
  const nanoseconds now = calls_.clock(CLOCK_REALTIME);
  const nanoseconds way = now - sample.end;
  if (way < nanoseconds::zero()) return core::Error{core::ErrorCode::unavailable, node_ + ": the clock was set back while it was read"};
  const nanoseconds back = sample.end + way / 2 - sample.realtime;
  core::PhcReading reading;
  reading.phc = sample.phc;
  reading.bracket = sample.bracket;
  reading.samples = sample.samples;
  reading.at.realtime = core::RealtimePoint{sample.realtime};
  reading.at.raw = core::RawPoint{sample.raw.value_or(raw - back)};
  reading.at.monotonic = core::MonotonicPoint{monotonic - back};
  reading.at.boottime = core::BoottimePoint{boottime - back};
  reading.at.bracket = way;
  return reading;
}

}  // namespace clockmend::os
