#include "agent/engine/correction.hpp"

#include <algorithm>

namespace clockmend::engine {
namespace {

using core::ActionKind;
using core::Outcome;
using core::Witness;

bool moves_host(core::NoticeEvent e) {
  return e == core::NoticeEvent::hot_upgrade || e == core::NoticeEvent::migrated || e == core::NoticeEvent::restored ||
         e == core::NoticeEvent::snapshot;
}

}  // namespace

Correction::Correction(CorrectionContext context, std::uint64_t number, core::Discontinuity discontinuity) : context_(context) {
  report_.number = number;
  report_.discontinuity = std::move(discontinuity);
  report_.started_realtime = report_.discontinuity.detected.realtime;
  event_.foreign_step = report_.discontinuity.foreign_step.has_value();
  if (const auto& notice = report_.discontinuity.notice) {
    event_.host_moved = moves_host(notice->event);
    if (!notice->id.empty()) report_.notices.push_back(notice->id);
  }
}

Commands Correction::begin(const core::ClockSnapshot& now) {
  Commands out;
  context_.state.on(StateEvent::disturbed, report_.discontinuity.tripwire, now.realtime);
  if (const auto& notice = report_.discontinuity.notice; notice && notice->exchange) add_evidence(*notice->exchange);
  arm(out);
  // The witnesses are asked even when the notice decides at once: their readings corroborate it and renew the baselines.
  out.push_back(AskWitnesses{});
  // Decided only after what a probe can say at once (a coarse RTC second corroborates a host's word) was heard.
  out.push_back(Reconsider{});
  return out;
}

void Correction::add_evidence(const core::OffsetReading& reading) {
  const core::Evidence fresh = testify(reading, context_.baselines, event_, context_.policy);
  const auto same = [&](const core::Evidence& e) { return e.reading.witness == reading.witness; };
  const auto old = std::find_if(testimony_.begin(), testimony_.end(), same);
  // A coarse second never replaces an exact edge, unless they contradict: then something happened in between.
  if (old != testimony_.end() && fresh.needed.half_width() > 2 * old->needed.half_width() && old->needed.overlaps(fresh.needed)) return;
  if (old == testimony_.end()) testimony_.push_back(fresh);
  else *old = fresh;
  if (phase_ != Phase::investigating) return;
  auto& record = report_.discontinuity.evidence;
  if (const auto r = std::find_if(record.begin(), record.end(), same); r != record.end()) *r = fresh;
  else record.push_back(fresh);
}

void Correction::shift_testimony(core::Offset applied) {
  for (auto& e : testimony_) {
    e.needed = {e.needed.low - applied, e.needed.high - applied};
    e.reading.offset = e.reading.offset - applied;
    e.reading.at.realtime += applied.value;
  }
}

bool Correction::join(const core::HostNotice& notice) {
  if (phase_ != Phase::investigating) return false;
  event_.host_moved = event_.host_moved || moves_host(notice.event);
  if (notice.exchange) add_evidence(*notice.exchange);
  if (!notice.id.empty()) report_.notices.push_back(notice.id);
  if (report_.discontinuity.cause != core::Cause::request) report_.discontinuity.cause = core::Cause::notice;
  report_.discontinuity.notice = notice;
  return true;
}

void Correction::foreign_step(core::nanoseconds amount) {
  auto& d = report_.discontinuity;
  d.foreign_step = d.foreign_step.value_or(core::nanoseconds::zero()) + amount;
  event_.foreign_step = true;
  shift_testimony({amount});
}

Commands Correction::reconsider(const core::ClockSnapshot& now) {
  Commands out;
  advance(now, out);
  return out;
}

Commands Correction::reading(const core::OffsetReading& reading, const core::ClockSnapshot& now) {
  Commands out;
  const bool for_verification = reading.witness == Witness::ntp && verify_ == Task::requested && reading.at.raw >= verify_asked_;
  if (phase_ == Phase::verifying && for_verification) {
    verified_by(reading, now, out);
  } else if (phase_ == Phase::finishing && reading.witness == Witness::ntp && confirming_) {
    confirming_ = false;
    report_.residual = reading.offset;
    report_.residual_uncertainty = reading.uncertainty;
  } else if (phase_ == Phase::investigating) {
    if (reading.witness == Witness::ntp && (!remeasure_ || reading.at.raw >= verify_asked_)) remeasure_ = false;
    add_evidence(reading);
  } else {
    add_evidence(reading);
  }
  advance(now, out);
  return out;
}

Commands Correction::measurement_failed(const core::MeasurementFailed& failure, const core::ClockSnapshot& now) {
  Commands out;
  if (failure.witness == Witness::ntp) {
    remeasure_ = false;
    confirming_ = false;
    if (phase_ == Phase::verifying && verify_ == Task::requested) {
      verify_ = Task::finished;
      end_action(ActionKind::verify, false, failure.why, now);
      weakness_ = "not verified by NTP: " + failure.why;
      finish(now, out);
    }
  }
  advance(now, out);
  return out;
}

Commands Correction::deadline(std::uint64_t token, const core::ClockSnapshot& now) {
  Commands out;
  if (token != token_ || done()) return out;
  deadline_passed_ = true;
  remeasure_ = false;
  if (phase_ == Phase::verifying && verify_ == Task::requested) {
    verify_ = Task::finished;
    end_action(ActionKind::verify, false, "no NTP answer before the deadline", now);
    weakness_ = "not verified by NTP before the deadline";
    finish(now, out);
  }
  advance(now, out);
  return out;
}

Commands Correction::stepped(const core::Result<core::ClockSnapshot>& result, const core::ClockSnapshot& now) {
  Commands out;
  const ActionKind kind = pending_kind_;
  if (!result) {
    end_action(kind, false, result.error().text, now);
    weakness_ = "the kernel refused to set the clock: " + result.error().text;
    conclude(Outcome::failed, weakness_, now, out);
    advance(now, out);
    return out;
  }
  const core::Offset applied = pending_offset_;
  end_action(kind, true, kind == ActionKind::slew ? "handed to the kernel, 500 ppm" : "applied", now);
  if (kind == ActionKind::slew) {
    conclude(Outcome::corrected, "the offset is being slewed away", now, out);
    advance(now, out);
    return out;
  }
  report_.total = report_.total + applied;
  shift_testimony(applied);
  if (kind == ActionKind::trim) {
    confirming_ = true;
    if (report_.residual) report_.residual = *report_.residual - applied;
    finish(now, out);
    out.push_back(AskWitness{Witness::ntp});
  } else {
    phase_ = Phase::verifying;
    report_.outcome = Outcome::corrected;
    context_.state.on(StateEvent::stepped, "stepped; waiting for proof", now.realtime);
  }
  advance(now, out);
  return out;
}

Commands Correction::daemons_stopped(const DaemonOutcome& outcome, const core::ClockSnapshot& now) {
  Commands out;
  stop_ = Task::finished;
  stopped_ = outcome;
  end_action(ActionKind::stop_daemon, outcome.ok, outcome.detail, now);
  if (!outcome.ok) weakness_ = "the time daemon could not be stopped: " + outcome.detail;
  if (phase_ == Phase::investigating && context_.policy.sequence == core::Sequence::stop_first) {
    remeasure_ = true;
    verify_asked_ = now.raw;
    deadline_passed_ = false;
    arm(out);
    out.push_back(AskWitness{Witness::ntp});
  }
  advance(now, out);
  return out;
}

Commands Correction::daemons_started(const DaemonOutcome& outcome, const core::ClockSnapshot& now) {
  Commands out;
  start_ = Task::finished;
  end_action(ActionKind::start_daemon, outcome.ok, outcome.detail, now);
  report_.daemon = outcome.detail;
  if (!outcome.ok) weakness_ = "the time daemon could not be started again: " + outcome.detail;
  advance(now, out);
  return out;
}

Commands Correction::rtc_written(const RtcOutcome& outcome, const core::ClockSnapshot& now) {
  Commands out;
  rtc_ = Task::finished;
  end_action(ActionKind::write_rtc, outcome.ok, outcome.detail, now);
  report_.rtc = outcome.detail;
  if (!outcome.ok && weakness_.empty()) weakness_ = "the RTC was not written: " + outcome.detail;
  advance(now, out);
  return out;
}

}  // namespace clockmend::engine
