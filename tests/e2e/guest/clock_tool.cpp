// Test rig only, not part of the product. Looks at a guest's clocks from inside, and plays the host behind a PTP clock.
//  clock_tool look [rtc]              one JSON object: CLOCK_*, TSC, PTP clocks, the vmclock page; with "rtc" its edge too
//  clock_tool phc-step DEVICE NS      adds to that PTP clock (clock_adjtime); prints REALTIME and MONOTONIC right after
//  clock_tool phc-rate DEVICE MS      how fast it runs against MONOTONIC_RAW
//  clock_tool vmclock-poll MS         what poll() says of /dev/vmclock0, and after how long
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <linux/rtc.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace {

using Ns = long long;
constexpr Ns kSecond = 1'000'000'000;

Ns to_ns(const timespec& ts) { return Ns{ts.tv_sec} * kSecond + ts.tv_nsec; }

Ns now(clockid_t id) {
  timespec ts{};
  ::clock_gettime(id, &ts);
  return to_ns(ts);
}

// FD_TO_CLOCKID of the kernel's tools (clock_getres(2), dynamic clocks).
clockid_t clock_of(int fd) { return static_cast<clockid_t>((~static_cast<unsigned>(fd) << 3U) | 3U); }

std::uint64_t tsc() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

int open_or_die(const char* path, int flags) {
  const int fd = ::open(path, flags | O_CLOEXEC);
  if (fd < 0) {
    std::printf("%s: %s\n", path, std::strerror(errno));
    std::exit(1);
  }
  return fd;
}

struct PtpSample {
  Ns bracket = std::numeric_limits<Ns>::max();
  Ns offset = 0;  // PTP clock minus REALTIME
  Ns phc = 0;
};

// The narrowest of five brackets of PTP_SYS_OFFSET_EXTENDED (linux/ptp_clock.h).
std::optional<PtpSample> read_ptp(const std::string& device) {
  const int fd = ::open(device.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  ptp_sys_offset_extended request{};
  request.n_samples = 5;
  const int failed = ::ioctl(fd, PTP_SYS_OFFSET_EXTENDED, &request);
  ::close(fd);
  if (failed != 0) return std::nullopt;
  const auto ns = [](const ptp_clock_time& t) { return Ns{t.sec} * kSecond + t.nsec; };
  PtpSample best;
  for (unsigned i = 0; i < request.n_samples; ++i) {
    const Ns before = ns(request.ts[i][0]);
    const Ns after = ns(request.ts[i][2]);
    if (after - before >= best.bracket) continue;
    best.bracket = after - before;
    best.phc = ns(request.ts[i][1]);
    best.offset = best.phc - (before + (after - before) / 2);
  }
  return best;
}

void print_ptp() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/ptp", none)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::printf(", \"ptp\": [");
  const char* comma = "";
  for (const std::string& name : names) {
    const std::string clock_name = first_line("/sys/class/ptp/" + name + "/clock_name");
    std::printf("%s{\"device\": \"%s\", \"clock_name\": \"%s\"", comma, name.c_str(), clock_name.c_str());
    if (const auto sample = read_ptp("/dev/" + name)) {
      std::printf(", \"phc_ns\": %lld, \"offset_ns\": %lld, \"bracket_ns\": %lld", sample->phc, sample->offset, sample->bracket);
    }
    std::printf("}");
    comma = ", ";
  }
  std::printf("]");
}

void print_vmclock() {
  std::array<unsigned char, 0x70> page{};
  const int fd = ::open("/dev/vmclock0", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const ssize_t got = ::read(fd, page.data(), page.size());
  ::close(fd);
  std::printf(", \"vmclock\": {\"hex\": \"");
  for (ssize_t i = 0; i < got; ++i) std::printf("%02x", page.at(static_cast<std::size_t>(i)));
  std::uint64_t marker = 0;
  std::memcpy(&marker, page.data() + 0x10, sizeof marker);
  std::printf("\", \"disruption_marker\": %llu}", static_cast<unsigned long long>(marker));
}

// RTC minus REALTIME at the RTC's second edge, between two reads of which the later one shows the new second.
void print_rtc() {
  const int fd = ::open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  rtc_time then{};
  if (::ioctl(fd, RTC_RD_TIME, &then) != 0) return;
  const Ns limit = now(CLOCK_MONOTONIC) + 3 * kSecond;
  while (now(CLOCK_MONOTONIC) < limit) {
    const Ns before = now(CLOCK_REALTIME);
    rtc_time read{};
    ::ioctl(fd, RTC_RD_TIME, &read);
    const Ns after = now(CLOCK_REALTIME);
    if (read.tm_sec != then.tm_sec) {
      std::tm date{};
      std::memcpy(&date, &read, std::min(sizeof read, sizeof date));
      date.tm_isdst = 0;
      const Ns edge = Ns{::timegm(&date)} * kSecond;
      std::printf(", \"rtc\": {\"edge_ns\": %lld, \"offset_ns\": %lld, \"bracket_ns\": %lld}", edge, edge - (before + (after - before) / 2),
                  after - before);
      break;
    }
    const timespec nap{0, 100'000};
    ::nanosleep(&nap, nullptr);
  }
  ::close(fd);
}

struct Clocks {
  Ns realtime = 0;
  Ns monotonic = 0;
  Ns raw = 0;
  Ns boottime = 0;
  std::uint64_t tsc = 0;
};

// All at nearly one moment: the first reads pay for page faults, and under TCG for translation.
Clocks read_clocks() {
  Clocks clocks;
  for (int i = 0; i < 4; ++i) {
    clocks.realtime = now(CLOCK_REALTIME);
    clocks.monotonic = now(CLOCK_MONOTONIC);
    clocks.raw = now(CLOCK_MONOTONIC_RAW);
    clocks.boottime = now(CLOCK_BOOTTIME);
    clocks.tsc = tsc();
  }
  return clocks;
}

int look(bool with_rtc) {
  const Clocks clocks = read_clocks();
  std::printf("{\"realtime_ns\": %lld, \"monotonic_ns\": %lld, \"raw_ns\": %lld, \"boottime_ns\": %lld, \"tsc\": %llu", clocks.realtime,
              clocks.monotonic, clocks.raw, clocks.boottime, static_cast<unsigned long long>(clocks.tsc));
  const std::string source = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::printf(", \"clocksource\": \"%s\"", source.c_str());
  print_ptp();
  print_vmclock();
  if (with_rtc) print_rtc();
  std::printf("}\n");
  return 0;
}

int phc_step(const char* device, Ns amount) {
  const int fd = open_or_die(device, O_RDWR);
  timex change{};
  change.modes = ADJ_SETOFFSET | ADJ_NANO;
  change.time.tv_sec = amount / kSecond;
  change.time.tv_usec = amount % kSecond;
  if (change.time.tv_usec < 0) {  // must not be negative with ADJ_NANO (adjtimex(2))
    change.time.tv_sec -= 1;
    change.time.tv_usec += kSecond;
  }
  if (::clock_adjtime(clock_of(fd), &change) < 0) {
    std::printf("%s: %s\n", device, std::strerror(errno));
    return 1;
  }
  std::printf("%lld %lld\n", now(CLOCK_REALTIME), now(CLOCK_MONOTONIC));
  return 0;
}

int phc_rate(const char* device, long ms) {
  const int fd = open_or_die(device, O_RDONLY);
  const Ns phc = now(clock_of(fd));
  const Ns raw = now(CLOCK_MONOTONIC_RAW);
  const timespec nap{ms / 1000, ms % 1000 * 1'000'000};
  ::nanosleep(&nap, nullptr);
  const Ns phc_went = now(clock_of(fd)) - phc;
  const Ns raw_went = now(CLOCK_MONOTONIC_RAW) - raw;
  std::printf("%.6f\n", static_cast<double>(phc_went) / static_cast<double>(raw_went));
  return 0;
}

int vmclock_poll(int ms) {
  pollfd one{open_or_die("/dev/vmclock0", O_RDONLY), POLLIN, 0};
  const Ns began = now(CLOCK_MONOTONIC);
  const int ready = ::poll(&one, 1, ms);
  std::printf("%d %#x %lld\n", ready, static_cast<unsigned>(one.revents), now(CLOCK_MONOTONIC) - began);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "look") return look(words.size() > 1 && words[1] == "rtc");
  if (words.size() == 3 && words[0] == "phc-step") return phc_step(argv[2], std::atoll(argv[3]));
  if (words.size() == 3 && words[0] == "phc-rate") return phc_rate(argv[2], std::atol(argv[3]));
  if (words.size() == 2 && words[0] == "vmclock-poll") return vmclock_poll(std::atoi(argv[2]));
  std::fputs("usage: clock_tool look [rtc] | phc-step DEVICE NS | phc-rate DEVICE MS | vmclock-poll MS\n", stderr);
  return 2;
}
