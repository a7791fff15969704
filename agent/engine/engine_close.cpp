// The end of a correction: what is known of the clock now, the new baselines, and whoever came too late for it.
#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/engine/append.hpp"
#include "agent/engine/engine.hpp"
#include "agent/engine/leap.hpp"

namespace clockmend::engine {
namespace {

using core::Witness;

// A verification older than two idle intervals and a bit says nothing about the discipline of the clock any more.
constexpr core::seconds kVerificationAge{2400};
// After our write the RTC shows our time, but its second edge is learned anew: until then it is good to a second.
constexpr core::milliseconds kWrittenRtc{1050};
// Unless the edge was seen: it lay within what the two looks around it are apart, and the write came on time to some 20 ms.
constexpr core::milliseconds kAlignedRtc{100};
// An exchange is told as soon as it has ended; what is older waited.
constexpr core::milliseconds kPromptNotice{200};
constexpr core::milliseconds kAgrees{50};

// What the host measured before NTP proved the clock is in that proof: carried over the trim it must not ask for more, or back.
void forget_what_was_proved_since(core::HostNotice& notice, const Correction& ended, const core::ClockSnapshot& now) {
  const auto& said = ended.testimony();
  const auto ntp = std::find_if(said.begin(), said.end(), [](const core::Evidence& e) { return e.reading.witness == Witness::ntp; });
  if (!ended.report().verified || ntp == said.end() || !notice.exchange || notice.exchange->at.raw >= ntp->reading.at.raw) return;
  const core::OffsetReading moved = rebased(*notice.exchange, now);
  if (core::magnitude(moved.offset) <= kAgrees + moved.uncertainty) return;
  notice.exchange.reset();
  notice.sent.reset();
}

}  // namespace

// The one place where a correction ends: books, baselines, and whoever came too late for it.
Commands Engine::after(Commands commands, const Now& now) {
  if (!active_ || !active_->done()) return commands;
  const Correction ended = *std::exchange(active_, std::nullopt);
  close(ended, now);
  if (!ended.recorded()) std::erase_if(commands, [](const Command& c) { return std::holds_alternative<Publish>(c); });
  // An RTC that was written, or heard by its whole second only, is not known exactly enough to watch.
  const auto& rtc = baselines_.of(Witness::rtc);
  if (!rtc || rtc->reading.uncertainty > policy_.record_threshold) commands.push_back(AskWitness{Witness::rtc});
  append(commands, open_what_came_late(ended, now));
  if (!active_ && leap_announced_ && near_leap(now.clocks.realtime)) {
    leap_token_ = ++deadlines_;
    commands.push_back(ArmDeadline{leap_over_in(now.clocks.realtime), leap_token_});
  }
  return commands;
}

Commands Engine::open_what_came_late(const Correction& ended, const Now& now) {
  const std::string& overtaken = ended.overtaken();
  const core::nanoseconds step = std::exchange(late_step_, core::nanoseconds::zero());
  const auto disruption = std::exchange(late_disruption_, std::nullopt);
  if (!late_notices_.empty()) {
    // Oldest first, so that the newest word is the one that counts.
    std::deque<core::HostNotice> late = std::exchange(late_notices_, {});
    for (core::HostNotice& n : late) forget_what_was_proved_since(n, ended, now.clocks);
    Commands out = open(core::Cause::notice, "host: " + std::string(core::to_string(late.front().event)) + " during the last correction",
                        rebased(late.front(), now.clocks), std::nullopt, now, host_moved(late.front()));
    for (auto n = std::next(late.begin()); n != late.end(); ++n)
      if (active_ && !active_->join(rebased(*n, now.clocks), host_moved(*n), now.clocks)) late_notices_.push_back(*n);
    return out;
  }
  if (disruption && policy_.mode != core::Mode::off)
    return open(core::Cause::pause, disruption->second, std::nullopt, std::nullopt, now, disruption->first.moved, &disruption->first);
  if (!overtaken.empty() && policy_.mode != core::Mode::off)
    return open(core::Cause::pause, overtaken, std::nullopt, std::nullopt, now, false);
  if (core::magnitude({step}) < policy_.record_threshold || policy_.on_foreign_step == core::OnForeignStep::ignore) return {};
  return open(core::Cause::foreign_step,
              "clocks: somebody set the clock by " + in_milliseconds(step) + " at the end of the last correction", std::nullopt, step, now,
              false);
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
  const auto ntp =
      std::find_if(evidence.begin(), evidence.end(), [](const auto& e) { return e.reading.witness == Witness::ntp && e.used; });
  const bool outside =
      std::any_of(evidence.begin(), evidence.end(), [](const auto& e) { return e.used && e.reading.witness != Witness::rtc; });
  const bool left_alone = report.outcome == core::Outcome::no_action;
  if (report.verified && report.residual)
    verification_ =
        Verification{now.clocks.raw, core::magnitude(*report.residual) + report.residual_uncertainty.value_or(core::milliseconds{10})};
  else if (left_alone && ntp != evidence.end())
    verification_ = Verification{now.clocks.raw, core::magnitude(ntp->reading.offset) + ntp->reading.uncertainty};
  if (report.total.value != core::nanoseconds::zero()) last_total_ = report.total;
  left_alone_.reset();
  const bool gradual = report.outcome == core::Outcome::corrected && report.total.value == core::nanoseconds::zero();
  const bool failed = report.outcome == core::Outcome::failed;
  if (report.estimate && (left_alone || gradual || failed || report.outcome == core::Outcome::observed))
    left_alone_ = LeftAlone{left_until(report, now), report.estimate->offset};
  const bool overruled =
      std::any_of(evidence.begin(), evidence.end(), [](const auto& e) { return e.reading.witness == Witness::ntp && !e.used; });
  if (left_alone && !outside && !overruled) {
    // With only the RTC's word for it nothing new was proved: the state is as good as it was before.
    state_ = state_before_;
    verification_ = verification_before_;
  } else {
    known_wrong_ =
        overruled || (!left_alone && !(report.outcome == core::Outcome::corrected && report.total.value != core::nanoseconds::zero()));
  }
}

// An administrator's clock stays as it was set until a time daemon runs again; a fight is not taken up at once.
core::RawPoint Engine::left_until(const core::CorrectionReport& report, const Now& now) const {
  // Whoever works it off needs its time: 500 ms take 1000 s at the kernel's 500 ppm, and a second restart helps nobody.
  // What the kernel refused once it refuses again.
  if (report.outcome == core::Outcome::corrected || report.outcome == core::Outcome::failed) return now.clocks.raw + kFightWindow;
  const bool foreign = report.outcome == core::Outcome::observed && report.discontinuity.cause == core::Cause::foreign_step;
  if (!foreign) return now.clocks.raw + policy_.verification_deadline;
  return daemon_active_ ? now.clocks.raw + kFightWindow : core::RawPoint::max();
}

void Engine::set_daemon_active(bool active) {
  if (active && !daemon_active_) left_alone_.reset();
  daemon_active_ = active;
}

// What the witnesses said during the correction, carried over our steps, is what they will say from now on. Not if there was another
// pause meanwhile: what they said before it is not true after it, and the older baselines hold. A pause that nobody told of is in NTP's
// trim alone: a witness that asks to go back, once NTP has moved the clock on, cannot be compared with any more. Nor can a notice that
// had to wait for the last correction and was outvoted.
void Engine::renew_baselines(const Correction& ended, const Now& now) {
  const bool verified = ended.report().verified;
  const bool good = disciplined(now) || verified;
  const bool another = !late_notices_.empty() || late_disruption_ || !ended.overtaken().empty();
  for (const core::Evidence& e : ended.testimony()) {
    if (e.reading.witness == Witness::ntp || (e.reading.witness == Witness::host && !good)) continue;
    const bool asks_back = verified && e.needed.high.value < -policy_.record_threshold;
    const bool asks_on = verified && e.needed.low.value > policy_.record_threshold;
    const bool waited = e.reading.at.raw + kPromptNotice < ended.report().discontinuity.detected.raw;
    const auto gap = baselines_.gap(e.reading);
    if (asks_back || (another && asks_on) || (waited && !e.used))
      baselines_.forget(e.reading.witness);
    else if (another)
      continue;
    // A baseline that still holds is only refreshed: the exact one stays when a coarse second confirms it.
    else if (gap && gap->contains({}))
      baselines_.learn(e.reading, good);
    else
      baselines_.relearn(e.reading, good);
  }
  if (!ended.rtc_was_written()) return;
  core::OffsetReading written;
  written.witness = Witness::rtc;
  written.uncertainty = ended.rtc_was_aligned() ? kAlignedRtc : kWrittenRtc;
  written.at = now.clocks;
  baselines_.relearn(written, good);
}

void Engine::count(const core::CorrectionReport& report) {
  ++next_number_;
  ++counters_.discontinuities;
  switch (report.outcome) {
    case core::Outcome::corrected:
      ++counters_.corrections;
      break;
    case core::Outcome::no_action:
    case core::Outcome::observed:
      ++counters_.no_actions;
      break;
    case core::Outcome::refused:
      ++counters_.refusals;
      break;
    case core::Outcome::failed:
      ++counters_.failures;
      break;
  }
}

bool Engine::disciplined(const Now& now) const {
  if (known_wrong_) return false;
  if (!now.kernel.unsynchronized) return true;
  return verification_ && now.clocks.raw - verification_->at <= kVerificationAge && verification_->bound <= policy_.step_threshold;
}

std::optional<core::nanoseconds> Engine::error_bound(const core::ClockSnapshot& now) const {
  if (state_.state() != core::ClockState::synchronized || !verification_) return std::nullopt;
  return verification_->bound + (now.raw - verification_->at) * core::kErrorGrowthPpm / 1'000'000;
}

}  // namespace clockmend::engine
