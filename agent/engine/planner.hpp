// Evidence and policy in, one decision out. Called again with each new piece of evidence until it decides.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/engine/fusion.hpp"
#include "agent/engine/guards.hpp"

namespace clockmend::engine {

/// Not yet: more evidence is coming. `proved_wrong`: whatever comes, a correction will be needed, so slow
/// preparations (stopping the time daemon) may begin.
struct Wait {
  bool proved_wrong = false;
  std::string why;
};
struct NothingToDo {
  std::string why;
  bool recorded = true;  // false: below the record threshold, noise
  bool proved = true;    // false: nothing shows the clock wrong, but nothing measured it well either
};
struct Step {
  core::Estimate estimate;
};
/// Too small to jump backward: the restarted time daemon works it off, or we slew where none is managed.
struct Gradually {
  core::Estimate estimate;
  std::string why;
};
struct Refuse {
  std::string why;
};
using Decision = std::variant<Wait, NothingToDo, Step, Gradually, Refuse>;

/// An RTC whose phase may have moved cannot prove a smaller change by itself (DESIGN section 6, rtc).
inline constexpr core::seconds kRtcProvesAlone{1};

struct PlanContext {
  GuardContext guard;
  bool deadline_passed = false;
  bool attested = false;                 // a notice or a tripwire says that the VM was stopped: local witnesses are no lone voices then
  bool ntp_pending = false;              // NTP was asked and has neither answered nor failed
  bool patience = false;                 // it is worth waiting for: a short while, or as long as only our own limit keeps us from asking
  bool gap_announced = false;            // somebody said so or set the clock: worth a record even if the clock turns out right
  std::optional<core::Offset> at_least;  // a hook's single stamp: the offset is no smaller than this
};

[[nodiscard]] Decision decide(std::vector<core::Evidence>& evidence, const StepHistory& history, const PlanContext& context,
                              const core::Policy& policy);

/// Verification: what to trim after a step, given a fresh NTP reading. Nothing when it is within threshold or error;
/// a text when a guard or a disagreement forbids it.
struct TrimDecision {
  std::optional<core::Estimate> trim;
  std::string hold;           // not trimmed although off: why
  bool corroborated = false;  // somebody beside this one server stands behind the result
};
[[nodiscard]] TrimDecision decide_trim(const core::OffsetReading& ntp, const std::vector<core::Evidence>& local, const StepHistory& history,
                                       const GuardContext& guard, const core::Policy& policy);

}  // namespace clockmend::engine
