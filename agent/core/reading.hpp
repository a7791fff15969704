// What a witness measured: an offset that never travels without its error.
#pragma once

#include <cstddef>
#include <string>

#include "agent/core/offset.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// Who measured. One value per probe that can measure an offset ("witness").
enum class Witness { host, rtc, ntp, ptp, vmclock };
inline constexpr std::size_t kWitnesses = 5;

[[nodiscard]] constexpr const char* to_string(Witness w) {
  switch (w) {
    case Witness::host:
      return "host";
    case Witness::rtc:
      return "rtc";
    case Witness::ntp:
      return "ntp";
    case Witness::ptp:
      return "ptp";
    case Witness::vmclock:
      return "vmclock";
  }
  return "?";
}

struct OffsetReading {
  Witness witness = Witness::ntp;
  /// reference - CLOCK_REALTIME at `at`.
  Offset offset;
  /// Half-width of the measurement itself (bracket, round trip): what repeats from reading to reading. A bound, not a sigma.
  nanoseconds uncertainty{};
  /// What the reference itself may be wrong by and keeps from reading to reading while the device and host stay the
  /// same: up to 1 s for an RTC's phase, the host's clock error for a host exchange, 0 for NTP (its root distance is
  /// in `uncertainty`). It cancels in a difference of two readings.
  nanoseconds systematic{};
  ClockSnapshot at;
  /// NTP: servers whose intervals intersect / servers that gave a usable answer. 1/1 for every other witness.
  unsigned agreeing = 1;
  unsigned answered = 1;
  bool leap_announced = false;  // NTP: most of the agreeing servers announce a leap second
  /// For the audit record: device, server names, round trip.
  std::string detail;
};

}  // namespace clockmend::core
