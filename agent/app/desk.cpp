#include "agent/app/desk.hpp"

#include <vector>

namespace clockmend::app {
namespace {

// An RTC edge search ends within 1.1 s; after it the baselines of a `pausing` notice are as fresh as they get.
constexpr core::milliseconds kBaselineTaken{1150};
// The channel bounds its waits already; this bounds what a defect there could do.
constexpr std::size_t kMostWaiting = 64;
// A step by a witness that is better than this is what a client of guest-set-time waits for; by a worse one the proof decides.
constexpr core::milliseconds kRight{10};

bool right(const core::CorrectionReport& report) {
  if (report.outcome != core::Outcome::corrected || report.total.value == core::nanoseconds::zero()) return false;
  return report.verified || (report.estimate && report.estimate->uncertainty <= kRight);
}

}  // namespace

Desk::Desk(core::ClockReader& clock, core::Scheduler& scheduler, engine::Engine& engine, probes::HostNoticeProbe& host, History& history,
           StatusSource status)
    : clock_(clock), scheduler_(scheduler), engine_(engine), host_(host), history_(history), status_(std::move(status)) {}

void Desk::notify(core::HostNotice notice, OnReport done) {
  // The report names the notices it answers, so each needs a name.
  if (notice.id.empty()) notice.id = "local-" + std::to_string(++sequence_);
  if (notice.event == core::NoticeEvent::pausing)
    answer_pausing(notice, std::move(done));
  else if (done && waiting_.size() < kMostWaiting) {
    const bool until_right = notice.event == core::NoticeEvent::set_time;
    if (until_right) ++until_right_;
    waiting_.emplace(notice.id, Waiting{std::move(done), until_right});
  }
  // Delivered from the loop, not from inside the caller: a report may come at once.
  const std::uint64_t key = ++sequence_;
  later_[key] = scheduler_.after(core::nanoseconds::zero(), [this, key, n = std::move(notice)] {
    const core::TimerHandle keep = std::move(later_[key]);
    later_.erase(key);
    host_.deliver(n);
  });
}

void Desk::answer_pausing(const core::HostNotice& notice, OnReport done) {
  if (!done && !at_pause_) return;
  const std::uint64_t key = ++sequence_;
  const auto answer = [this, notice, done = std::move(done)](const std::string& also) {
    if (!done) return;
    core::CorrectionReport r;
    r.discontinuity.cause = core::Cause::notice;
    r.discontinuity.tripwire = "host: pausing";
    r.discontinuity.notice = notice;
    r.discontinuity.detected = clock_.snapshot();
    r.outcome = core::Outcome::no_action;
    r.reason = "fresh baselines were taken" + also;
    r.notices = {notice.id};
    r.started_realtime = r.ended_realtime = r.discontinuity.detected.realtime;
    done(r);
  };
  later_[key] = scheduler_.after(kBaselineTaken, [this, key, answer, number = engine_.current_number()] {
    const core::TimerHandle keep = std::move(later_[key]);
    later_.erase(key);
    // A correction since then means that the VM was frozen and runs on.
    const bool too_late = engine_.busy() || engine_.current_number() != number;
    if (!at_pause_ || too_late) return answer("");
    at_pause_(answer);
  });
}

std::vector<std::string> Desk::history(std::size_t limit, std::optional<std::uint64_t> before) { return history_.newest(limit, before); }

void Desk::published(const core::CorrectionReport& report) { answer(report, false); }

void Desk::progressed() {
  if (until_right_ == 0) return;
  const core::CorrectionReport* report = engine_.under_way();
  if (report != nullptr && right(*report)) answer(*report, true);
}

void Desk::answer(const core::CorrectionReport& report, bool only_until_right) {
  std::vector<OnReport> answered;
  for (const std::string& id : report.notices) {
    const auto [first, last] = waiting_.equal_range(id);
    for (auto w = first; w != last;) {
      if (only_until_right && !w->second.until_right) {
        ++w;
        continue;
      }
      if (w->second.until_right) --until_right_;
      answered.push_back(std::move(w->second.done));
      w = waiting_.erase(w);
    }
  }
  for (const OnReport& done : answered) done(report);
}

}  // namespace clockmend::app
