#include "agent/os/clock_reader.hpp"

#include <fcntl.h>
#include <sys/timex.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "agent/os/timespecs.hpp"

namespace clockmend::os {
namespace {

using core::nanoseconds;

// A bracket far beyond the usual one means that we were preempted in the middle, and trying again helps.
constexpr int kSnapshotTries = 4;

core::ClockSnapshot read_once() {
  core::ClockSnapshot s;
  s.raw = core::RawPoint{read_clock(CLOCK_MONOTONIC_RAW)};
  s.realtime = core::RealtimePoint{read_clock(CLOCK_REALTIME)};
  s.monotonic = core::MonotonicPoint{read_clock(CLOCK_MONOTONIC)};
  s.boottime = core::BoottimePoint{read_clock(CLOCK_BOOTTIME)};
  s.bracket = core::RawPoint{read_clock(CLOCK_MONOTONIC_RAW)} - s.raw;
  return s;
}

}  // namespace

LinuxClockReader::LinuxClockReader(std::string root) : root_(std::move(root)) {}

core::ClockSnapshot LinuxClockReader::snapshot() {
  core::ClockSnapshot best = read_once();
  for (int i = 1; i < kSnapshotTries && best.bracket > tight_; ++i) {
    const core::ClockSnapshot next = read_once();
    if (next.bracket < best.bracket) best = next;
  }
  // Twice the usual bracket, followed half-way each time: the clocksource may change while we run.
  tight_ = std::max(kLeastTight, (tight_ + 2 * best.bracket) / 2);
  return best;
}

core::KernelClockStatus LinuxClockReader::kernel_status() {
  timex t{};  // modes = 0: read only, no privilege needed (adjtimex(2))
  core::KernelClockStatus status;
  if (::clock_adjtime(CLOCK_REALTIME, &t) < 0) return status;
  status.unsynchronized = (t.status & STA_UNSYNC) != 0;
  status.leap_pending = (t.status & (STA_INS | STA_DEL)) != 0;
  status.max_error = core::microseconds{t.maxerror};
  status.frequency_ppm = static_cast<double>(t.freq) / 65536.0;  // ppm with a 16-bit fraction
  status.tai_offset_s = t.tai;
  return status;
}

std::string LinuxClockReader::clocksource() {
  if (!clocksource_) {
    const std::string path = root_ + "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    clocksource_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  std::array<char, 64> text{};  // CS_NAME_LEN is 32 (kernel/time/clocksource.c)
  const ssize_t length = ::pread(clocksource_.get(), text.data(), text.size(), 0);
  if (length <= 0) {
    clocksource_.reset();
    return "unknown";
  }
  std::string_view name{text.data(), static_cast<std::size_t>(length)};
  name = name.substr(0, name.find_last_not_of("\n ") + 1);
  return name.empty() ? "unknown" : std::string{name};
}

}  // namespace clockmend::os
