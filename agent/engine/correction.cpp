#include "agent/engine/correction.hpp"

#include <algorithm>
#include <utility>

namespace clockmend::engine {
namespace {

using core::ActionKind;
using core::Outcome;
using core::Witness;

// A host that repeats itself gets one answer for all; beyond this a notice is one too many.
constexpr std::size_t kMostNotices = 64;
// Tripwires repeat themselves little; a broken one must not fill the record.
constexpr std::size_t kMostDisruptions = 8;
// Tripwires are polled: they tell of the pause under correction some ticks after the witness that found it.
constexpr core::seconds kSamePause{2};
// How long an unannounced event waits for NTP's word before clocks that follow the host's decide without it. A round trip on the
// slowest path takes less; with the second in which the RTC detects, a guest without NTP is still right within 2 s.
constexpr core::milliseconds kPatience{700};

// A request to measure, or a time to set, does not say that the VM stood still.
bool attests(core::NoticeEvent event) {
  return event != core::NoticeEvent::resync && event != core::NoticeEvent::set_time && event != core::NoticeEvent::pausing;
}

}  // namespace

Correction::Correction(CorrectionContext context, std::uint64_t number, core::Discontinuity discontinuity, bool host_moved)
    : context_(context), backend_(context.policy.step_backend) {
  report_.number = number;
  report_.discontinuity = std::move(discontinuity);
  report_.started_realtime = report_.discontinuity.detected.realtime;
  event_.foreign_step = report_.discontinuity.foreign_step.has_value();
  event_.host_moved = host_moved;
  const auto& told = report_.discontinuity.notice;
  event_.attested = (told && attests(told->event)) || report_.discontinuity.cause == core::Cause::suspend;
}

Commands Correction::begin(const core::ClockSnapshot& now) {
  Commands out;
  context_.state.on(StateEvent::disturbed, report_.discontinuity.tripwire, now.realtime);
  if (const auto& notice = report_.discontinuity.notice) {
    dry_run_ = notice->dry_run;
    take_notice(*notice, now);
  }
  const core::nanoseconds deadline = context_.policy.verification_deadline;
  patience_armed_ = deadline > kPatience;
  arm(patience_armed_ ? kPatience : deadline, out);
  // Whether an administrator meant the new time depends on whether a time daemon runs now, not on what ran a while ago.
  if (report_.discontinuity.cause == core::Cause::foreign_step) {
    daemons_known_ = false;
    out.push_back(AskDaemons{});
  }
  // The witnesses are asked even when the notice decides at once: their readings corroborate it and renew the baselines.
  out.push_back(AskWitnesses{});
  // Decided only after what a probe can say at once (a coarse RTC second corroborates a host's word, and contradicts a
  // lying server) was heard.
  out.push_back(Reconsider{});
  return out;
}

void Correction::take_notice(const core::HostNotice& notice, const core::ClockSnapshot& now) {
  if (!notice.id.empty()) report_.notices.push_back(notice.id);
  forced_ = forced_ || notice.force;
  dry_run_ = dry_run_ && notice.dry_run;
  if (notice.backend) backend_ = *notice.backend;
  if (notice.sent)
    at_least_ = std::max(at_least_.value_or(core::Offset{core::nanoseconds::min() / 4}), core::Offset{*notice.sent - now.realtime});
  if (notice.exchange) add_evidence(*notice.exchange);
}

void Correction::add_evidence(const core::OffsetReading& reading) {
  if (reading.witness == Witness::rtc && rtc_moved_) return;
  const core::Evidence fresh = testify(reading, context_.baselines, event_, context_.policy);
  const auto same = [&](const core::Evidence& e) { return e.reading.witness == reading.witness; };
  const auto old = std::find_if(testimony_.begin(), testimony_.end(), same);
  if (phase_ != Phase::investigating && old != testimony_.end() && moved_on(*old, fresh)) {
    // What it says now is another pause's: it must neither be taken for the ground of this step nor become a baseline.
    if (reading.witness != Witness::rtc || rtc_ != Task::requested) overtaken_by(reading.witness);
    if (reading.witness != Witness::rtc) return;
    rtc_moved_ = true;
    // Nor is a coarse second from before it worth the exact baseline that both pauses can be measured against.
    if (!is_exact(old->reading)) testimony_.erase(old);
    return;
  }
  // A coarse second never replaces an exact edge, unless they contradict: then something happened in between.
  if (old != testimony_.end() && fresh.needed.half_width() > 2 * old->needed.half_width() && old->needed.overlaps(fresh.needed)) return;
  if (old == testimony_.end())
    testimony_.push_back(fresh);
  else
    *old = fresh;
  if (phase_ != Phase::investigating) return;
  if (fresh.gap) know_gap(*fresh.gap);
  auto& record = report_.discontinuity.evidence;
  if (const auto r = std::find_if(record.begin(), record.end(), same); r != record.end())
    *r = fresh;
  else
    record.push_back(fresh);
}

void Correction::overtaken_by(Witness witness) {
  overtaken_ = std::string(core::to_string(witness)) + ": it moved on during the last correction";
}

bool Correction::moved_on(const core::Evidence& before, const core::Evidence& now) const {
  if (now.reading.witness == Witness::ntp || before.needed.overlaps(now.needed)) return false;
  // The RTC moves by itself when it is written or restored, and its coarse seconds tell of whole seconds only.
  const bool rtc = now.reading.witness == Witness::rtc;
  if (rtc && (rtc_was_written_ || event_.host_moved)) return false;
  const bool coarse = rtc && !(is_exact(before.reading) && is_exact(now.reading));
  return core::magnitude(now.needed.middle() - before.needed.middle()) > (coarse ? kRtcProvesAlone : context_.policy.record_threshold);
}

void Correction::shift_testimony(core::Offset applied) {
  for (auto& e : testimony_) {
    e.needed = {e.needed.low - applied, e.needed.high - applied};
    move_along(e.reading, applied);
  }
  if (at_least_) at_least_ = *at_least_ - applied;
}

bool Correction::join(const core::HostNotice& notice, bool host_moved, const core::ClockSnapshot& now) {
  if (phase_ != Phase::investigating || report_.notices.size() >= kMostNotices) return false;
  if (host_moved) this->host_moved();
  event_.attested = event_.attested || attests(notice.event);
  auto& d = report_.discontinuity;
  if (d.cause != core::Cause::request && notice.event != core::NoticeEvent::resync) d.cause = core::Cause::notice;
  d.notice = notice;
  take_notice(notice, now);
  return true;
}

void Correction::host_moved() {
  if (std::exchange(event_.host_moved, true)) return;
  for (auto& e : testimony_) e = testify(e.reading, context_.baselines, event_, context_.policy);
}

bool Correction::disrupted(const core::Disruption& disruption, const std::string& words, const core::ClockSnapshot& now) {
  if (phase_ != Phase::investigating && now.boottime - report_.discontinuity.detected.boottime > kSamePause) return false;
  auto& told = report_.discontinuity.disruptions;
  if (told.size() < kMostDisruptions) told.push_back(words);
  // A smeared PTP clock is the host's: it cannot vouch for what the host's other clocks say.
  event_.attested = event_.attested || disruption.tripwire != core::Tripwire::ptp;
  withdrawn_ = false;
  if (disruption.gap) know_gap(core::interval_around({*disruption.gap}, disruption.gap_uncertainty));
  if (disruption.moved && phase_ == Phase::investigating) host_moved();
  return true;
}

// The tightest one counts; one that was taken across several pauses is no gap of this one, but nothing tells them apart.
void Correction::know_gap(const core::OffsetInterval& gap) {
  auto& known = report_.discontinuity.gap;
  if (!known || gap.half_width() < known->half_width()) known = gap;
}

bool Correction::foreign_step(core::nanoseconds amount, Commands& out) {
  auto& d = report_.discontinuity;
  d.foreign_step = d.foreign_step.value_or(core::nanoseconds::zero()) + amount;
  event_.foreign_step = true;
  shift_testimony({amount});
  if (phase_ == Phase::investigating) {
    // Whoever set it may have mended a pause that our witnesses, asked before it, do not know of. The host's word cannot be had again.
    std::erase_if(testimony_, [](const core::Evidence& e) { return e.reading.witness != Witness::host; });
    ntp_pending_ = true;
    out.push_back(AskWitnesses{});
  }
  return phase_ == Phase::investigating || (phase_ != Phase::finishing && verify_ != Task::finished);
}

void Correction::witness_void(core::Witness witness) {
  std::erase_if(testimony_, [&](const core::Evidence& e) { return e.reading.witness == witness; });
  const auto& d = report_.discontinuity;
  if (phase_ == Phase::investigating && witness == Witness::rtc && d.cause == core::Cause::pause && !d.notice) withdrawn_ = true;
}

Commands Correction::reconsider(const core::ClockSnapshot& now) {
  Commands out;
  ready_ = true;
  advance(now, out);
  return out;
}

Commands Correction::advance(const core::ClockSnapshot& now) {
  Commands out;
  advance(now, out);
  return out;
}

Commands Correction::reading(const core::OffsetReading& reading, const core::ClockSnapshot& now) {
  Commands out;
  if (reading.witness == Witness::ntp) ntp_pending_ = false;
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
  if (failure.deferred) {
    // Who could not even be asked has not refused to testify.
    ntp_deferred_ = ntp_deferred_ || failure.witness == Witness::ntp;
  } else if (failure.witness == Witness::ntp) {
    ntp_pending_ = false;
    remeasure_ = false;
    confirming_ = false;
    if (phase_ == Phase::verifying && verify_ == Task::requested) {
      verify_ = Task::finished;
      end_action(ActionKind::verify, false, failure.why, now);
      weaken("not verified by NTP: " + failure.why);
      finish(now, out);
    }
  }
  advance(now, out);
  return out;
}

Commands Correction::deadline(std::uint64_t token, const core::ClockSnapshot& now) {
  Commands out;
  if (token != token_ || done()) return out;
  if (std::exchange(patience_armed_, false)) {
    patience_over_ = true;
    arm(context_.policy.verification_deadline - kPatience, out);
    advance(now, out);
    return out;
  }
  deadline_passed_ = true;
  ready_ = true;
  remeasure_ = false;
  if (phase_ == Phase::verifying && verify_ == Task::requested) {
    verify_ = Task::finished;
    end_action(ActionKind::verify, false, "no NTP answer before the deadline", now);
    weaken("not verified by NTP before the deadline");
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
    weaken("the kernel refused to set the clock: " + result.error().text);
    if (kind == ActionKind::trim)
      finish(now, out);  // the step before it stands
    else
      conclude(Outcome::failed, weakness_, now, out);
    advance(now, out);
    return out;
  }
  const core::Offset applied = pending_offset_;
  const std::string instead = kind != ActionKind::step || no_tool_.empty() ? "" : " by clockmend itself: " + no_tool_;
  end_action(kind, true, kind == ActionKind::slew ? "handed to the kernel, 500 ppm" : "applied" + instead, now);
  if (kind == ActionKind::slew) {
    weaken("not right yet: the offset is being slewed away");
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

Commands Correction::daemons_known(const core::ClockSnapshot& now) {
  Commands out;
  daemons_known_ = true;
  advance(now, out);
  return out;
}

Commands Correction::daemons_stopped(const DaemonOutcome& outcome, const core::ClockSnapshot& now) {
  Commands out;
  stop_ = Task::finished;
  stopped_ = outcome;
  end_action(ActionKind::stop_daemon, outcome.ok, outcome.detail, now);
  if (!outcome.ok) weaken("the time daemon could not be stopped: " + outcome.detail);
  if (phase_ == Phase::investigating && stop_first()) {
    remeasure_ = true;
    verify_asked_ = now.raw;
    deadline_passed_ = false;
    arm(out);
    out.push_back(AskWitness{Witness::ntp});
  }
  if (phase_ == Phase::finishing) start_what_was_stopped(now, out);
  advance(now, out);
  return out;
}

Commands Correction::daemons_started(const DaemonOutcome& outcome, const core::ClockSnapshot& now) {
  Commands out;
  start_ = Task::finished;
  end_action(ActionKind::start_daemon, outcome.ok, outcome.detail, now);
  report_.daemon = outcome.detail;
  if (!outcome.ok) weaken("the time daemon could not be started again: " + outcome.detail);
  advance(now, out);
  return out;
}

Commands Correction::rtc_written(const RtcOutcome& outcome, const core::ClockSnapshot& now) {
  Commands out;
  rtc_ = Task::finished;
  end_action(ActionKind::write_rtc, outcome.ok, outcome.detail, now);
  report_.rtc = outcome.detail;
  if (outcome.written) {
    rtc_was_written_ = true;
    rtc_moved_ = false;
    rtc_was_aligned_ = outcome.aligned;
    witness_void(Witness::rtc);
  } else if (rtc_moved_) {
    overtaken_by(Witness::rtc);
  }
  if (!outcome.ok) weaken("the RTC was not written: " + outcome.detail);
  advance(now, out);
  return out;
}

// What was decided before they ran is decided again: somebody may have set the clock meanwhile.
Commands Correction::hooks_done(const core::ClockSnapshot& now) {
  Commands out;
  hooks_.had_their_time();
  advance(now, out);
  return out;
}

}  // namespace clockmend::engine
