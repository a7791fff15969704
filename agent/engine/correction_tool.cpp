// A step that a program makes: whether it may, and what its end means.
#include <algorithm>

#include "agent/engine/correction.hpp"

namespace clockmend::engine {
namespace {

using core::ActionKind;
using core::Outcome;
using core::StepBackend;
using core::StepFallback;
using core::Witness;

}  // namespace

// It follows NTP and nothing else, and a time daemon beside it would hold its port or take the step back.
std::string Correction::no_tool_here(const core::Estimate& estimate) const {
  if (std::find(estimate.agreeing.begin(), estimate.agreeing.end(), Witness::ntp) == estimate.agreeing.end())
    return "NTP does not stand behind this step";
  if (context_.policy.manage_daemon ? stopped_.running : context_.daemon_active) return "a time daemon runs on beside it";
  return {};
}

void Correction::make_step(const core::Estimate& estimate, const core::ClockSnapshot& now, Commands& out) {
  const std::string name = core::to_string(backend_);
  const std::string why = backend_ == StepBackend::builtin ? "" : no_tool_here(estimate);
  if (!why.empty() && context_.policy.step_fallback == StepFallback::none) {
    conclude(Outcome::failed, name + " cannot make this step: " + why + "; step.fallback is \"none\"", now, out);
    return;
  }
  if (!why.empty()) {
    no_tool_ = name + " cannot: " + why;
    backend_ = StepBackend::builtin;
  }
  apply(estimate.offset, ActionKind::step, now, out);
  if (backend_ != StepBackend::builtin) out.back() = RunStepTool{backend_, estimate.offset};
}

void Correction::tool_stepped(core::Offset amount) {
  tool_stepped_ = tool_stepped_ + amount;
  report_.total = report_.total + amount;
  shift_testimony(amount);
}

Commands Correction::tool_ended(const StepToolOutcome& outcome, const core::ClockSnapshot& now) {
  Commands out;
  if (phase_ != Phase::stepping || done()) return out;
  end_action(ActionKind::step, outcome.ok, outcome.detail, now);
  std::find_if(report_.actions.rbegin(), report_.actions.rend(), [](const auto& a) { return a.kind == ActionKind::step; })->offset =
      tool_stepped_;
  if (outcome.ok) {
    const core::nanoseconds apart = core::magnitude(tool_stepped_ - pending_offset_);
    const core::nanoseconds error = report_.estimate ? report_.estimate->uncertainty : core::nanoseconds::zero();
    if (apart > context_.policy.step_threshold + error) {
      weaken(std::string(core::to_string(backend_)) + " stepped by another amount than was measured");
      // Another pause most likely, which is in its step and not in what the witnesses said before: no ground for new baselines.
      std::erase_if(testimony_, [](const core::Evidence& e) { return e.reading.witness != Witness::ntp; });
    }
    phase_ = Phase::verifying;
    report_.outcome = Outcome::corrected;
    context_.state.on(StateEvent::stepped, "stepped; waiting for proof", now.realtime);
    advance(now, out);
    return out;
  }
  no_tool_ = outcome.detail;
  if (context_.policy.step_fallback == StepFallback::none) {
    conclude(Outcome::failed, outcome.detail + "; step.fallback is \"none\"", now, out);
    advance(now, out);
    return out;
  }
  // Whatever it did, or did not do: measured again, and decided anew.
  backend_ = StepBackend::builtin;
  phase_ = Phase::investigating;
  deadline_passed_ = false;
  remeasure_ = true;
  verify_asked_ = now.raw;
  arm(out);
  out.push_back(AskWitness{Witness::ntp});
  return out;
}

}  // namespace clockmend::engine
