#include "agent/os/tsc_counter.hpp"

#include <fcntl.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "agent/os/errors.hpp"
#include "agent/os/files.hpp"
#include "agent/os/timespecs.hpp"
#include "agent/os/unique_fd.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace clockmend::os {
namespace {

#if defined(__x86_64__)

// The first processor's flags lie within this; the file itself grows with the number of processors.
constexpr std::size_t kCpuinfoRead = std::size_t{16} * 1024;

std::uint64_t read_tsc() {
  // rdtsc is not ordered against loads before and after it (Intel SDM, RDTSC): the fences keep it between the clocks.
  _mm_lfence();
  const std::uint64_t ticks = __rdtsc();
  _mm_lfence();
  return ticks;
}

core::Result<std::string> first_cpu(const std::string& root) {
  const std::string path = root + "/proc/cpuinfo";
  const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd) return errno_error(errno, path);
  std::string text(kCpuinfoRead, '\0');
  std::size_t used = 0;
  while (used < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, path);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  text.resize(used);
  return text;
}

/// Whether `line` has `word`, between blanks.
bool has_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || line[at - 1] == ' ') && (end == line.size() || line[end] == ' ' || line[end] == '\n')) return true;
  }
  return false;
}

/// Whether the first "flags" line has `flag`.
bool has_flag(std::string_view cpuinfo, std::string_view flag) {
  const std::size_t begin = cpuinfo.starts_with("flags") ? 0 : cpuinfo.find("\nflags");
  if (begin == std::string_view::npos) return false;
  std::string_view line = cpuinfo.substr(begin + 1);
  return has_word(line.substr(0, line.find('\n')), flag);
}

#endif

}  // namespace

CounterAndClocks read_counter_and_clocks([[maybe_unused]] bool with_counter) {
  CounterAndClocks r;
  r.at.raw = core::RawPoint{read_clock(CLOCK_MONOTONIC_RAW)};
  r.at.realtime = core::RealtimePoint{read_clock(CLOCK_REALTIME)};
#if defined(__x86_64__)
  if (with_counter) r.ticks = read_tsc();
#endif
  r.at.monotonic = core::MonotonicPoint{read_clock(CLOCK_MONOTONIC)};
  r.at.boottime = core::BoottimePoint{read_clock(CLOCK_BOOTTIME)};
  r.at.bracket = core::RawPoint{read_clock(CLOCK_MONOTONIC_RAW)} - r.at.raw;
  return r;
}

#if defined(__x86_64__)

core::Status tsc_usable(const std::string& root) {
  int mode = PR_TSC_ENABLE;
  if (::prctl(PR_GET_TSC, &mode, 0, 0, 0) == 0 && mode != PR_TSC_ENABLE) {
    return core::Error{core::ErrorCode::unsupported, "the time stamp counter is forbidden to this process"};
  }
  const auto cpuinfo = first_cpu(root);
  if (!cpuinfo) return core::Error{core::ErrorCode::unsupported, cpuinfo.error().text};
  if (!has_flag(*cpuinfo, "constant_tsc")) {
    return core::Error{core::ErrorCode::unsupported, "the processor's time stamp counter is not constant (no constant_tsc)"};
  }
  return core::success();
}

bool tsc_held_stable(const std::string& root) {
  const auto list = PosixFileReader{root}.read("/sys/devices/system/clocksource/clocksource0/available_clocksource", 4096);
  return !list || has_word(*list, "tsc");
}

std::string hypervisor_signature() {
  std::array<unsigned, 4> r{};
  constexpr unsigned kHypervisorBit = 1U << 31;
  if (__get_cpuid(1, &r[0], &r[1], &r[2], &r[3]) == 0 || (r[2] & kHypervisorBit) == 0) return {};
  __cpuid(0x40000000, r[0], r[1], r[2], r[3]);
  std::string signature(12, '\0');
  std::memcpy(signature.data(), &r[1], 12);  // EBX, ECX, EDX
  while (!signature.empty() && signature.back() == '\0') signature.pop_back();
  return signature;
}

#else

core::Status tsc_usable(const std::string&) {
  return core::Error{core::ErrorCode::unsupported, "no time stamp counter on this machine (x86-64 only)"};
}

bool tsc_held_stable(const std::string&) { return false; }
std::string hypervisor_signature() { return {}; }

#endif

}  // namespace clockmend::os
