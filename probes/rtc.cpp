// Watching: one read before each expected edge proves that no freeze happened; every fourth second one more read tracks
// the phase. The states and numbers are explained in README.md.
#include "probes/rtc.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "probes/rtc_limits.hpp"

namespace clockmend::probes {

using core::nanoseconds;
using core::seconds;

RtcProbe::RtcProbe(core::Rtc& rtc, core::Scheduler& scheduler, core::ClockReader& clock)
    : rtc_(rtc), clock_(clock), alarm_(scheduler, clock), guard_(kGuard), backoff_(kFirstBackoff) {}

void RtcProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  state_ = core::ProbeState::starting;
  why_ = "looking for the second edge";
  task_ = Task::retry;
  alarm_.set_after(nanoseconds::zero(), [this] { wake(); });
}

void RtcProbe::measure_now() {
  if (state_ == core::ProbeState::off) return;
  const auto read = rtc_.read();
  if (!read) {
    if (search_) search_->asked = false;  // answered here
    // Asking must not lengthen the back-off of a device that is known to be away.
    if (search_ || state_ != core::ProbeState::degraded) failed(read.error());
    return emit(core::MeasurementFailed{core::Witness::rtc, read.error().text});
  }
  failures_ = 0;
  if (search_) {
    // A freeze between the last poll and now must not pass for the edge: the bracket begins anew with this read.
    search_->last = *read;
    search_->begun = read->after.raw;
    search_->asked = true;
    alarm_.set_after(kPollEvery, [this] { wake(); });
  } else {
    begin_search(*read, true);
  }
  emit_coarse(*read);
}

void RtcProbe::own_change(const core::OwnChange& change) {
  // A step of REALTIME changes nothing on RAW; readings take REALTIME from their own snapshot.
  if (change.what != core::OwnChange::What::rtc_write || state_ == core::ProbeState::off) return;
  own_write_ = true;
  aligned_ = false;
  const auto read = rtc_.read();
  if (!read) return failed(read.error());
  failures_ = 0;
  begin_search(*read, search_ && search_->asked);
}

void RtcProbe::device_appeared() {
  if (state_ != core::ProbeState::degraded) return;  // present devices are announced once after start
  backoff_ = kFirstBackoff;
  task_ = Task::retry;
  alarm_.set_after(nanoseconds::zero(), [this] { wake(); });
}

void RtcProbe::device_gone() {
  if (state_ == core::ProbeState::off || rtc_.present()) return;  // another RTC than ours went
  model_.reset();
  device_changed_ = true;
  aligned_ = false;
  degrade("the device was removed");
}

core::ProbeHealth RtcProbe::health() const {
  core::ProbeHealth health{state_, why_, last_};
  if (state_ != core::ProbeState::running || !model_) return health;
  const double half_ms = static_cast<double>(model_->uncertainty(clock_.snapshot().raw).count()) / 1e6;
  char text[96];
  std::snprintf(text, sizeof text, ": edge known to +-%.1f ms, rate %+.1f ppm%s", half_ms, static_cast<double>(model_->rate().ppb) / 1e3,
                aligned_ ? ", aligned by us" : "");
  health.why = rtc_.describe() + text;
  return health;
}

void RtcProbe::wake() {
  const auto read = rtc_.read();
  if (!read) return failed(read.error());
  failures_ = 0;
  if (search_) return poll(*read);
  if (!model_) return begin_search(*read, false);
  watch(*read);
}

void RtcProbe::watch(const core::RtcSecond& read) {
  const EdgeVerdict verdict = model_->judge(read);
  if (verdict.kind != EdgeVerdict::Kind::consistent) return contradicted(read, verdict);
  // Only a read that ended before the edge could have come is evidence; UIP and steal time can carry it over the edge.
  const bool proof = read.after.raw < model_->edge(second_).low;
  model_->learn(read);
  if (model_->uncertainty(read.after.raw) > kModelLost) return begin_search(read, false);
  realtime_minus_raw_ = core::realtime_minus_raw(read.after);
  state_ = core::ProbeState::running;
  backoff_ = kFirstBackoff;
  switch (task_) {
    case Task::before_edge:
      return before_edge_seen(proof);
    case Task::slot:
      return slot_seen(read);
    case Task::retry:
      return arm_next();
  }
}

void RtcProbe::before_edge_seen(bool proof) {
  // Woken too late twice running: this machine needs more room, at the price of seeing larger gaps only.
  if (!proof && !bracketed_) guard_ = std::min(guard_ * 2, nanoseconds{kLargestGuard});
  if (proof) guard_ = std::max(guard_ - kGuardDecay, nanoseconds{kGuard});
  bracketed_ = proof;
  ++seconds_watched_;
  if (!slot_next_second_ && seconds_watched_ % kSlotEvery != 0 && model_->edge(second_).width() < kWide) return arm_next();
  task_ = Task::slot;
  alarm_.set(slot_position(), [this] { wake(); });
}

core::RawPoint RtcProbe::slot_position() const {
  const EdgeSpan edge = model_->edge(second_);
  switch (slot_) {
    case Slot::middle:
      return edge.middle();
    case Slot::below:
      return edge.low - kSlotMargin;
    case Slot::above:
      return edge.high + kSlotMargin;
  }
  return edge.middle();
}

void RtcProbe::slot_seen(const core::RtcSecond& read) {
  slips_ = 0;
  slot_next_second_ = false;
  // Reads in the middle follow a slow drift but would also follow a wrong phase without ever contradicting it. The ones
  // just outside catch that: above finds an RTC set back, below a freeze too short for the guard once the span no longer
  // opens by itself.
  const bool learned = model_->rate().uncertainty_ppb < EdgeRate::kUnknownPpb;
  switch (++slots_ % 4) {
    case 1:
      slot_ = learned ? Slot::below : Slot::middle;
      break;
    case 3:
      slot_ = Slot::above;
      break;
    default:
      slot_ = Slot::middle;
      break;
  }
  const bool tell = slots_ % 4 == 1 && bracketed_;  // right after a narrowing read: about every 16 s
  arm_next();
  if (tell) emit_reading(*model_, read.after, "tracked edge");
}

void RtcProbe::contradicted(const core::RtcSecond& read, const EdgeVerdict& verdict) {
  const bool slip = task_ == Task::slot && verdict.at_least < kSlipLimit && slips_ == 0;
  if (slip) {
    ++slips_;
    model_->reopen(read, verdict.kind, kGuard);
    slot_next_second_ = true;
    slot_ = verdict.kind == EdgeVerdict::Kind::behind ? Slot::above : Slot::middle;
    return arm_next();
  }
  slips_ = 0;
  begin_search(read, false);
  // An RTC behind its prediction was written; what that means is told when the edge is found.
  if (verdict.kind == EdgeVerdict::Kind::ahead) emit_coarse(read);
}

void RtcProbe::arm_next() {
  const core::RawPoint now = clock_.snapshot().raw;
  second_ = std::chrono::floor<seconds>(model_->rtc_time(now)) + seconds{1};
  while (model_->edge(second_).low - guard_ < now + kLead) second_ += seconds{1};
  task_ = Task::before_edge;
  alarm_.set(model_->edge(second_).low - guard_, [this] { wake(); });
}

}  // namespace clockmend::probes
