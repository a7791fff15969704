// Searching the edge, judging what was found, and telling it.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "probes/rtc.hpp"
#include "probes/rtc_limits.hpp"

namespace clockmend::probes {

using core::nanoseconds;
using core::seconds;

namespace {

/// Does a move between two offsets from REALTIME look like a write by the kernel's 11-minute mode or hwclock(8)? Either the
/// RTC now agrees and did not before; or the device keeps its edge through a write (rtc-cmos on AMD processors, see
/// correctors/rtc_writer.cpp), and the move was by whole seconds to the nearest one.
bool looks_written(nanoseconds before, nanoseconds now, nanoseconds exact) {
  if (core::magnitude({now}) <= kAgreement) return core::magnitude({before}) > kAgreement;
  const nanoseconds moved = now - before;
  const bool whole_seconds = core::magnitude({moved - std::chrono::round<seconds>(moved)}) <= exact;
  return whole_seconds && core::magnitude({now}) <= kHalfSecond && core::magnitude({before}) > kHalfSecond - kAgreement;
}

}  // namespace

void RtcProbe::begin_search(const core::RtcSecond& first, bool asked) {
  search_ = Search{first, first.after.raw, 0, 0, asked};
  bracketed_ = false;
  alarm_.set_after(kPollEvery, [this] { wake(); });
}

void RtcProbe::poll(const core::RtcSecond& read) {
  Search& search = *search_;
  const seconds shown = read.utc - search.last.utc;
  if (shown == seconds{1}) return edge_found(read);
  search.last = read;
  const bool jumped = shown != seconds{0};
  if (jumped) {
    // Frozen or written in the middle of the search: the edge looked for belongs to the past.
    search.begun = read.after.raw;
    if (++search.restarts > kSearchRestarts) return degrade("its seconds jump about");
  } else if (read.after.raw - search.begun > kLongestSearch) {
    return degrade("it does not tick");
  }
  alarm_.set_after(kPollEvery, [this] { wake(); });
  if (shown > seconds{1}) emit_coarse(read);
}

void RtcProbe::edge_found(const core::RtcSecond& read) {
  const Search found = *std::exchange(search_, std::nullopt);
  const core::ClockSnapshot& at = read.after;
  // The last read before showed the old second at or after its begin; this one the new second at or before its end.
  const EdgeSpan span{found.last.before.raw, at.raw};
  RtcEdgeModel fresh(read.utc, span, model_ ? model_->distrusted_rate() : EdgeRate{});
  const Movement movement = compare(fresh, at);
  if (!movement.moved && model_) fresh = RtcEdgeModel(read.utc, span, model_->rate());
  std::optional<std::string> broken = movement.baseline_void;
  if (std::exchange(device_changed_, false)) broken = "the RTC device changed";
  if (movement.moved) aligned_ = false;
  const nanoseconds offset = fresh.rtc_time(at.raw) - at.realtime.time_since_epoch();
  if (std::exchange(own_write_, false)) aligned_ = core::magnitude({offset}) <= kAlignedPhase + fresh.uncertainty(at.raw);
  model_ = fresh;
  realtime_minus_raw_ = core::realtime_minus_raw(at);
  slot_next_second_ = false;
  state_ = core::ProbeState::running;
  backoff_ = kFirstBackoff;
  const bool wide = span.width() > kWideEdge && found.wide_edges < kWideEdgeTries;
  const bool held_back = wide && span.width() > kUselessEdge && found.asked && found.wide_edges == 0;
  if (wide) {
    search_again(read, span, found.wide_edges + 1, held_back);
  } else {
    arm_next();
  }
  if (broken) emit(core::BaselineVoid{core::Witness::rtc, *broken});
  if (!held_back) emit_reading(fresh, at, "edge search");
}

void RtcProbe::search_again(const core::RtcSecond& read, const EdgeSpan& span, unsigned wide_edges, bool asked) {
  const core::RawPoint next = span.low + seconds{1} - kPollEvery * 2;
  search_ = Search{read, next, wide_edges, 0, asked};
  alarm_.set(next, [this] { wake(); });
}

RtcProbe::Movement RtcProbe::compare(const RtcEdgeModel& fresh, const core::ClockSnapshot& at) const {
  if (!model_) return {};
  if (own_write_) return {.moved = false, .baseline_void = {}};
  const nanoseconds now = fresh.rtc_time(at.raw);
  const nanoseconds was = model_->rtc_time(at.raw);
  const nanoseconds moved = now - was;
  if (core::magnitude({moved}) <= fresh.uncertainty(at.raw) + model_->uncertainty(at.raw) + kMoved) return {};
  // Before is before: a restore step since then must not make the RTC look written because it agrees again.
  const nanoseconds offset = now - at.realtime.time_since_epoch();
  const nanoseconds offset_before = was - (at.raw.time_since_epoch() + realtime_minus_raw_);
  const nanoseconds exact = fresh.uncertainty(at.raw) + model_->uncertainty(at.raw) + core::milliseconds{1};
  if (looks_written(offset_before, offset, exact)) return {true, "the RTC was written: it now agrees with the system clock"};
  if (moved > nanoseconds::zero()) return {true, {}};
  char text[80];
  std::snprintf(text, sizeof text, "the RTC was set back by %.3f s", -static_cast<double>(moved.count()) / 1e9);
  return {true, text};
}

void RtcProbe::emit(core::Observation observation) {
  if (sink_) sink_(std::move(observation));
}

void RtcProbe::emit_coarse(const core::RtcSecond& read) {
  // At some instant of the bracket the RTC's time was in [S, S+1); at its end it is in [S, S+1 + bracket).
  const nanoseconds bracket = read.after.monotonic - read.before.monotonic;
  core::OffsetReading reading;
  reading.witness = core::Witness::rtc;
  reading.uncertainty = (seconds{1} + bracket) / 2 + read.after.bracket;
  reading.offset.value = read.utc + (seconds{1} + bracket) / 2 - read.after.realtime.time_since_epoch();
  reading.systematic = kUnknownPhase;  // whether our own alignment still holds is what the search will tell
  reading.at = read.after;
  reading.detail = rtc_.describe() + ", whole second";
  if (!last_) last_ = reading;
  emit(std::move(reading));
}

void RtcProbe::emit_reading(const RtcEdgeModel& model, const core::ClockSnapshot& at, std::string_view how) {
  core::OffsetReading reading;
  reading.witness = core::Witness::rtc;
  reading.offset.value = model.rtc_time(at.raw) - at.realtime.time_since_epoch();
  reading.uncertainty = model.uncertainty(at.raw) + at.bracket;
  reading.systematic = aligned_ ? nanoseconds{kAlignedPhase} : nanoseconds{kUnknownPhase};
  reading.at = at;
  reading.detail = rtc_.describe() + ", " + std::string(how);
  last_ = reading;
  emit(std::move(reading));
}

void RtcProbe::failed(const core::Error& error) {
  ++failures_;
  if (error.code == core::ErrorCode::not_found || failures_ > kToleratedFailures || (!search_ && !model_)) return degrade(error.text);
  if (search_) return alarm_.set_after(kPollEvery, [this] { wake(); });
  arm_next();
}

void RtcProbe::degrade(std::string why) {
  state_ = core::ProbeState::degraded;
  why_ = std::move(why);
  const bool asked = search_ && search_->asked;
  search_.reset();
  own_write_ = false;
  bracketed_ = false;
  task_ = Task::retry;
  alarm_.set_after(backoff_, [this] { wake(); });
  backoff_ = std::min(backoff_ * 2, kLongestBackoff);
  if (asked) emit(core::MeasurementFailed{core::Witness::rtc, why_});
}

}  // namespace clockmend::probes
