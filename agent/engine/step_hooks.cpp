#include "agent/engine/step_hooks.hpp"

namespace clockmend::engine {
namespace {

core::HookFacts facts_of(const core::CorrectionReport& report, core::HookPoint point) {
  core::HookFacts facts;
  facts.point = point;
  facts.correction = report.number;
  facts.cause = report.discontinuity.cause;
  return facts;
}

}  // namespace

bool StepHooks::allow(const core::Policy& policy, const core::CorrectionReport& report, const core::Estimate& estimate, Commands& out) {
  if (begun_ || !policy.pre_step_hooks) return !waiting_;
  begun_ = true;
  waiting_ = policy.pre_step_wait > core::milliseconds::zero();
  core::HookFacts facts = facts_of(report, core::HookPoint::pre_step);
  facts.offset = estimate.offset;
  facts.uncertainty = estimate.uncertainty;
  out.push_back(RunHooks{facts});
  return !waiting_;
}

void StepHooks::over(const core::Policy& policy, const core::CorrectionReport& report, Commands& out) {
  const bool stepped = report.total.value != core::nanoseconds::zero();
  if (over_ || !policy.post_step_hooks || !(stepped || begun_)) return;
  over_ = true;
  core::HookFacts facts = facts_of(report, core::HookPoint::post_step);
  facts.offset = report.total;
  facts.uncertainty = report.residual_uncertainty;
  if (!facts.uncertainty && report.estimate) facts.uncertainty = report.estimate->uncertainty;
  facts.verified = report.verified;
  out.push_back(RunHooks{facts});
}

}  // namespace clockmend::engine
