// Proves that nothing started from here can set the clock or the RTC of this machine. Every other test relies on it.
//
// It looks at its capabilities first: with CAP_SYS_TIME it fails without trying anything.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/rtc.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace {

// True unless /proc/self/status proves that neither we nor any child of ours can have CAP_SYS_TIME.
bool may_have_sys_time() {
  std::ifstream status("/proc/self/status");
  int seen = 0;
  for (std::string line; std::getline(status, line);) {
    const bool effective = line.rfind("CapEff:", 0) == 0;
    const bool bounding = line.rfind("CapBnd:", 0) == 0;
    const bool inheritable = line.rfind("CapInh:", 0) == 0;
    if (!effective && !bounding && !inheritable) continue;
    ++seen;
    const std::uint64_t mask = std::stoull(line.substr(7), nullptr, 16);
    if ((mask >> CAP_SYS_TIME & 1U) != 0) return true;
  }
  return seen != 3;
}

bool denied(const char* what, int result) {
  const int error = errno;
  if (result < 0 && (error == EPERM || error == EACCES)) {
    std::printf("%s: %s, as it must be\n", what, std::strerror(error));
    return true;
  }
  std::printf("%s: NOT denied (%s)\n", what, result < 0 ? std::strerror(error) : "it succeeded");
  return false;
}

// A step of zero: harmless even if it were allowed.
bool clock_is_safe() {
  timex change{};
  change.modes = ADJ_SETOFFSET | ADJ_NANO;
  return denied("clock_adjtime", clock_adjtime(CLOCK_REALTIME, &change));
}

// Writes back what was read: harmless even if it were allowed.
bool rtc_is_safe() {
  const int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    std::printf("/dev/rtc0: %s, so nothing can be set here (a guest shows it: e2e.sys_time_denied)\n", std::strerror(errno));
    return true;
  }
  rtc_time time{};
  bool safe = true;
  if (ioctl(fd, RTC_RD_TIME, &time) == 0)
    safe = denied("RTC_SET_TIME", ioctl(fd, RTC_SET_TIME, &time));
  else
    std::printf("/dev/rtc0 cannot be read: %s\n", std::strerror(errno));
  close(fd);
  return safe;
}

}  // namespace

int main() {
  if (may_have_sys_time()) {
    std::puts(
        "CAP_SYS_TIME is there: nothing was tried. Start the tests with tests/run.sh, or under\n"
        "  setpriv --bounding-set=-sys_time --inh-caps=-sys_time");
    return 1;
  }
  const bool clock = clock_is_safe();
  const bool rtc = rtc_is_safe();
  return clock && rtc ? 0 : 1;
}
