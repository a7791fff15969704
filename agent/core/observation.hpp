// What one probe saw: the only thing probes hand to the engine.
#pragma once

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
};

using Observation = std::variant<OffsetReading, ClocksCompared, HostNotice, BaselineVoid, MeasurementFailed>;

}  // namespace clockmend::core
