// The phases of a correction: what each one does when something new is known.
#include <algorithm>

#include "agent/engine/correction.hpp"

namespace clockmend::engine {
namespace {

using core::ActionKind;
using core::Mode;
using core::Outcome;
using core::Witness;

/// A thousand guests of one host are resumed together: where the step left nothing that would be stepped, they do not ask for
/// the proof together.
constexpr core::milliseconds kVerificationSpread{300};

}  // namespace

std::string Correction::hands_off() const {
  if (dry_run_) return "dry run: measured, nothing changed";
  if (context_.policy.mode == Mode::observe) return "mode is \"observe\": measured, nothing changed";
  if (context_.policy.mode == Mode::off) return "mode is \"off\": nothing changed";
  // An administrator who stopped the time daemon and set the clock meant it.
  const auto& d = report_.discontinuity;
  if (d.cause == core::Cause::foreign_step && !context_.daemon_active && !forced_ && stop_ == Task::idle)
    return "somebody set the clock while no time daemon was running: left as it was set";
  if (d.cause == core::Cause::foreign_step && context_.fighting && !forced_) return "somebody keeps taking our steps back: left to them";
  return {};
}

bool Correction::stop_first() const {
  return context_.policy.sequence == core::Sequence::stop_first || backend_ != core::StepBackend::builtin;
}

bool Correction::waits_for_stop_first() const { return remeasure_ || (stop_first() && stop_ != Task::finished); }

PlanContext Correction::plan_context(const core::ClockSnapshot& now) const {
  PlanContext c;
  const auto& d = report_.discontinuity;
  c.guard.now = now;
  c.guard.own_forward = std::max(report_.total.value, core::nanoseconds::zero());
  c.guard.forced = forced_;
  c.guard.leap_announced = context_.leap_announced;
  c.deadline_passed = deadline_passed_;
  c.gap_announced = event_.attested || d.notice.has_value() || d.foreign_step.has_value();
  c.attested = event_.attested;
  c.ntp_pending = ntp_pending_;
  c.patience = ntp_deferred_ || !patience_over_;
  c.at_least = at_least_;
  return c;
}

void Correction::advance(const core::ClockSnapshot& now, Commands& out) {
  if (phase_ == Phase::investigating && ready_ && (daemons_known_ || deadline_passed_)) investigate(now, out);
  if (phase_ == Phase::verifying) verify(now, out);
  if (phase_ == Phase::finishing && rtc_ == Task::finished && start_ == Task::finished) publish(now, out);
}

void Correction::investigate(const core::ClockSnapshot& now, Commands& out) {
  const PlanContext plan = plan_context(now);
  const Decision decision = decide(testimony_, context_.steps, plan, context_.policy);
  for (auto& e : report_.discontinuity.evidence)
    e.used =
        std::any_of(testimony_.begin(), testimony_.end(), [&](const auto& t) { return t.reading.witness == e.reading.witness && t.used; });
  if (const auto* wait = std::get_if<Wait>(&decision)) {
    if (wait->proved_wrong && context_.policy.mode == Mode::correct && hands_off().empty()) request_stop(now, out);
    return;
  }
  act(decision, now, out);
}

void Correction::act(const Decision& decision, const core::ClockSnapshot& now, Commands& out) {
  if (const auto* nothing = std::get_if<NothingToDo>(&decision)) {
    recorded_ = nothing->recorded && !(withdrawn_ && !report_.discontinuity.notice && !report_.discontinuity.foreign_step);
    recorded_ = recorded_ || stop_ != Task::idle;  // a daemon was touched
    if (!nothing->proved) weaken(nothing->why);
    conclude(Outcome::no_action, nothing->why, now, out);
  } else if (const auto* refuse = std::get_if<Refuse>(&decision)) {
    conclude(Outcome::refused, refuse->why, now, out);
  } else if (const auto* gradually = std::get_if<Gradually>(&decision)) {
    report_.estimate = gradually->estimate;
    work_off(*gradually, now, out);
  } else if (const auto* step = std::get_if<Step>(&decision)) {
    report_.estimate = step->estimate;
    take_step(step->estimate, now, out);
  }
}

void Correction::take_step(const core::Estimate& estimate, const core::ClockSnapshot& now, Commands& out) {
  if (const std::string why = hands_off(); !why.empty()) {
    conclude(Outcome::observed, why, now, out);
    return;
  }
  if (context_.policy.mode == Mode::slew_only) {
    work_off({estimate, "mode is \"slew-only\""}, now, out);
    return;
  }
  corroborated_ = corroborated(estimate);
  local_proof_ = std::any_of(estimate.agreeing.begin(), estimate.agreeing.end(), [](Witness w) { return is_host_clock(w); });
  if (stop_first()) request_stop(now, out);
  // The step first: each message to the service manager costs applications time on a wrong clock.
  if (!waits_for_stop_first() && hooks_.allow(context_.policy, report_, estimate, out)) make_step(estimate, now, out);
  request_stop(now, out);
}

void Correction::work_off(const Gradually& gradually, const core::ClockSnapshot& now, Commands& out) {
  const bool slewing = context_.policy.mode == Mode::slew_only;
  if (const std::string why = hands_off(); !why.empty()) {
    conclude(Outcome::observed, why + "; it would be worked off gradually", now, out);
    return;
  }
  if ((slewing || !context_.policy.manage_daemon) && context_.daemon_active) {
    weaken("not right yet: the time daemon works the offset off");
    conclude(Outcome::no_action, gradually.why + "; left to the time daemon", now, out);
    return;
  }
  if (!slewing) {
    request_stop(now, out);  // its restart makes the daemon measure anew
    if (stop_ != Task::finished) return;
  }
  if (stopped_.any) {
    weaken("not right yet: the time daemon works the offset off");
    conclude(Outcome::corrected, gradually.why + "; left to the time daemon", now, out);
  } else
    apply(gradually.estimate.offset, ActionKind::slew, now, out);
}

void Correction::apply(core::Offset offset, ActionKind kind, const core::ClockSnapshot& now, Commands& out) {
  phase_ = Phase::stepping;
  pending_kind_ = kind;
  pending_offset_ = offset;
  context_.state.on(StateEvent::correcting, "setting the clock", now.realtime);
  core::ActionRecord& action = begin_action(kind, now);
  action.offset = offset;
  if (report_.estimate && kind != ActionKind::trim) {
    action.uncertainty = report_.estimate->uncertainty;
  }
  out.push_back(ApplyStep{offset, kind, forced_});
}

void Correction::request_stop(const core::ClockSnapshot& now, Commands& out) {
  if (stop_ != Task::idle) return;
  if (!context_.policy.manage_daemon) {
    stop_ = Task::finished;
    return;
  }
  stop_ = Task::requested;
  context_.state.on(StateEvent::correcting, "stopping the time daemon", now.realtime);
  begin_action(ActionKind::stop_daemon, now);
  out.push_back(StopDaemons{backend_ != core::StepBackend::builtin});
}

void Correction::verify(const core::ClockSnapshot& now, Commands& out) {
  if (stop_ != Task::finished || verify_ != Task::idle) return;
  verify_ = Task::requested;
  verify_asked_ = now.raw;
  begin_action(ActionKind::verify, now);
  arm(out);
  const bool urgent = !report_.estimate || report_.estimate->uncertainty > context_.policy.step_threshold;
  out.push_back(AskWitness{Witness::ntp, urgent ? core::nanoseconds::zero() : kVerificationSpread});
}

void Correction::verified_by(const core::OffsetReading& ntp, const core::ClockSnapshot& now, Commands& out) {
  verify_ = Task::finished;
  report_.residual = ntp.offset;
  report_.residual_uncertainty = ntp.uncertainty;
  const PlanContext plan = plan_context(now);
  const TrimDecision d = decide_trim(ntp, testimony_, context_.steps, plan.guard, context_.policy);
  core::ActionRecord& action =
      *std::find_if(report_.actions.rbegin(), report_.actions.rend(), [](const auto& a) { return a.kind == ActionKind::verify; });
  action.offset = ntp.offset;
  action.uncertainty = ntp.uncertainty;
  end_action(ActionKind::verify, d.hold.empty(), ntp.detail, now);
  report_.verified = d.hold.empty();
  corroborated_ = corroborated_ || (report_.verified && d.corroborated);
  if (!d.hold.empty()) weaken(d.hold);
  add_evidence(ntp);
  if (d.trim)
    apply(d.trim->offset, ActionKind::trim, now, out);
  else
    finish(now, out);
}

// Without an action taken, the record is complete at once; with a daemon already stopped, it is first started again.
void Correction::conclude(Outcome outcome, std::string reason, const core::ClockSnapshot& now, Commands& out) {
  report_.outcome = outcome;
  report_.reason = std::move(reason);
  concluded_ = true;
  if (stop_ == Task::requested || stop_ == Task::finished) {
    finish(now, out);
    return;
  }
  publish(now, out);
}

void Correction::finish(const core::ClockSnapshot& now, Commands& out) {
  phase_ = Phase::finishing;
  hooks_.over(context_.policy, report_, out);
  const bool stepped = report_.total.value != core::nanoseconds::zero();
  // Another pause since, and nothing that proves the clock after it: the RTC may be all that tells of it, and is not written from a
  // clock that is wrong again.
  const bool wrong_again = stepped && !overtaken_.empty() && !report_.verified;
  // One server's word alone, even repeated, does not make the RTC its second witness.
  const bool proved = (corroborated_ || local_proof_) && !wrong_again;
  if (stepped && proved && context_.policy.write_rtc) {
    rtc_ = Task::requested;
    begin_action(ActionKind::write_rtc, now);
    out.push_back(write_rtc());
  } else {
    rtc_ = Task::finished;
    report_.rtc = !stepped                     ? ""
                  : !context_.policy.write_rtc ? "skipped: write_rtc is off"
                  : wrong_again                ? "skipped: the clock stood still again meanwhile"
                                               : "skipped: one source alone";
  }
  start_what_was_stopped(now, out);
}

// Not before the stop has ended: only then is known what there is to start.
void Correction::start_what_was_stopped(const core::ClockSnapshot& now, Commands& out) {
  if (stop_ == Task::requested || start_ != Task::idle) return;
  if (stopped_.any) {
    start_ = Task::requested;
    begin_action(ActionKind::start_daemon, now);
    out.push_back(StartDaemons{});
  } else {
    start_ = Task::finished;
    report_.daemon = stopped_.detail;
  }
}

void Correction::weaken(const std::string& why) { weakness_ += (weakness_.empty() ? "" : "; ") + why; }

WriteRtc Correction::write_rtc() const {
  WriteRtc write;
  const auto rtc = std::find_if(testimony_.begin(), testimony_.end(), [](const auto& e) { return e.reading.witness == Witness::rtc; });
  if (rtc == testimony_.end()) return write;
  const core::OffsetReading& reading = rtc->reading;
  if (reading.uncertainty <= context_.policy.rtc_write_threshold / 4) write.offset = reading.offset;
  write.expected = core::interval_around(reading.offset, reading.uncertainty + reading.systematic);
  return write;
}

void Correction::publish(const core::ClockSnapshot& now, Commands& out) {
  phase_ = Phase::done;
  hooks_.over(context_.policy, report_, out);
  report_.ended_realtime = now.realtime;
  report_.duration = now.boottime - report_.discontinuity.detected.boottime;
  const bool stepped = report_.total.value != core::nanoseconds::zero();
  if (corroborated_ || (report_.estimate && corroborated(*report_.estimate)))
    report_.discontinuity.confidence = core::Confidence::corroborated;
  else if (report_.estimate)
    report_.discontinuity.confidence = core::Confidence::single;
  if (stepped) {
    // A server that confirms its own word is still one source.
    context_.steps.add(now.boottime, report_.total, corroborated_ || forced_);
    if (!concluded_) {
      const std::string by = backend_ == core::StepBackend::builtin ? "" : std::string(" by ") + core::to_string(backend_);
      report_.reason = "stepped" + by + (report_.verified ? " and verified by NTP" : "; " + weakness_);
    } else if (report_.outcome != Outcome::failed)
      report_.outcome = Outcome::corrected;
    if (report_.outcome != Outcome::failed && !no_tool_.empty()) report_.reason += "; " + no_tool_;
  }
  if (report_.outcome == Outcome::refused)
    context_.state.on(StateEvent::refused, report_.reason, now.realtime);
  else if (report_.outcome == Outcome::observed || report_.outcome == Outcome::failed || !weakness_.empty())
    context_.state.on(StateEvent::finished_weak, weakness_.empty() ? report_.reason : weakness_, now.realtime);
  else
    context_.state.on(StateEvent::finished_ok, report_.reason, now.realtime);
  out.push_back(DisarmDeadline{});
  out.push_back(Publish{report_});
}

void Correction::arm(Commands& out) {
  patience_armed_ = false;
  arm(context_.policy.verification_deadline, out);
}

void Correction::arm(core::nanoseconds delay, Commands& out) {
  token_ = ++context_.deadlines;
  out.push_back(ArmDeadline{delay, token_});
}

core::ActionRecord& Correction::begin_action(ActionKind kind, const core::ClockSnapshot& now) {
  core::ActionRecord a;
  a.kind = kind;
  a.begun = a.ended = now.boottime - report_.discontinuity.detected.boottime;
  report_.actions.push_back(std::move(a));
  return report_.actions.back();
}

void Correction::end_action(ActionKind kind, bool ok, std::string detail, const core::ClockSnapshot& now) {
  const auto it = std::find_if(report_.actions.rbegin(), report_.actions.rend(), [&](const auto& a) { return a.kind == kind; });
  if (it == report_.actions.rend()) return;
  it->ended = now.boottime - report_.discontinuity.detected.boottime;
  it->ok = ok;
  it->detail = std::move(detail);
}

}  // namespace clockmend::engine
