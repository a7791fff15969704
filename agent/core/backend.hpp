// Who makes a step and who writes the RTC: we, or a program that operators know.
#pragma once

namespace clockmend::core {

/// builtin: one relative clock_adjtime(2) from our own measurement. ntpd: `ntpd -gq`. ntpdig: `ntpdig -S`. chronyd: `chronyd -q`.
/// A program measures and steps by itself, so the time daemon must be down and NTP must stand behind the step.
enum class StepBackend { builtin, ntpdate, ntpd, ntpdig, chronyd };

[[nodiscard]] constexpr const char* to_string(StepBackend b) {
  switch (b) {
    case StepBackend::builtin:
      return "builtin";
    case StepBackend::ntpdate:
      return "ntpdate";
    case StepBackend::ntpd:
      return "ntpd";
    case StepBackend::ntpdig:
      return "ntpdig";
    case StepBackend::chronyd:
      return "chronyd";
  }
  return "?";
}

/// What happens where the program is missing, fails, or cannot be used for this step.
enum class StepFallback { builtin, none };

enum class RtcBackend { ioctl, hwclock };

enum class RtcFallback { ioctl, none };

}  // namespace clockmend::core
