// Watching: what a reading, a step of somebody else's or a disruption means while no correction runs.
#include <algorithm>

#include "agent/engine/append.hpp"
#include "agent/engine/engine.hpp"
#include "agent/engine/leap.hpp"

namespace clockmend::engine {

using core::Witness;

namespace {

constexpr std::size_t kStorm = 8;
constexpr core::seconds kStormWindow{120};

}  // namespace

Commands Engine::on_reading(const core::OffsetReading& reading, const Now& now) {
  if (active_) return after(active_->reading(reading, now.clocks), now);
  switch (reading.witness) {
    case Witness::rtc:
      return idle_reading(reading, judge_rtc(reading, baselines_, policy_), now);
    case Witness::ptp:
    case Witness::vmclock:
      return idle_reading(reading, judge_host_clock(reading, baselines_, policy_), now);
    case Witness::ntp:
      return idle_ntp(reading, now);
    case Witness::host:
      baselines_.learn(reading, sound(reading, now));
      return {};
  }
  return {};
}

Commands Engine::idle_reading(const core::OffsetReading& reading, const Judgement& j, const Now& now) {
  Commands out;
  const bool unsound = !baselines_.of(reading.witness) && disciplined(now) && !sound(reading, now);
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
  if (j.detection || j.learn == Learn::replace)
    baselines_.relearn(reading, sound(reading, now));
  else if (j.learn == Learn::keep)
    baselines_.learn(reading, sound(reading, now));
  if (j.ask_ntp || unsound) out.push_back(AskWitness{Witness::ntp});
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

Commands Engine::on_void(const core::BaselineVoid& v) {
  baselines_.forget(v.witness);
  if (active_) {
    // Nothing is decided on it: the witness's new reading follows at once, and one server alone must not win meanwhile.
    active_->witness_void(v.witness);
    return {Note{v.why}};
  }
  return {Note{v.why}, AskWitness{Witness::ntp}};
}

// The kernel's word that the clock is disciplined is of the past: a host's clock that is first met far from it says that something
// happened since. It counts once NTP has agreed after that meeting.
bool Engine::sound(const core::OffsetReading& reading, const Now& now) const {
  if (!disciplined(now) || !is_host_clock(reading.witness)) return disciplined(now);
  const core::nanoseconds near = reading.uncertainty + reading.systematic + policy_.host_clock_error + policy_.disagreement_tolerance;
  if (core::magnitude(reading.offset) <= near) return true;
  const auto& base = baselines_.of(reading.witness);
  return base && (base->disciplined || (verification_ && verification_->at >= base->reading.at.raw));
}

// A hypervisor's clocks are its host's: on another host they are other clocks.
void Engine::forget_host_clock() {
  for (const Witness w : {Witness::host, Witness::ptp, Witness::vmclock}) baselines_.forget(w);
}

Commands Engine::on_disruption(const core::Disruption& disruption, const Now& now) {
  if (disruption.moved) forget_host_clock();
  const std::string tripwire = std::string(core::to_string(disruption.tripwire)) + ": " + disruption.why;
  if (active_) {
    if (!active_->disrupted(disruption, tripwire, now.clocks)) late_disruption_ = {disruption, tripwire};
    return after(active_->advance(now.clocks), now);
  }
  if (policy_.mode == core::Mode::off) return {leave_wrong(tripwire, now), AskWitness{Witness::ntp}};
  std::erase_if(disrupted_, [&](core::RawPoint at) { return now.clocks.raw - at > kStormWindow; });
  // A tripwire that fires on and on must not fill the history nor use up the servers' patience; the witnesses still watch.
  if (disrupted_.size() >= kStorm) return {};
  disrupted_.push_back(now.clocks.raw);
  return open(core::Cause::pause, tripwire, std::nullopt, std::nullopt, now, disruption.moved, &disruption);
}

Commands Engine::compare_clocks(const Now& now) {
  const ForeignChange change = ledger_.compare(now.clocks);
  return foreign(change, now);
}

Commands Engine::foreign(const ForeignChange& change, const Now& now) {
  const bool stepped = change.step != core::nanoseconds::zero();
  if (!stepped && change.suspended == core::nanoseconds::zero()) return {};
  if (!active_ && stepped && now.kernel.leap_pending && is_leap_step(change.step, now.clocks.realtime))
    return {Note{"the kernel applied the announced leap second"}};
  if (stepped) ++counters_.foreign_steps;
  const std::string what = stepped ? "clocks: somebody set the clock by " + in_milliseconds(change.step)
                                   : "clocks: the guest was suspended for " + in_milliseconds(change.suspended);
  if (active_) {
    Commands out;
    if (stepped && !active_->foreign_step(change.step, out)) late_step_ += change.step;
    append(out, active_->advance(now.clocks));
    return after(std::move(out), now);
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

}  // namespace clockmend::engine
