#include "agent/channel/freshness.hpp"

#include <chrono>

namespace clockmend::channel {
namespace {

using core::nanoseconds;
using namespace std::chrono_literals;

constexpr const char* kBacklogNote = "was waiting before we listened: taken as a hint that something happened, its time is not used";
/// Two readings of clocks that are a request apart: scheduling noise, not a changed offset.
constexpr nanoseconds kNoise = 5ms;
/// A one-way stamp has been on its way for an unknown time: a client's process start, sockets, a busy guest. Half a second
/// covers what was seen of virsh and qemu-ga clients with room; the witness vote and NTP do the rest.
constexpr nanoseconds kOneWay = 500ms;

/// By the exchange's offset: how long ago the host wrote the notice.
nanoseconds age_of(core::RealtimePoint sent, const core::OffsetReading& exchange, const core::ClockSnapshot& now) {
  return now.realtime + exchange.offset.value - sent;
}

void use_exchange(Judgement& out, const wire::ClockNotify& notify, const ExchangeVerdict& verdict, const Circumstances& at) {
  if (!verdict.reading) {
    out.note = verdict.why;
    return;
  }
  const core::OffsetReading& reading = *verdict.reading;
  const nanoseconds noise = reading.uncertainty + kNoise;
  if (notify.sent) {
    const nanoseconds age = age_of(*notify.sent, reading, at.now);
    // The notice seems to come from the future: our clock lost time between the exchange and now (a pause).
    if (age < -noise) {
      out.note = "the clock fell behind since the exchange, which is not used";
      return;
    }
    out.stale = age > notify.max_age.value_or(at.max_age) + noise;
    if (out.stale) out.note = "older than its max-age by the exchange";
  }
  out.notice.exchange = reading;
  out.host_time = wire::HostTime::exchange;
}

}  // namespace

Judgement judge_notify(const wire::ClockNotify& notify, const ExchangeLedger& ledger, const Circumstances& at) {
  Judgement out;
  out.notice.event = notify.event;
  out.notice.id = notify.id;
  out.notice.epoch = notify.epoch;
  if (at.arrival == core::Arrival::backlog) {
    out.note = kBacklogNote;
    // The pause it announces may be over: a baseline taken now would make the wrong clock the right one.
    out.stale = notify.event == core::NoticeEvent::pausing;
    return out;
  }
  if (notify.sent) {
    out.notice.sent = notify.sent;
    out.host_time = wire::HostTime::bound;
  }
  if (!notify.exchange.empty()) use_exchange(out, notify, ledger.judge(notify.exchange, at.now, at.host_clock_error), at);
  return out;
}

Judgement judge_set_time(const wire::GuestSetTime& request, const Circumstances& at) {
  Judgement out;
  out.notice.event = core::NoticeEvent::set_time;
  if (!request.time) return out;
  if (at.arrival == core::Arrival::backlog) {
    out.note = kBacklogNote;
    return out;
  }
  const core::RealtimePoint given(*request.time);
  // Whole seconds come from clients that cut the rest off: the host's clock was in [given, given + 1 s).
  const bool cut = *request.time % core::seconds(1) == nanoseconds::zero();
  core::OffsetReading reading;
  reading.witness = core::Witness::host;
  reading.offset.value = given - at.now.realtime + (cut ? nanoseconds(500ms) : nanoseconds::zero());
  reading.uncertainty = cut ? nanoseconds(1s) : kOneWay;
  reading.systematic = at.host_clock_error;
  reading.at = at.now;
  reading.detail = cut ? "guest-set-time, whole seconds, one way" : "guest-set-time, one way";
  out.notice.exchange = reading;
  out.notice.sent = given;
  out.host_time = wire::HostTime::stamp;
  return out;
}

}  // namespace clockmend::channel
