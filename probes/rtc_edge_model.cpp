#include "probes/rtc_edge_model.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace clockmend::probes {
namespace {

using core::nanoseconds;
using core::RawPoint;
using core::seconds;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
/// Long enough that 1 ms of edge error at both ends is 31 ppm; short enough to learn before the first hour is over.
constexpr seconds kRateWindow{64};
/// An edge known less exactly than this says too little about the rate.
constexpr nanoseconds kRateSpanLimit = core::milliseconds{9};

/// n RTC seconds at `ppb` as RAW time; clamped to a century, so that a device's nonsense cannot overflow.
nanoseconds scaled(std::int64_t n, std::int64_t ppb) {
  constexpr std::int64_t kCentury = 100LL * 366 * 86400;
  return nanoseconds{std::clamp(n, -kCentury, kCentury) * (kNsPerSecond + ppb)};
}

}  // namespace

RtcEdgeModel::RtcEdgeModel(seconds second, EdgeSpan span, EdgeRate rate) : anchor_(second), span_(span), rate_(rate) {}

EdgeSpan RtcEdgeModel::edge(seconds second) const {
  const std::int64_t n = (second - anchor_).count();
  const nanoseconds shift = scaled(n, rate_.ppb);
  const nanoseconds widening{std::abs(n) * rate_.uncertainty_ppb};
  return {span_.low + shift - widening, span_.high + shift + widening};
}

EdgeVerdict RtcEdgeModel::judge(const core::RtcSecond& read) const {
  // The device showed S at some instant of [before, after]: the edge of S is not later than `after`, that of S+1 not
  // earlier than `before`. Nothing else is evidence, so a read that was delayed over its edge proves nothing by itself.
  const nanoseconds ahead = edge(read.utc).low - read.after.raw;
  if (ahead > nanoseconds::zero()) return {EdgeVerdict::Kind::ahead, ahead};
  const nanoseconds behind = read.before.raw - edge(read.utc + seconds{1}).high;
  if (behind > nanoseconds::zero()) return {EdgeVerdict::Kind::behind, behind};
  return {};
}

void RtcEdgeModel::learn(const core::RtcSecond& read) {
  const EdgeSpan shown = edge(read.utc);
  const EdgeSpan next = edge(read.utc + seconds{1});
  // Re-anchor at the nearer edge: only that one can be narrowed by this read.
  if (next.middle() - read.before.raw < read.after.raw - shown.middle()) {
    anchor_at(read.utc + seconds{1}, {std::max(next.low, read.before.raw), next.high});
  } else {
    anchor_at(read.utc, {shown.low, std::min(shown.high, read.after.raw)});
  }
  track_rate();
}

void RtcEdgeModel::reopen(const core::RtcSecond& read, EdgeVerdict::Kind side, nanoseconds room) {
  rate_.uncertainty_ppb = EdgeRate::kUnknownPpb;
  mark_.reset();
  last_window_.reset();
  if (side == EdgeVerdict::Kind::ahead) anchor_at(read.utc, {read.after.raw - room, read.after.raw});
  if (side == EdgeVerdict::Kind::behind) anchor_at(read.utc + seconds{1}, {read.before.raw, read.before.raw + room});
}

nanoseconds RtcEdgeModel::rtc_time(RawPoint at) const {
  const long double elapsed = static_cast<long double>((at - span_.middle()).count());
  const long double rtc = elapsed * kNsPerSecond / static_cast<long double>(kNsPerSecond + rate_.ppb);
  return anchor_ + nanoseconds{static_cast<std::int64_t>(rtc)};
}

nanoseconds RtcEdgeModel::uncertainty(RawPoint at) const {
  const long double elapsed = static_cast<long double>(std::abs((at - span_.middle()).count()));
  const auto widening = static_cast<std::int64_t>(elapsed / kNsPerSecond * static_cast<long double>(rate_.uncertainty_ppb));
  return span_.width() / 2 + nanoseconds{widening};
}

void RtcEdgeModel::anchor_at(seconds second, EdgeSpan span) {
  anchor_ = second;
  span_ = {span.low, std::max(span.low, span.high)};
}

void RtcEdgeModel::track_rate() {
  if (span_.width() > kRateSpanLimit) return;
  if (!mark_) {
    mark_ = Mark{anchor_, span_};
    return;
  }
  const std::int64_t n = (anchor_ - mark_->second).count();
  if (n < kRateWindow.count()) return;
  const nanoseconds grown = (span_.middle() - mark_->span.middle()) - seconds{n};
  const nanoseconds error = (span_.width() + mark_->span.width()) / 2;
  const EdgeRate window{grown.count() / n, error.count() / n};
  mark_ = Mark{anchor_, span_};
  // One window alone may hold a freeze of a few milliseconds that no edge showed (10 ms in 64 s look like 156 ppm);
  // it would not be in the window before as well. Two that agree are a rate.
  const std::optional<EdgeRate> previous = std::exchange(last_window_, window);
  if (!previous || std::abs(window.ppb - previous->ppb) > window.uncertainty_ppb + previous->uncertainty_ppb) return;
  const std::int64_t mean = (window.ppb + previous->ppb) / 2;
  if (std::abs(mean) > EdgeRate::kUnknownPpb) return;
  rate_ = {mean, std::max(EdgeRate::kLearnedPpb, std::max(window.uncertainty_ppb, previous->uncertainty_ppb))};
}

}  // namespace clockmend::probes
