#include "agent/os/clock_adjuster.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>

#include "agent/os/errors.hpp"
#include "agent/os/files.hpp"

namespace clockmend::os {
namespace {

constexpr long kNanosPerSecond = 1'000'000'000;

// Discipline and leap bits that belong to the time daemon and must be the same after a step as before it. STA_UNSYNC is
// not among them: the kernel sets it, rightly, and only the daemon may clear it again.
constexpr int kKeptStatus = STA_PLL | STA_FLL | STA_FREQHOLD | STA_INS | STA_DEL | STA_PPSFREQ | STA_PPSTIME;

core::Error set_error(int number) {
  if (number == EINVAL) {
    return {core::ErrorCode::invalid, "the kernel refuses this step: the result would lie before boot or beyond its range"};
  }
  return errno_error(number, "clock_adjtime");
}

// A step (ADJ_SETOFFSET) makes the kernel run ntp_clear(): a running adjtime() slew and the PLL's phase offset become 0,
// maxerror and esterror 16 s, STA_UNSYNC is set. Frequency, time constant, tick, TAI offset and the other status bits stay;
// all that is as it should be, for the phase they described is gone, and STA_UNSYNC also keeps the 11-minute RTC
// mode quiet until the daemon vouches for the time again. Two things are put back:
//  - ADJ_NANO leaves STA_NANO set for good, which would change the unit of the next plain ADJ_OFFSET of a daemon that
//    works in microseconds;
//  - discipline and leap bits, should a kernel have changed them.
void restore_kept_state(int status_before, int status_after) {
  if ((status_before & STA_NANO) == 0) {
    timex t{};
    t.modes = ADJ_MICRO;
    ::clock_adjtime(CLOCK_REALTIME, &t);
  }
  if (((status_before ^ status_after) & kKeptStatus) != 0) {
    timex t{};
    t.modes = ADJ_STATUS;
    t.status = (status_after & ~kKeptStatus) | (status_before & kKeptStatus);
    ::clock_adjtime(CLOCK_REALTIME, &t);
  }
}

bool has_effective_sys_time() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[CAP_TO_INDEX(CAP_SYS_TIME)].effective & CAP_TO_MASK(CAP_SYS_TIME)) != 0;
}

// The clock belongs to the first user namespace, whose map is the identity over all 32 bits (user_namespaces(7)).
bool in_first_user_namespace() {
  PosixFileReader files;
  const auto map = files.read("/proc/self/uid_map", 4096);
  return !map || map->find("4294967295") != std::string::npos;
}

}  // namespace

SplitOffset split_offset(core::Offset offset) {
  SplitOffset split{offset.value.count() / kNanosPerSecond, offset.value.count() % kNanosPerSecond};
  if (split.nanos < 0) {
    split.nanos += kNanosPerSecond;
    split.secs -= 1;
  }
  return split;
}

core::Result<core::ClockSnapshot> LinuxClockAdjuster::step(core::Offset offset) {
  timex before{};
  if (::clock_adjtime(CLOCK_REALTIME, &before) < 0) return set_error(errno);
  const SplitOffset split = split_offset(offset);
  timex t{};
  t.modes = ADJ_SETOFFSET | ADJ_NANO;
  t.time.tv_sec = split.secs;
  t.time.tv_usec = split.nanos;
  if (::clock_adjtime(CLOCK_REALTIME, &t) < 0) return set_error(errno);
  const core::ClockSnapshot after = clocks_.snapshot();
  restore_kept_state(before.status, t.status);
  return after;
}

core::Status LinuxClockAdjuster::slew(core::Offset offset) {
  timex t{};
  t.modes = ADJ_OFFSET_SINGLESHOT;  // microseconds, like adjtime(3); the frequency is not touched
  t.offset = std::chrono::duration_cast<core::microseconds>(offset.value).count();
  if (::clock_adjtime(CLOCK_REALTIME, &t) < 0) return errno_error(errno, "clock_adjtime");
  return core::success();
}

core::Status LinuxClockAdjuster::permitted() {
  timex t{};
  if (::clock_adjtime(CLOCK_REALTIME, &t) < 0) return errno_error(errno, "clock_adjtime is not allowed here");
  if (!has_effective_sys_time()) return core::Error{core::ErrorCode::not_permitted, "the capability CAP_SYS_TIME is missing"};
  if (!in_first_user_namespace()) {
    return core::Error{core::ErrorCode::not_permitted, "CAP_SYS_TIME of a user namespace does not cover the clock"};
  }
  return core::success();
}

}  // namespace clockmend::os
