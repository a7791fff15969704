#include "agent/engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "agent/engine/append.hpp"
#include "agent/engine/leap.hpp"

namespace clockmend::engine {
namespace {

using core::Witness;

constexpr std::size_t kFightRounds = 5;
// Notices that wait for the next correction; the channel's token bucket lets far fewer through.
constexpr std::size_t kMostLate = 64;

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

}  // namespace

Engine::Engine(core::Policy policy, const Now& now, std::uint64_t next_number)
    : policy_(policy), next_number_(next_number), ledger_(now.clocks) {}

Commands Engine::observe(const core::Observation& observation, const Now& now) {
  // Every event first settles the books: a foreign step must be known before a reading taken after it is weighed.
  hear_of_leap(observation, now);
  Commands out = compare_clocks(now);
  append(out, std::visit(Overload{[&](const core::OffsetReading& r) { return on_reading(rebased(r, now.clocks), now); },
                                  [&](const core::ClocksCompared&) { return Commands{}; },
                                  [&](const core::HostNotice& n) { return on_notice(rebased(n, now.clocks), now); },
                                  [&](const core::BaselineVoid& v) { return on_void(v); },
                                  [&](const core::Disruption& d) { return on_disruption(d, now); },
                                  [&](const core::DisruptionExpected& d) { return fresh_baselines(d.why); },
                                  [&](const core::MeasurementFailed& f) { return on_failure(f, now); }},
                         observation));
  return out;
}

// A server's word holds for the day that it speaks of; the kernel's as long as it says so (until a time daemon takes it back).
void Engine::hear_of_leap(const core::Observation& observation, const Now& now) {
  constexpr core::seconds kOneDay{86400};
  const auto* reading = std::get_if<core::OffsetReading>(&observation);
  if (reading != nullptr && reading->witness == Witness::ntp) {
    if (reading->leap_announced)
      servers_announced_leap_ = now.clocks.raw;
    else if (!near_leap(now.clocks.realtime))
      servers_announced_leap_.reset();  // near it, some take it back a little early
  }
  const bool by_servers = servers_announced_leap_ && now.clocks.raw - *servers_announced_leap_ <= kOneDay;
  leap_announced_ = now.kernel.leap_pending || by_servers;
}

Commands Engine::on_notice(const core::HostNotice& notice, const Now& now) {
  ++counters_.notices;
  const bool moved = host_moved(notice);
  if (notice.event == core::NoticeEvent::pausing) {
    if (notice.exchange && !active_) baselines_.relearn(*notice.exchange, sound(*notice.exchange, now));
    return fresh_baselines("the host announces a pause");
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
  if (moved) forget_host_clock();
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

Commands Engine::fresh_baselines(const std::string& why) { return {Note{why + ": fresh baselines are taken"}, AskWitnesses{}}; }

Commands Engine::on_failure(const core::MeasurementFailed& failure, const Now& now) {
  if (active_) return after(active_->measurement_failed(failure, now.clocks), now);
  if (failure.witness == Witness::ntp && !failure.deferred) {
    if (!now.kernel.unsynchronized && !known_wrong_)
      state_.on(StateEvent::verified, "no NTP answer (" + failure.why + "); the kernel's clock is disciplined", now.clocks.realtime);
    else
      state_.on(StateEvent::unverified, "no NTP answer: " + failure.why, now.clocks.realtime);
  }
  return {};
}

Commands Engine::open(core::Cause cause, std::string tripwire, std::optional<core::HostNotice> notice,
                      std::optional<core::nanoseconds> step, const Now& now, bool moved, const core::Disruption* disruption) {
  core::Discontinuity d;
  d.cause = cause;
  d.tripwire = std::move(tripwire);
  d.detected = now.clocks;
  d.notice = std::move(notice);
  d.foreign_step = step;
  state_before_ = state_;
  // What NTP said before is about another clock now.
  verification_before_ = std::exchange(verification_, std::nullopt);
  active_.emplace(CorrectionContext{policy_, baselines_, steps_, state_, daemon_active_, fighting(step, now), leap_announced_, deadlines_},
                  next_number_, std::move(d), moved);
  if (disruption) (void)active_->disrupted(*disruption, active_->report().discontinuity.tripwire, now.clocks);
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

void Engine::remember_lone_step(core::RealtimePoint ended, core::Offset total, const core::ClockSnapshot& now) {
  const core::nanoseconds age = std::max<core::nanoseconds>(now.realtime - ended, core::nanoseconds::zero());
  if (age <= policy_.accumulation_window) steps_.add(now.boottime - age, total, false);
}

void Engine::own_step_applied(core::Offset amount) {
  ledger_.own_step(amount);
  ++counters_.steps;
}

void Engine::tool_stepped(core::Offset amount) {
  own_step_applied(amount);
  if (active_) active_->tool_stepped(amount);
}

Commands Engine::tool_ended(const StepToolOutcome& outcome, const Now& now) {
  if (!active_) return {};
  return after(active_->tool_ended(outcome, now.clocks), now);
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

Commands Engine::hooks_done(std::uint64_t correction, const Now& now) {
  if (!active_ || active_->report().number != correction) return {};
  return after(active_->hooks_done(now.clocks), now);
}

Commands Engine::deadline(std::uint64_t token, const Now& now) {
  if (!active_ && token == leap_token_) return {Note{"the announced leap second is over: measured again"}, AskWitness{Witness::ntp}};
  if (!active_) return {};
  return after(active_->deadline(token, now.clocks), now);
}

}  // namespace clockmend::engine
