#include "agent/engine/engine.hpp"

#include <algorithm>

namespace clockmend::engine {
namespace {

using core::Witness;

// A verification older than two idle intervals and a bit says nothing about the discipline of the clock any more.
constexpr core::seconds kVerificationAge{2400};
// A guest's clock under a time daemon drifts at most so fast between verifications (the kernel's own bound is 500 ppm;
// chrony's documents use 15 ppm for maxerror growth; an undisciplined crystal is within 100 ppm).
constexpr std::int64_t kDriftPpm = 100;
constexpr std::size_t kOwnStepsKept = 8;
// After a correction the RTC may differ from its old baseline by a moved phase or a corrected older error.
constexpr core::milliseconds kSettling{1050};
// The witness was not heard during the correction: whatever it says next is its new baseline.
constexpr core::nanoseconds kNeverAgain = core::nanoseconds::max() / 4;

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

void append(Commands& to, Commands from) { std::move(from.begin(), from.end(), std::back_inserter(to)); }

}  // namespace

Engine::Engine(core::Policy policy, const Now& now, std::uint64_t next_number)
    : policy_(policy), next_number_(next_number), ledger_(now.clocks) {}

Commands Engine::observe(const core::Observation& observation, const Now& now) {
  // Every event first settles the books: a foreign step must be known before a reading taken after it is weighed.
  Commands out = compare_clocks(now);
  append(out, std::visit(Overload{[&](const core::OffsetReading& r) { return on_reading(r, now); },
                                  [&](const core::ClocksCompared&) { return Commands{}; },
                                  [&](const core::HostNotice& n) { return on_notice(n, now); },
                                  [&](const core::BaselineVoid& v) { return on_void(v); },
                                  [&](const core::MeasurementFailed& f) { return on_failure(f, now); }},
                         observation));
  return out;
}

Commands Engine::on_reading(core::OffsetReading reading, const Now& now) {
  rebase(reading);
  if (active_) return after(active_->reading(reading, now.clocks), now);
  switch (reading.witness) {
    case Witness::rtc: return idle_rtc(reading, now);
    case Witness::ntp: return idle_ntp(reading, now);
    case Witness::host: baselines_.learn(reading, disciplined(now)); return {};
  }
  return {};
}

// A reading taken before one of our steps and delivered after it still speaks of the clock before.
void Engine::rebase(core::OffsetReading& reading) const {
  for (const OwnStep& s : own_steps_) {
    if (reading.at.raw >= s.at) continue;
    reading.offset = reading.offset - s.amount;
    reading.at.realtime += s.amount.value;
  }
}

Commands Engine::idle_rtc(const core::OffsetReading& reading, const Now& now) {
  const Judgement j = judge_rtc(reading, baselines_, {settling_}, policy_);
  Commands out;
  if (!j.note.empty()) out.push_back(Note{j.note});
  if (j.detection && policy_.mode != core::Mode::off) {
    append(out, open(j.detection->cause, j.detection->tripwire, std::nullopt, std::nullopt, now));
    if (active_) append(out, after(active_->reading(reading, now.clocks), now));
    return out;
  }
  if (j.detection || j.learn == Learn::replace) baselines_.relearn(reading, disciplined(now));
  else if (j.learn == Learn::keep) baselines_.learn(reading, disciplined(now));
  if (j.ask_ntp) out.push_back(AskWitness{Witness::ntp});
  return out;
}

Commands Engine::idle_ntp(const core::OffsetReading& reading, const Now& now) {
  const Judgement j = judge_ntp(reading, policy_);
  if (!j.detection) {
    verification_ = Verification{now.clocks.raw, core::magnitude(reading.offset) + reading.uncertainty};
    state_.on(StateEvent::verified, "NTP agrees: " + in_words(reading.offset), now.clocks.realtime);
    return {};
  }
  if (policy_.mode == core::Mode::off) return {Note{j.detection->tripwire + "; mode is \"off\""}};
  Commands out = open(j.detection->cause, j.detection->tripwire, std::nullopt, std::nullopt, now);
  if (active_) append(out, after(active_->reading(reading, now.clocks), now));
  return out;
}

Commands Engine::on_notice(const core::HostNotice& notice, const Now& now) {
  ++counters_.notices;
  if (notice.event == core::NoticeEvent::pausing) {
    if (notice.exchange && !active_) baselines_.relearn(*notice.exchange, disciplined(now));
    return {Note{"the host announces a pause: fresh baselines are taken"}, AskWitnesses{}};
  }
  if (active_) {
    ++counters_.notices_coalesced;
    if (active_->join(notice)) return after(active_->reconsider(now.clocks), now);
    late_notices_.push_back(notice);
    return {};
  }
  const core::Cause cause = notice.event == core::NoticeEvent::resync ? core::Cause::request : core::Cause::notice;
  return open(cause, std::string("host: ") + core::to_string(notice.event), notice, std::nullopt, now);
}

Commands Engine::on_void(const core::BaselineVoid& v) {
  baselines_.forget(v.witness);
  if (active_) return {Note{v.why}};
  return {Note{v.why}, AskWitness{Witness::ntp}};
}

Commands Engine::on_failure(const core::MeasurementFailed& failure, const Now& now) {
  if (active_) return after(active_->measurement_failed(failure, now.clocks), now);
  if (failure.witness == Witness::ntp) {
    if (!now.kernel.unsynchronized)
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
  const std::string what = stepped ? "clocks: somebody set the clock by " + std::to_string(std::chrono::duration_cast<core::milliseconds>(change.step).count()) + " ms"
                                   : "clocks: the guest was suspended for " + std::to_string(std::chrono::duration_cast<core::milliseconds>(change.suspended).count()) + " ms";
  if (active_) {
    if (stepped) active_->foreign_step(change.step);
    return after(active_->reconsider(now.clocks), now);
  }
  const bool ignored = policy_.mode == core::Mode::off || (stepped && policy_.on_foreign_step == core::OnForeignStep::ignore);
  if (ignored) {
    baselines_.mark_stale();
    return {Note{what + "; left alone as configured"}};
  }
  return open(stepped ? core::Cause::foreign_step : core::Cause::suspend, what, std::nullopt,
              stepped ? std::optional(change.step) : std::nullopt, now);
}

Commands Engine::open(core::Cause cause, std::string tripwire, std::optional<core::HostNotice> notice, std::optional<core::nanoseconds> step,
                      const Now& now) {
  core::Discontinuity d;
  d.cause = cause;
  d.tripwire = std::move(tripwire);
  d.detected = now.clocks;
  d.notice = std::move(notice);
  d.foreign_step = step;
  state_before_ = state_;
  active_.emplace(CorrectionContext{policy_, baselines_, steps_, state_, daemon_active_}, next_number_, std::move(d));
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

void Engine::own_step_applied(core::Offset amount, const core::ClockSnapshot& after_step) {
  ledger_.own_step(amount);
  own_steps_.push_back({after_step.raw, amount});
  if (own_steps_.size() > kOwnStepsKept) own_steps_.pop_front();
  ++counters_.steps;
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
  commands.push_back(AskWitness{Witness::rtc});
  if (!late_notices_.empty()) {
    const std::vector<core::HostNotice> late = std::exchange(late_notices_, {});
    append(commands, open(core::Cause::notice, "host: " + std::string(core::to_string(late.back().event)) + " during the last correction",
                          late.back(), std::nullopt, now));
    for (std::size_t i = 0; active_ && i + 1 < late.size(); ++i) (void)active_->join(late[i]);
  }
  return commands;
}

void Engine::close(const Correction& ended, const Now& now) {
  const core::CorrectionReport& report = ended.report();
  const auto& evidence = ended.testimony();
  const auto used = [&](auto accept) {
    return std::any_of(evidence.begin(), evidence.end(), [&](const auto& e) { return e.used && accept(e.reading.witness); });
  };
  const auto ntp = std::find_if(evidence.begin(), evidence.end(), [](const auto& e) { return e.reading.witness == Witness::ntp; });
  if (report.verified && report.residual)
    verification_ = Verification{now.clocks.raw, core::magnitude(*report.residual) + report.residual_uncertainty.value_or(core::milliseconds{10})};
  else if (report.outcome == core::Outcome::no_action && ntp != evidence.end() && ntp->used)
    verification_ = Verification{now.clocks.raw, core::magnitude(ntp->reading.offset) + ntp->reading.uncertainty};
  // With only the RTC's word for it nothing new was proved: the state is as good as it was before.
  const bool outside = used([](Witness w) { return w != Witness::rtc; });
  if (!ended.recorded() || (report.outcome == core::Outcome::no_action && !outside)) state_ = state_before_;
  renew_baselines(ended, now);
  if (ended.recorded()) count(report);
}

// What the witnesses said during the correction, carried over our steps, is what they will say from now on.
void Engine::renew_baselines(const Correction& ended, const Now& now) {
  const bool corrected = ended.report().outcome == core::Outcome::corrected;
  settling_ = corrected ? core::nanoseconds{kSettling} : kNeverAgain;
  baselines_.mark_stale();
  bool heard_rtc = false;
  for (const core::Evidence& e : ended.testimony()) {
    if (e.reading.witness == Witness::ntp) continue;
    if (e.reading.witness == Witness::host && !ended.report().verified) continue;
    baselines_.relearn(e.reading, disciplined(now) || ended.report().verified);
    if (e.reading.witness != Witness::rtc) continue;
    heard_rtc = true;
    settling_ = std::max(settling_, e.needed.greatest_magnitude() + core::nanoseconds{kSettling});
  }
  if (!heard_rtc) settling_ = kNeverAgain;
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
  if (!now.kernel.unsynchronized) return true;
  return verification_ && now.clocks.raw - verification_->at <= kVerificationAge && verification_->bound <= policy_.step_threshold;
}

std::optional<core::nanoseconds> Engine::error_bound(const core::ClockSnapshot& now) const {
  if (state_.state() != core::ClockState::synchronized || !verification_) return std::nullopt;
  return verification_->bound + (now.raw - verification_->at) * kDriftPpm / 1'000'000;
}

}  // namespace clockmend::engine
