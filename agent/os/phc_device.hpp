// A PTP hardware clock through /dev/ptpN (linux/ptp_clock.h).
#pragma once

#include <linux/ptp_clock.h>

#include <ctime>
#include <functional>
#include <optional>
#include <string>

#include "agent/core/ports/phc.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// The system calls a reading takes; tests script and count them.
struct PhcCalls {
  /// ioctl(2): 0, or an errno value.
  std::function<int(int fd, unsigned long request, void* argument)> ioctl;
  std::function<core::nanoseconds(clockid_t)> clock;
};
[[nodiscard]] PhcCalls linux_phc_calls();

/// Brackets per reading. Each costs the hypervisor an exit, and some count them: ENA serves 125 a second. Of five one is
/// undisturbed unless the machine is overloaded.
inline constexpr unsigned kPhcBrackets = 5;

/// One ioctl and four clock readings per reading (the latter in the vDSO where the clocksource has one). The first reading finds
/// the best ioctl the driver has: PRECISE, EXTENDED (no gettimex64 in ptp_kvm, hv_utils, ptp_vmw: EOPNOTSUPP), plain.
class LinuxPhc final : public core::Phc {
 public:
  LinuxPhc(UniqueFd fd, std::string node, PhcCalls calls = linux_phc_calls());

  core::Result<core::PhcReading> read() override;

 private:
  enum class Method { precise, extended, basic };
  /// What an ioctl told: the device's time and the REALTIME that belongs to it, and REALTIME when the last pair was taken.
  struct Sample {
    core::nanoseconds phc{};
    core::nanoseconds realtime{};
    core::nanoseconds bracket{};
    core::nanoseconds end{};
    unsigned samples = 0;
    std::optional<core::nanoseconds> raw;  // MONOTONIC_RAW of that instant, where the kernel gives it
  };

  core::Result<Sample> sample();
  core::Result<Sample> sample_with(Method method);
  core::Result<Sample> precise();
  core::Result<Sample> extended();
  core::Result<Sample> basic();
  [[nodiscard]] core::Status call(unsigned long request, void* argument, const char* name);
  [[nodiscard]] core::Result<core::PhcReading> placed(const Sample& sample);

  UniqueFd fd_;
  std::string node_;
  PhcCalls calls_;
  Method method_ = Method::precise;
};

/// Seconds are signed, nanoseconds always count forward from them, as in the kernel's timespec64: -0.3 s is {-1, 700000000}.
/// invalid for a nanosecond part of a second or more, or what does not fit into 64 bits of nanoseconds (292 years).
[[nodiscard]] core::Result<core::nanoseconds> from_ptp_time(const ptp_clock_time& t);

}  // namespace clockmend::os
