// Requests that start work: notices, guest-set-time, resync; and the answers that wait for a report.
#include <algorithm>
#include <utility>

#include "agent/channel/session.hpp"
#include "agent/channel/wait.hpp"

namespace clockmend::channel {

Circumstances Session::circumstances() const {
  Circumstances at;
  at.now = read_at_;
  at.arrival = arrival_;
  at.max_age = shared_.settings.max_age;
  at.host_clock_error = shared_.agent.host_clock_error();
  return at;
}

void Session::handle(const wire::ClockNotify& request, const std::string& id) {
  submit(judge_notify(request, ledger_, circumstances()), request.wait, Style::notify_reply, id);
}

/// Answers {} when the clock is right or nothing was to do, an error when the correction has ended without, as clients of the
/// QEMU guest agent expect.
void Session::handle(const wire::GuestSetTime& request, const std::string& id) {
  submit(judge_set_time(request, circumstances()), true, Style::empty_reply, id);
}

void Session::handle(const wire::ClockResync& request, const std::string& id) {
  Judgement judged;
  judged.notice.event = core::NoticeEvent::resync;
  judged.notice.force = request.force;
  judged.notice.dry_run = request.dry_run;
  judged.notice.backend = request.backend;
  submit(std::move(judged), request.wait, Style::notify_reply, id);
}

void Session::submit(Judgement judged, bool wait, Style style, const std::string& id_json) {
  wire::NotifyReply ack{judged.notice.id, wire::Disposition::stale, judged.host_time, judged.note, std::nullopt};
  std::shared_ptr<Wait> waiting;
  if (judged.stale) {
    ++shared_.counters.notices;
    ++shared_.counters.notices_dropped;
  } else {
    if (wait) waiting = make_wait(ack, style, id_json);
    if (wait && !waiting) ack.note = "too many requests wait for a report: this one does not";
    ack.disposition = shared_.desk.submit(std::move(judged.notice), reporter(waiting), peer_ == Peer::administrator);
  }
  const bool underway = ack.disposition == wire::Disposition::accepted || ack.disposition == wire::Disposition::deferred;
  if (waiting && underway) {
    waiting->reply.disposition = ack.disposition;
    return;
  }
  finish(waiting.get());
  reply(style == Style::empty_reply ? wire::empty_reply(id_json) : wire::notify_reply(ack, id_json));
}

/// nullptr if kMaxWaiting requests wait already.
std::shared_ptr<Session::Wait> Session::make_wait(const wire::NotifyReply& ack, Style style, const std::string& id_json) {
  if (shared_.waiting >= kMaxWaiting) return nullptr;
  auto wait = std::make_shared<Wait>(shared_, id_json);
  wait->reply = ack;
  wait->style = style;
  wait->deadline = shared_.agent.scheduler().after(kWaitDeadline, [this, raw = wait.get()] { give_up(raw); });
  waits_.push_back(wait);
  return wait;
}

Agent::OnReport Session::reporter(const std::shared_ptr<Wait>& wait) {
  if (!wait) return {};
  return [this, weak = std::weak_ptr<Wait>(wait)](const core::CorrectionReport& report) {
    // Gone: given up, answered, or the session has ended. Only the session keeps a Wait, so `this` lives as long as it does.
    if (const auto alive = weak.lock()) answer(*alive, report);
  };
}

void Session::answer(Wait& wait, const core::CorrectionReport& report) {
  const std::string id_json = wait.id_json;
  wire::NotifyReply full = wait.reply;
  const Style style = wait.style;
  finish(&wait);
  if (style == Style::notify_reply) {
    full.report = report;
    reply(wire::notify_reply(full, id_json));
    return;
  }
  const bool failed = report.outcome == core::Outcome::refused || report.outcome == core::Outcome::failed;
  if (failed) {
    reply(wire::error_reply(wire::ErrorClass::generic, std::string("guest-set-time: ") + to_string(report.outcome) + ": " + report.reason,
                            id_json));
  } else {
    reply(wire::empty_reply(id_json));
  }
}

void Session::give_up(Wait* wait) {
  const std::string id_json = wait->id_json;
  const auto c = wait->style == Style::empty_reply ? wire::ErrorClass::generic : wire::ErrorClass::timeout;
  finish(wait);
  const core::AgentStatus status = shared_.agent.status();
  const std::string reason = status.state_reason.empty() ? "" : " (" + status.state_reason + ")";
  reply(wire::error_reply(c, std::string("no report within 30 s, the work goes on; state ") + to_string(status.state) + reason, id_json));
}

void Session::finish(const Wait* wait) {
  std::erase_if(waits_, [wait](const std::shared_ptr<Wait>& w) { return w.get() == wait; });
}

}  // namespace clockmend::channel
