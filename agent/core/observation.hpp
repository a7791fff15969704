// What one probe saw: the only thing probes hand to the engine.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "agent/core/notice.hpp"
#include "agent/core/reading.hpp"

namespace clockmend::core {

/// REALTIME, MONOTONIC and BOOTTIME read together; the engine compares it with its ledger of own steps, so that
/// only somebody else's change counts (by value: a flag could swallow a real jump that coincides).
struct ClocksCompared {
  ClockSnapshot at;
};

/// The RTC was written by somebody else, or its device changed: its baseline must be learned anew; no step.
struct BaselineVoid {
  Witness witness = Witness::rtc;
  std::string why;
};

/// A witness that was asked to measure could not.
struct MeasurementFailed {
  Witness witness = Witness::ntp;
  std::string why;
  bool deferred = false;  // not asked: our own limit of requests forbade it; it is asked as soon as that allows
};

/// Tripwires that know that something happened to the VM, but cannot say which time it is.
enum class Tripwire { tsc, vmclock, vmgenid, ptp };

[[nodiscard]] constexpr const char* to_string(Tripwire t) {
  switch (t) {
    case Tripwire::tsc:
      return "tsc";
    case Tripwire::vmclock:
      return "vmclock";
    case Tripwire::vmgenid:
      return "vmgenid";
    case Tripwire::ptp:
      return "ptp";  // a PTP clock whose time is no use, such as a smeared one
  }
  return "?";
}

/// The VM was paused, moved, restored or cloned: the witnesses are asked, and their readings decide.
struct Disruption {
  Tripwire tripwire = Tripwire::tsc;
  /// How long CLOCK_MONOTONIC_RAW stood still, where the tripwire can tell (TSC, smeared PTP); the step needed is no smaller.
  std::optional<nanoseconds> gap;
  nanoseconds gap_uncertainty{};
  /// The VM may live on another host, or in another process of its hypervisor: phases and host clocks changed.
  bool moved = false;
  std::string why;
};

/// The hypervisor announces a disruption (vmclock's DISRUPTION_IMMINENT): baselines are taken afresh.
struct DisruptionExpected {
  Tripwire tripwire = Tripwire::vmclock;
  std::string why;
};

using Observation =
    std::variant<OffsetReading, ClocksCompared, HostNotice, BaselineVoid, MeasurementFailed, Disruption, DisruptionExpected>;

}  // namespace clockmend::core
