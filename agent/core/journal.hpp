// The write-ahead journal of one correction: what recovery needs to know after the agent died at any point.
//
// It lives in /run (tmpfs), so it ends with the boot. A step found in it is never replayed, always measured again; only
// the time daemon that was stopped is brought back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/offset.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// Each record is written before the action it announces, except `stopped`, `stepped`, `rtc` and `started`, which say that
/// the action has happened. `intent` may come several times: before a step, and before the time daemon is stopped.
enum class JournalState { intent, stopped, stepped, rtc, started, done };

[[nodiscard]] constexpr const char* to_string(JournalState s) {
  switch (s) {
    case JournalState::intent:
      return "intent";
    case JournalState::stopped:
      return "stopped";
    case JournalState::stepped:
      return "stepped";
    case JournalState::rtc:
      return "rtc";
    case JournalState::started:
      return "started";
    case JournalState::done:
      return "done";
  }
  return "?";
}

/// A unit as it was before we touched it. Recovery starts it only if nobody else has started or stopped it since.
struct JournalUnit {
  std::string unit;
  std::string invocation_id;  // hex, of the run that we stop or stopped
  friend bool operator==(const JournalUnit&, const JournalUnit&) = default;
};

struct JournalRecord {
  JournalState state = JournalState::intent;
  std::uint64_t correction = 0;                           // CorrectionReport::number
  std::vector<JournalUnit> units;                         // intent: to be stopped; stopped and started: those that were
  std::optional<Offset> offset;                           // stepped: what was applied; intent: what is about to be
  std::string boot_id;                                    // /proc/sys/kernel/random/boot_id; a record of another boot means nothing
  std::optional<nanoseconds> realtime_minus_monotonic{};  // intent; what it has changed by later was stepped meanwhile
  std::string tool{};  // intent: the program that makes the step; `offset` is only what is expected of it then
  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

}  // namespace clockmend::core
