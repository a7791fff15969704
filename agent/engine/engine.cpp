#include "agent/engine/engine.hpp"

#include <algorithm>

namespace clockmend::engine {
namespace {

using core::Witness;

// A verification older than two idle intervals and a bit says nothing about the discipline of the clock any more.
constexpr core::seconds kVerificationAge{2400};
// A guest's clock under a time daemon drifts at most so fast between verifications (the kernel's own bound is 500 ppm;
// chrony's documents use 15 ppm for maxerror growth; an undisciplined crystal is within 100 ppm).
constexpr std::int64_t kVerifiedDriftPpm = 100;
// Differences of REALTIME - BOOTTIME below this are what reading two clocks in turn costs.
constexpr core::microseconds kReadingNoise{500};
// A daemon with another opinion undoes our step within seconds of its restart; an administrator does not so often.
constexpr core::seconds kFightWindow{600};
constexpr std::size_t kFightRounds = 5;
// Notices that wait for the next correction; the channel's token bucket lets far fewer through.
constexpr std::size_t kMostLate = 64;
// After our write the RTC shows our time, but its second edge is learned anew: until then it is good to a second.
constexpr core::milliseconds kWrittenRtc{1050};

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

void append(Commands& to, Commands from) { std::move(from.begin(), from.end(), std::back_inserter(to)); }

std::string in_milliseconds(core::nanoseconds v) { return std::to_string(std::chrono::duration_cast<core::milliseconds>(v).count()) + " ms"; }

// A reading taken before a step, ours or anybody's, and delivered after it still speaks of the clock before. The step is seen
// by value in REALTIME - BOOTTIME, which neither slews (both slew) nor suspends (both gain the sleep) change.
core::OffsetReading rebased(core::OffsetReading reading, const core::ClockSnapshot& now) {
  const auto difference = [](const core::ClockSnapshot& s) { return s.realtime.time_since_epoch() - s.boottime.time_since_epoch(); };
  const core::Offset stepped{difference(now) - difference(reading.at)};
  if (core::magnitude(stepped) > kReadingNoise + reading.at.bracket + now.bracket) move_along(reading, stepped);
  return reading;
}

core::HostNotice rebased(core::HostNotice notice, const core::ClockSnapshot& now) {
  if (notice.exchange) notice.exchange = rebased(*notice.exchange, now);
  return notice;
}

}  // namespace

Engine::Engine(core::Policy policy, const Now& now, std::uint64_t next_number)
    : policy_(policy), next_number_(next_number), ledger_(now.clocks) {}

Commands Engine::observe(const core::Observation& observation, const Now& now) {
  // Every event first settles the books: a foreign step must be known before a reading taken after it is weighed.
  Commands out = compare_clocks(now);
  append(out, std::visit(Overload{[&](const core::OffsetReading& r) { return on_reading(rebased(r, now.clocks), now); },
                                  [&](const core::ClocksCompared&) { return Commands{}; },
                                  [&](const core::HostNotice& n) { return on_notice(rebased(n, now.clocks), now); },
                                  [&](const core::BaselineVoid& v) { return on_void(v); },
                                  [&](const core::MeasurementFailed& f) { return on_failure(f, now); }},
                         observation));
  return out;
}

Commands Engine::on_reading(const core::OffsetReading& reading, const Now& now) {
  if (active_) return after(active_->reading(reading, now.clocks), now);
  switch (reading.witness) {
    case Witness::rtc: return idle_rtc(reading, now);
    case Witness::ntp: return idle_ntp(reading, now);
    case Witness::host: baselines_.learn(reading, disciplined(now)); return {};
  }
  return {};
}

Commands Engine::idle_rtc(const core::OffsetReading& reading, const Now& now) {
  const Judgement j = judge_rtc(reading, baselines_, policy_);
  Commands out;
  if (!j.note.empty()) out.push_back(Note{j.note});
  if (j.detection && policy_.mode != core::Mode::off) {
    append(out, open(j.detection->cause, j.detection->tripwire, std::nullopt, std::nullopt, now, false));
    if (active_) append(out, after(active_->reading(reading, now.clocks), now));
    return out;
  }
  // With mode "off" the clock stays wrong: no later reading may take the new baseline for a proof that it is right.
  if (j.detection) known_wrong_ = true;
  // Switched off means hands off, not blind: what is left wrong must not become the measure of what is right.
  if (j.detection) out.push_back(leave_wrong(j.detection->tripwire, now));
  if (j.detection || j.learn == Learn::replace) baselines_.relearn(reading, disciplined(now));
  else if (j.learn == Learn::keep) baselines_.learn(reading, disciplined(now));
  if (j.ask_ntp) out.push_back(AskWitness{Witness::ntp});
  return out;
}

Note Engine::leave_wrong(const std::string& tripwire, const Now& now) {
  known_wrong_ = true;
  const std::string text = tripwire + "; mode is \"off\": left alone";
  state_.on(StateEvent::finished_weak, text, now.clocks.realtime);
  return {text};
}

Commands Engine::idle_ntp(const core::OffsetReading& reading, const Now& now) {
  const Judgement j = judge_ntp(reading, policy_);
  if (!j.detection) {
    verification_ = Verification{now.clocks.raw, core::magnitude(reading.offset) + reading.uncertainty};
    known_wrong_ = false;
    state_.on(StateEvent::verified, "NTP agrees: " + in_words(reading.offset), now.clocks.realtime);
    return {};
  }
  if (left_alone_ && now.clocks.raw <= left_alone_->until &&
      core::magnitude(reading.offset - left_alone_->offset) <= policy_.step_threshold + reading.uncertainty) {
    left_alone_->offset = reading.offset;  // it drifts on
    return {};
  }
  if (policy_.mode == core::Mode::off) return {leave_wrong(j.detection->tripwire, now)};
  Commands out = open(j.detection->cause, j.detection->tripwire, std::nullopt, std::nullopt, now, false);
  if (active_) append(out, after(active_->reading(reading, now.clocks), now));
  return out;
}

Commands Engine::on_notice(const core::HostNotice& notice, const Now& now) {
  ++counters_.notices;
  const bool moved = host_moved(notice);
  if (notice.event == core::NoticeEvent::pausing) {
    if (notice.exchange && !active_) baselines_.relearn(*notice.exchange, disciplined(now));
    return {Note{"the host announces a pause: fresh baselines are taken"}, AskWitnesses{}};
  }
  if (policy_.mode == core::Mode::off) return {Publish{unanswered(notice, now)}};
  if (active_) {
    ++counters_.notices_coalesced;
    if (active_->join(notice, moved, now.clocks)) return after(active_->advance(now.clocks), now);
    late_notices_.push_back(notice);
    if (late_notices_.size() <= kMostLate) return {};
    late_notices_.pop_front();
    ++counters_.notices_dropped;
    return {Note{"more notices than can wait: the oldest was dropped"}};
  }
  const core::Cause cause = notice.event == core::NoticeEvent::resync ? core::Cause::request : core::Cause::notice;
  return open(cause, std::string("host: ") + core::to_string(notice.event), notice, std::nullopt, now, moved);
}

// Somebody who takes our steps back, again and again, is a time master of their own: reported, never fought.
bool Engine::fighting(std::optional<core::nanoseconds> foreign_step, const Now& now) {
  std::erase_if(undone_, [&](core::RawPoint at) { return now.clocks.raw - at > kFightWindow; });
  if (!foreign_step || !last_total_) return false;
  if (core::magnitude(core::Offset{*foreign_step} + *last_total_) > policy_.step_threshold) return false;
  undone_.push_back(now.clocks.raw);
  if (undone_.size() > kFightRounds + 1) undone_.pop_front();
  return undone_.size() > kFightRounds;
}

// Whether the VM may live on another host, or in another process of its hypervisor, than at the notice before.
bool Engine::host_moved(const core::HostNotice& notice) {
  const bool new_epoch = !notice.epoch.empty() && !host_epoch_.empty() && notice.epoch != host_epoch_;
  if (!notice.epoch.empty()) host_epoch_ = notice.epoch;
  const bool moved = new_epoch || notice.event == core::NoticeEvent::hot_upgrade || notice.event == core::NoticeEvent::migrated ||
                     notice.event == core::NoticeEvent::restored || notice.event == core::NoticeEvent::snapshot;
  if (moved) baselines_.forget(Witness::host);
  return moved;
}

core::CorrectionReport Engine::unanswered(const core::HostNotice& notice, const Now& now) const {
  core::CorrectionReport r;
  r.number = next_number_;
  r.discontinuity.cause = core::Cause::notice;
  r.discontinuity.tripwire = std::string("host: ") + core::to_string(notice.event);
  r.discontinuity.detected = now.clocks;
  r.discontinuity.notice = notice;
  r.outcome = core::Outcome::no_action;
  r.reason = "mode is \"off\": nothing was measured, nothing changed";
  r.notices = {notice.id};
  r.started_realtime = r.ended_realtime = now.clocks.realtime;
  return r;
}

Commands Engine::on_void(const core::BaselineVoid& v) {
  baselines_.forget(v.witness);
  if (active_) {
    // Nothing is decided on it: the witness's new reading follows at once, and one server alone must not win meanwhile.
    active_->witness_void(v.witness);
    return {Note{v.why}};
  }
  return {Note{v.why}, AskWitness{Witness::ntp}};
}

Commands Engine::on_failure(const core::MeasurementFailed& failure, const Now& now) {
  if (active_) return after(active_->measurement_failed(failure, now.clocks), now);
  if (failure.witness == Witness::ntp) {
    if (!now.kernel.unsynchronized && !known_wrong_)
      state_.on(StateEvent::verified, "no NTP answer (" + failure.why + "); the kernel's clock is disciplined", now.clocks.realtime);
    else
      state_.on(StateEvent::unverified, "no NTP answer: " + failure.why, now.clocks.realtime);
  }
  return {};
}

Commands Engine::compare_clocks(const Now& now) {
  const ForeignChange change = ledger_.compare(now.clocks);
  return foreign(change, now);
}

Commands Engine::foreign(const ForeignChange& change, const Now& now) {
  const bool stepped = change.step != core::nanoseconds::zero();
  if (!stepped && change.suspended == core::nanoseconds::zero()) return {};
  if (stepped) ++counters_.foreign_steps;
  const std::string what = stepped ? "clocks: somebody set the clock by " + in_milliseconds(change.step)
                                   : "clocks: the guest was suspended for " + in_milliseconds(change.suspended);
  if (active_) {
    if (stepped && !active_->foreign_step(change.step)) late_step_ += change.step;
    return after(active_->advance(now.clocks), now);
  }
  const bool small = stepped && core::magnitude({change.step}) < policy_.record_threshold;
  const bool ignored = policy_.mode == core::Mode::off || (stepped && policy_.on_foreign_step == core::OnForeignStep::ignore);
  if (small || ignored) {
    baselines_.accept_step({change.step});
    return {Note{what + (ignored ? "; left alone as configured" : "; below record_threshold, left to the time daemon")}};
  }
  return open(stepped ? core::Cause::foreign_step : core::Cause::suspend, what, std::nullopt,
              stepped ? std::optional(change.step) : std::nullopt, now, false);
}

Commands Engine::open(core::Cause cause, std::string tripwire, std::optional<core::HostNotice> notice, std::optional<core::nanoseconds> step,
                      const Now& now, bool moved) {
  core::Discontinuity d;
  d.cause = cause;
  d.tripwire = std::move(tripwire);
  d.detected = now.clocks;
  d.notice = std::move(notice);
  d.foreign_step = step;
  state_before_ = state_;
  // What NTP said before is about another clock now.
  verification_before_ = std::exchange(verification_, std::nullopt);
  active_.emplace(CorrectionContext{policy_, baselines_, steps_, state_, daemon_active_, fighting(step, now), deadlines_}, next_number_, std::move(d), moved);
  return after(active_->begin(now.clocks), now);
}

Commands Engine::reconsider(const Now& now) {
  if (!active_) return {};
  return after(active_->reconsider(now.clocks), now);
}

Commands Engine::stepped(const core::Result<core::ClockSnapshot>& result, const Now& now) {
  if (!active_) return {};
  Commands out = active_->stepped(result, now.clocks);
  return after(std::move(out), now);
}

void Engine::own_step_applied(core::Offset amount) {
  ledger_.own_step(amount);
  ++counters_.steps;
}

Commands Engine::daemons_known(std::optional<bool> active, const Now& now) {
  if (active) daemon_active_ = *active;
  if (!active_) return {};
  return after(active_->daemons_known(now.clocks), now);
}

Commands Engine::daemons_stopped(const DaemonOutcome& outcome, const Now& now) {
  if (!active_) return {};
  return after(active_->daemons_stopped(outcome, now.clocks), now);
}

Commands Engine::daemons_started(const DaemonOutcome& outcome, const Now& now) {
  if (!active_) return {};
  return after(active_->daemons_started(outcome, now.clocks), now);
}

Commands Engine::rtc_written(const RtcOutcome& outcome, const Now& now) {
  if (!active_) return {};
  return after(active_->rtc_written(outcome, now.clocks), now);
}

Commands Engine::deadline(std::uint64_t token, const Now& now) {
  if (!active_) return {};
  return after(active_->deadline(token, now.clocks), now);
}

// The one place where a correction ends: books, baselines, and whoever came too late for it.
Commands Engine::after(Commands commands, const Now& now) {
  if (!active_ || !active_->done()) return commands;
  const Correction ended = *std::exchange(active_, std::nullopt);
  close(ended, now);
  if (!ended.recorded()) std::erase_if(commands, [](const Command& c) { return std::holds_alternative<Publish>(c); });
  // An RTC that was written, or heard by its whole second only, is not known exactly enough to watch.
  const auto& rtc = baselines_.of(Witness::rtc);
  if (!rtc || rtc->reading.uncertainty > policy_.record_threshold) commands.push_back(AskWitness{Witness::rtc});
  append(commands, open_what_came_late(now));
  return commands;
}

Commands Engine::open_what_came_late(const Now& now) {
  const core::nanoseconds step = std::exchange(late_step_, core::nanoseconds::zero());
  if (!late_notices_.empty()) {
    // Oldest first, so that the newest word is the one that counts.
    const std::deque<core::HostNotice> late = std::exchange(late_notices_, {});
    Commands out = open(core::Cause::notice, "host: " + std::string(core::to_string(late.front().event)) + " during the last correction",
                        rebased(late.front(), now.clocks), std::nullopt, now, host_moved(late.front()));
    for (auto n = std::next(late.begin()); n != late.end(); ++n)
      if (active_ && !active_->join(rebased(*n, now.clocks), host_moved(*n), now.clocks)) late_notices_.push_back(*n);
    return out;
  }
  if (core::magnitude({step}) < policy_.record_threshold || policy_.on_foreign_step == core::OnForeignStep::ignore) return {};
  return open(core::Cause::foreign_step, "clocks: somebody set the clock by " + in_milliseconds(step) + " at the end of the last correction",
              std::nullopt, step, now, false);
}

void Engine::close(const Correction& ended, const Now& now) {
  judge_outcome(ended, now);
  renew_baselines(ended, now);
  if (ended.recorded()) count(ended.report());
}

// What is known of the clock now: proved by NTP, as good as before, or wrong.
void Engine::judge_outcome(const Correction& ended, const Now& now) {
  const core::CorrectionReport& report = ended.report();
  const auto& evidence = ended.testimony();
  const auto ntp = std::find_if(evidence.begin(), evidence.end(), [](const auto& e) { return e.reading.witness == Witness::ntp && e.used; });
  const bool outside = std::any_of(evidence.begin(), evidence.end(), [](const auto& e) { return e.used && e.reading.witness != Witness::rtc; });
  const bool left_alone = report.outcome == core::Outcome::no_action;
  if (report.verified && report.residual)
    verification_ = Verification{now.clocks.raw, core::magnitude(*report.residual) + report.residual_uncertainty.value_or(core::milliseconds{10})};
  else if (left_alone && ntp != evidence.end())
    verification_ = Verification{now.clocks.raw, core::magnitude(ntp->reading.offset) + ntp->reading.uncertainty};
  if (report.total.value != core::nanoseconds::zero()) last_total_ = report.total;
  left_alone_.reset();
  if (report.estimate && (left_alone || report.outcome == core::Outcome::observed))
    left_alone_ = LeftAlone{left_until(report, now), report.estimate->offset};
  if (left_alone && !outside) {
    // With only the RTC's word for it nothing new was proved: the state is as good as it was before.
    state_ = state_before_;
    verification_ = verification_before_;
  } else {
    known_wrong_ = !left_alone && !(report.outcome == core::Outcome::corrected && report.total.value != core::nanoseconds::zero());
  }
}

// An administrator's clock stays as it was set until a time daemon runs again; a fight is not taken up at once.
core::RawPoint Engine::left_until(const core::CorrectionReport& report, const Now& now) const {
  const bool foreign = report.outcome == core::Outcome::observed && report.discontinuity.cause == core::Cause::foreign_step;
  if (!foreign) return now.clocks.raw + policy_.verification_deadline;
  return daemon_active_ ? now.clocks.raw + kFightWindow : core::RawPoint::max();
}

void Engine::set_daemon_active(bool active) {
  if (active && !daemon_active_) left_alone_.reset();
  daemon_active_ = active;
}

// What the witnesses said during the correction, carried over our steps, is what they will say from now on.
void Engine::renew_baselines(const Correction& ended, const Now& now) {
  const bool good = disciplined(now) || ended.report().verified;
  for (const core::Evidence& e : ended.testimony()) {
    if (e.reading.witness == Witness::ntp || (e.reading.witness == Witness::host && !good)) continue;
    const auto gap = baselines_.gap(e.reading);
    // A baseline that still holds is only refreshed: the exact one stays when a coarse second confirms it.
    if (gap && gap->contains({})) baselines_.learn(e.reading, good);
    else baselines_.relearn(e.reading, good);
  }
  if (!ended.rtc_was_written()) return;
  core::OffsetReading written;
  written.witness = Witness::rtc;
  written.uncertainty = kWrittenRtc;
  written.at = now.clocks;
  baselines_.relearn(written, good);
}

void Engine::count(const core::CorrectionReport& report) {
  ++next_number_;
  ++counters_.discontinuities;
  switch (report.outcome) {
    case core::Outcome::corrected: ++counters_.corrections; break;
    case core::Outcome::no_action:
    case core::Outcome::observed: ++counters_.no_actions; break;
    case core::Outcome::refused: ++counters_.refusals; break;
    case core::Outcome::failed: ++counters_.failures; break;
  }
}

bool Engine::disciplined(const Now& now) const {
  if (known_wrong_) return false;
  if (!now.kernel.unsynchronized) return true;
  return verification_ && now.clocks.raw - verification_->at <= kVerificationAge && verification_->bound <= policy_.step_threshold;
}

std::optional<core::nanoseconds> Engine::error_bound(const core::ClockSnapshot& now) const {
  if (state_.state() != core::ClockState::synchronized || !verification_) return std::nullopt;
  return verification_->bound + (now.raw - verification_->at) * kVerifiedDriftPpm / 1'000'000;
}

}  // namespace clockmend::engine
