// What was done, in the order it was done, and what came of it: the audit record of one discontinuity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/discontinuity.hpp"

namespace clockmend::core {

enum class Outcome { corrected, no_action, observed, refused, failed };

[[nodiscard]] constexpr const char* to_string(Outcome o) {
  switch (o) {
    case Outcome::corrected:
      return "corrected";
    case Outcome::no_action:
      return "no-action";
    case Outcome::observed:
      return "observed";
    case Outcome::refused:
      return "refused";
    case Outcome::failed:
      return "failed";
  }
  return "?";
}

enum class ActionKind { step, trim, slew, stop_daemon, verify, write_rtc, start_daemon };

[[nodiscard]] constexpr const char* to_string(ActionKind k) {
  switch (k) {
    case ActionKind::step:
      return "step";
    case ActionKind::trim:
      return "trim";
    case ActionKind::slew:
      return "slew";
    case ActionKind::stop_daemon:
      return "stop-daemon";
    case ActionKind::verify:
      return "verify";
    case ActionKind::write_rtc:
      return "write-rtc";
    case ActionKind::start_daemon:
      return "start-daemon";
  }
  return "?";
}

/// One action of a correction. Times are CLOCK_BOOTTIME since detection: REALTIME moves under them.
struct ActionRecord {
  ActionKind kind = ActionKind::step;
  nanoseconds begun{};
  nanoseconds ended{};
  bool ok = false;
  std::string detail;            // unit, witness, "written", "already right", or the error
  std::optional<Offset> offset;  // step, trim, slew: applied; verify: measured
  std::optional<nanoseconds> uncertainty;
};

struct CorrectionReport {
  std::uint64_t number = 0;  // counts up over the life of the history
  Discontinuity discontinuity;
  Outcome outcome = Outcome::failed;
  std::string reason;                // one sentence for the operator
  std::optional<Estimate> estimate;  // what the step was based on
  Offset total;                      // sum of all steps applied
  std::optional<Offset> residual;    // last NTP measurement after the last step
  std::optional<nanoseconds> residual_uncertainty;
  bool verified = false;  // NTP (or two witnesses) confirmed the result
  std::string rtc;        // written | already right | pending | skipped: why | failed: why
  std::string daemon;     // unit(s) running again | none active | failed: why
  std::vector<ActionRecord> actions;
  std::vector<std::string> notices;  // ids of every host notice this report answers
  RealtimePoint started_realtime{};  // wall clock before, as wrong as it was
  RealtimePoint ended_realtime{};
  nanoseconds duration{};  // BOOTTIME from detection to the end
};

}  // namespace clockmend::core
