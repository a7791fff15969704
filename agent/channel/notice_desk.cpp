#include "agent/channel/notice_desk.hpp"

#include <algorithm>
#include <utility>

namespace clockmend::channel {
namespace {

/// The exchange relates the host's clock to ours as it was; after a set it says nothing any more.
void drop_outdated_exchange(core::HostNotice& notice, const core::ClockSnapshot& now) {
  if (!notice.exchange) return;
  const core::nanoseconds set = realtime_minus_monotonic(now) - realtime_minus_monotonic(notice.exchange->at);
  const core::nanoseconds noise = now.bracket + notice.exchange->at.bracket + core::microseconds(1);
  if (set > noise || set < -noise) notice.exchange.reset();
}

Agent::OnReport to_all(std::vector<Agent::OnReport> waiting) {
  if (waiting.empty()) return {};
  return [waiting = std::move(waiting)](const core::CorrectionReport& report) {
    for (const Agent::OnReport& done : waiting) done(report);
  };
}

/// The exchange alone shows that the clock is wrong, whatever the host's own clock may be wrong by.
bool proves_error(const core::HostNotice& notice) {
  return notice.exchange && magnitude(notice.exchange->offset) > notice.exchange->uncertainty + notice.exchange->systematic;
}

}  // namespace

/// By id where there is one: the same event with another id is another event, even a second later. Without an id, hooks that
/// fire together for one event are told by epoch and event; without an epoch nothing is known, and it counts as new.
bool NoticeDesk::repeated(const core::HostNotice& notice) {
  const core::MonotonicPoint now = agent_.scheduler().now();
  while (!seen_.empty() && seen_.front().until <= now) seen_.pop_front();
  std::string key;
  core::seconds window = kIdWindow;
  if (!notice.id.empty()) {
    key = "i" + notice.id;
  } else if (!notice.epoch.empty()) {
    key = std::string("e") + to_string(notice.event) + " " + notice.epoch;
    window = kEventWindow;
  } else {
    return false;
  }
  const auto known = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.key == key && s.until > now; });
  if (known != seen_.end()) return true;
  if (seen_.size() >= kRemembered) seen_.pop_front();
  seen_.push_back({std::move(key), now + window});
  return false;
}

wire::Disposition NoticeDesk::submit(core::HostNotice notice, Agent::OnReport done, bool operator_request) {
  ++counters_.notices;
  if (repeated(notice)) {
    ++counters_.notices_dropped;
    return wire::Disposition::repeated;
  }
  const core::MonotonicPoint now = agent_.scheduler().now();
  if (notice.event == core::NoticeEvent::pausing) {
    // Never deferred: later it would take the clock after the pause for the one before it.
    if (deferred_ || !baselines_.take(now)) {
      ++counters_.notices_dropped;
      return wire::Disposition::dropped;
    }
  } else if (!operator_request && !(proves_error(notice) && proved_.take(now)) && (deferred_ || !starts_.take(now))) {
    defer(std::move(notice), std::move(done));
    return wire::Disposition::deferred;
  }
  hand_over(std::move(notice), std::move(done));
  return wire::Disposition::accepted;
}

/// Its report answers those that were deferred before it, too.
void NoticeDesk::hand_over(core::HostNotice notice, Agent::OnReport done) {
  if (!deferred_ || notice.event == core::NoticeEvent::pausing || notice.dry_run) {
    agent_.notify(std::move(notice), std::move(done));
    return;
  }
  std::vector<Agent::OnReport> waiting = std::move(deferred_->waiting);
  if (done) waiting.push_back(std::move(done));
  deferred_.reset();
  timer_.reset();
  ++counters_.notices_coalesced;
  agent_.notify(std::move(notice), to_all(std::move(waiting)));
}

void NoticeDesk::defer(core::HostNotice notice, Agent::OnReport done) {
  if (!deferred_) deferred_.emplace();
  if (timer_) ++counters_.notices_coalesced;
  deferred_->notice = std::move(notice);
  if (done) deferred_->waiting.push_back(std::move(done));
  if (timer_) return;
  timer_ = agent_.scheduler().at(starts_.next_allowed(), [this] { hand_over_deferred(); });
}

void NoticeDesk::hand_over_deferred() {
  Deferred deferred = std::move(*deferred_);
  deferred_.reset();
  timer_.reset();
  static_cast<void>(starts_.take(agent_.scheduler().now()));
  drop_outdated_exchange(deferred.notice, agent_.snapshot());
  agent_.notify(std::move(deferred.notice), to_all(std::move(deferred.waiting)));
}

}  // namespace clockmend::channel
