#include "agent/engine/planner.hpp"

#include <algorithm>

#include "agent/engine/leap.hpp"

namespace clockmend::engine {
namespace {

using core::Estimate;
using core::OffsetInterval;
using core::Witness;

// A step at once wants the result well inside step_threshold; the verification removes the rest.
core::nanoseconds good_enough(const core::Policy& p) { return p.host_clock_error + core::milliseconds{30}; }

OffsetInterval interval(const Estimate& e) { return core::interval_around(e.offset, e.uncertainty); }

bool rtc_alone(const Estimate& e) { return e.witnesses == 1 && e.best == Witness::rtc; }

Decision wait_or(const PlanContext& c, bool proved_wrong, const std::string& why, Decision at_deadline) {
  if (!c.deadline_passed) return Wait{proved_wrong, why};
  return at_deadline;
}

// The verdict that nothing needs doing, or nothing if something might.
std::optional<Decision> no_action(const Estimate& e, const PlanContext& c, const core::Policy& policy) {
  const OffsetInterval i = interval(e);
  if (e.uncertainty > policy.step_threshold) return std::nullopt;
  if (core::magnitude(e.offset) > policy.step_threshold) return std::nullopt;
  // Within the threshold by the best estimate, but possibly beyond it by its error: NTP may still tell exactly.
  if (i.greatest_magnitude() > policy.step_threshold && !c.deadline_passed && e.best != Witness::ntp) return std::nullopt;
  const bool noise = core::magnitude(e.offset) < policy.record_threshold && !c.gap_announced;
  return NothingToDo{core::magnitude(e.offset) < policy.record_threshold
                         ? "measured: the clock is right"
                         : "measured: the offset is below step_threshold and left to the time daemon",
                     !noise, true};
}

// Witnesses contradict each other beyond what their errors and an RTC's phase explain, and no majority decides.
bool contradicted(const Vote& v, const PlanContext& c, const core::Policy& policy) {
  return v.estimate && v.conflict_distance > policy.disagreement_tolerance && !v.estimate->ntp_majority && v.estimate->witnesses < 2 &&
         !c.guard.forced;
}

// A local witness whose word stands against a single NTP server's: the host itself, or an RTC that saw the clock right.
bool stands_alone(const core::Evidence& e) {
  return is_host_clock(e.reading.witness) || (e.reading.witness == Witness::rtc && e.disciplined);
}

// No second edge of the RTC and no server behind it yet.
bool host_clocks_only(const Estimate& e, const std::vector<core::Evidence>& evidence) {
  return is_host_clock(e.best) && std::none_of(evidence.begin(), evidence.end(), [](const core::Evidence& x) {
           return x.used && (x.reading.witness == Witness::ntp || (x.reading.witness == Witness::rtc && is_exact(x.reading)));
         });
}

// Devices that follow the host's clock: none of them can tell a pause of the guest from a setting of that clock or of the RTC.
bool devices_only(const Estimate& e) {
  return std::none_of(e.agreeing.begin(), e.agreeing.end(), [](Witness w) { return w == Witness::ntp || w == Witness::host; });
}

bool leap_doubt(const Estimate& e, const GuardContext& guard) {
  return guard.leap_announced && !guard.forced && leap_explains(e.offset, e.uncertainty, guard.now.realtime);
}

bool says_right(const Vote& v, const core::Policy& policy) {
  return v.estimate && core::magnitude(v.estimate->offset) <= policy.step_threshold;
}

// The vote; once nothing more will come, one server that contradicts a sound local witness is left out of it.
Vote weigh(std::vector<core::Evidence>& evidence, const PlanContext& c, const core::Policy& policy) {
  Vote v = vote(evidence, policy, c.attested);
  if (!c.deadline_passed || !contradicted(v, c, policy) || !std::any_of(evidence.begin(), evidence.end(), stands_alone)) return v;
  std::stable_partition(evidence.begin(), evidence.end(), [](const core::Evidence& e) { return e.reading.witness != Witness::ntp; });
  std::vector<core::Evidence> local;
  std::copy_if(evidence.begin(), evidence.end(), std::back_inserter(local),
               [](const core::Evidence& e) { return e.reading.witness != Witness::ntp; });
  if (local.size() == evidence.size()) return v;
  const Vote without = vote(local, policy, c.attested);
  // Who says that the clock is right needs no better proof; who wants to move it against an outside word does.
  if (policy.on_disagreement != core::OnDisagreement::host && says_right(v, policy) && !says_right(without, policy)) return v;
  const std::string conflict = v.conflict.empty() ? "ntp disagrees" : v.conflict;
  v = without;
  v.conflict = conflict;
  v.overruled = true;
  evidence.back().used = false;
  std::copy(local.begin(), local.end(), evidence.begin());
  return v;
}

Decision decide_backward(const Estimate& e, const PlanContext& c, const core::Policy& policy) {
  if (core::magnitude(e.offset) <= policy.backward_slew_limit)
    return Gradually{e, "backward by less than backward_slew_limit: no jump, worked off gradually"};
  if (corroborated(e) || c.guard.forced) return Step{e};
  const std::string why =
      "a step backward needs two agreeing witnesses or an NTP majority; only " + std::string(core::to_string(e.best)) + " asks for it";
  return wait_or(c, true, why, Refuse{why});
}

std::optional<Decision> not_exact_enough(const Estimate& e, const PlanContext& c, const core::Policy& policy) {
  const OffsetInterval i = interval(e);
  const bool proved_wrong = i.least_magnitude() >= policy.step_threshold;
  if (e.uncertainty > good_enough(policy)) {
    if (!c.deadline_passed) return Wait{proved_wrong, "the estimate is good to no better than its witness; waiting for a finer one"};
    if (i.contains({}))
      return NothingToDo{"nothing shows the clock wrong, but no witness measured well enough to prove it right", true, false};
    // After the wait, a coarse estimate is used only if the clock is certainly better off with it.
    if (core::magnitude(e.offset) <= 2 * e.uncertainty) return Refuse{"no witness measured well enough before the deadline"};
  }
  if (rtc_alone(e) && !c.guard.forced && core::magnitude(e.offset) < kRtcProvesAlone) {
    const std::string why = "the RTC alone shows a change of less than 1 s, which a moved phase would show too; no second witness answered";
    return wait_or(c, false, why, Refuse{why});
  }
  return std::nullopt;
}

}  // namespace

Decision decide(std::vector<core::Evidence>& evidence, const StepHistory& history, const PlanContext& context, const core::Policy& policy) {
  const Vote v = weigh(evidence, context, policy);
  if (!v.estimate) {
    const bool wrong = context.at_least && context.at_least->value >= policy.step_threshold;
    if (v.conflict.empty()) return wait_or(context, wrong, "no witness has answered yet", Refuse{"no witness could measure the offset"});
    return wait_or(context, false, v.conflict, Refuse{"witnesses disagree (" + v.conflict + ") and on_disagreement is \"hold\""});
  }
  const Estimate& e = *v.estimate;
  // A server that finds the clock right moves nothing, so it needs no second word once nobody else will come.
  if (contradicted(v, context, policy) && !(context.deadline_passed && says_right(v, policy))) {
    const std::string why = "witnesses contradict each other by more than disagreement_tolerance (" + v.conflict + ")";
    return wait_or(context, false, why, Refuse{why});
  }
  if (auto verdict = no_action(e, context, policy)) {
    if (auto* nothing = std::get_if<NothingToDo>(&*verdict);
        nothing && (v.overruled || v.conflict_distance > policy.disagreement_tolerance)) {
      nothing->why += "; against " + v.conflict;
      nothing->recorded = true;  // who was overruled must be found again later
      // A local witness alone can have stood still with the guest: what it overrules from outside stays an open question.
      nothing->proved = std::find(e.agreeing.begin(), e.agreeing.end(), Witness::ntp) != e.agreeing.end();
    }
    return *verdict;
  }
  if (leap_doubt(e, context.guard)) return wait_or(context, false, kLeapDoubt, NothingToDo{kLeapDoubt, true, false});
  if (auto verdict = not_exact_enough(e, context, policy)) return *verdict;
  if (core::magnitude(e.offset) <= policy.step_threshold)
    return wait_or(context, false, "near the threshold; waiting for a finer witness",
                   NothingToDo{"measured: the offset is below step_threshold and left to the time daemon", true, true});
  if (auto why = forbidden(e, history, context.guard, policy)) return wait_or(context, true, *why, Refuse{*why});
  if (context.ntp_pending && !context.gap_announced && host_clocks_only(e, evidence))
    return wait_or(context, true, "only the host's own clock shows it, as it would if somebody set that; NTP is being asked", Step{e});
  if (context.ntp_pending && context.patience && !context.attested && !context.guard.forced && devices_only(e))
    return wait_or(context, false, "nobody announced a pause, and whoever set the RTC would look the same; NTP is being asked", Step{e});
  if (e.offset.value < core::nanoseconds::zero()) return decide_backward(e, context, policy);
  return Step{e};
}

TrimDecision decide_trim(const core::OffsetReading& ntp, const std::vector<core::Evidence>& local, const StepHistory& history,
                         const GuardContext& guard, const core::Policy& policy) {
  TrimDecision result;
  Estimate e;
  e.offset = ntp.offset;
  e.uncertainty = ntp.uncertainty;
  e.best = Witness::ntp;
  e.witnesses = 1;
  e.agreeing = {Witness::ntp};
  e.ntp_majority = ntp.agreeing >= 2 && 2 * ntp.agreeing > ntp.answered;
  const OffsetInterval i = core::interval_around(ntp.offset, ntp.uncertainty);
  core::nanoseconds away{};
  std::string who;
  bool host_disagrees = false;
  for (const auto& l : local) {
    if (l.reading.witness == Witness::ntp) continue;
    if (l.needed.overlaps(i)) {
      ++e.witnesses;
      e.agreeing.push_back(l.reading.witness);
    } else {
      const core::nanoseconds d = l.needed.high < i.low ? i.low.value - l.needed.high.value : l.needed.low.value - i.high.value;
      host_disagrees = host_disagrees || is_host_clock(l.reading.witness);
      if (d > away) {
        away = d;
        who = core::to_string(l.reading.witness);
      }
    }
  }
  result.corroborated = corroborated(e);
  const bool outvoted = away > policy.disagreement_tolerance && !e.ntp_majority && e.witnesses < 2 && !guard.forced;
  const bool held = policy.on_disagreement == core::OnDisagreement::hold
                        ? away > core::nanoseconds::zero()
                        : policy.on_disagreement == core::OnDisagreement::host && host_disagrees;
  const core::nanoseconds threshold = std::max<core::nanoseconds>(policy.trim_threshold, ntp.uncertainty);
  if (core::magnitude(ntp.offset) <= threshold) return result;
  if (outvoted || (held && !guard.forced)) {
    result.hold = "NTP and " + who + " disagree; the clock stays as the local witness set it";
    return result;
  }
  const core::nanoseconds backward = -(e.offset.value + guard.own_forward);
  if (leap_doubt(e, guard))
    result.hold = kLeapDoubt;
  else if (backward > policy.backward_slew_limit && !corroborated(e) && !guard.forced)
    result.hold = "NTP alone asks for a step backward beyond backward_slew_limit";
  else if (auto why = forbidden(e, history, guard, policy))
    result.hold = *why;
  else
    result.trim = e;
  return result;
}

}  // namespace clockmend::engine
