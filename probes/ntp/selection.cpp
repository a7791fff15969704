#include "probes/ntp/selection.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "probes/ntp/text.hpp"

namespace clockmend::probes::ntp {

namespace {

using core::nanoseconds;
using core::Offset;
using core::OffsetInterval;

// How fast an undisciplined clock may run away between the samples of one round.
constexpr int kDriftPpm = 100;
// A smearing server is off by at most half a second, within a day of the leap second.
constexpr core::milliseconds kMaxSmear{500};
constexpr core::seconds kSmearReach{86400};

std::vector<OffsetInterval> widened(const std::vector<Candidate>& candidates) {
  auto newest = candidates.front().sample.at.raw;
  for (const auto& c : candidates) newest = std::max(newest, c.sample.at.raw);
  std::vector<OffsetInterval> out;
  for (const auto& c : candidates) {
    const auto age = newest - c.sample.at.raw;
    out.push_back(core::interval_around(c.sample.offset, c.sample.uncertainty + age / 1'000'000 * kDriftPpm));
  }
  return out;
}

unsigned covering(const std::vector<OffsetInterval>& all, Offset point) {
  return static_cast<unsigned>(std::count_if(all.begin(), all.end(), [&](const auto& i) { return i.contains(point); }));
}

struct Group {
  unsigned size = 0;
  OffsetInterval hull{};               // from the first point the largest group shares to the last
  std::vector<OffsetInterval> places;  // each connected stretch of such points
};

/// The most covered points. Every such stretch begins at some interval's low end and ends at some interval's high end.
Group largest_group(const std::vector<OffsetInterval>& all) {
  Group g;
  for (const auto& i : all) g.size = std::max(g.size, covering(all, i.low));
  for (const auto& start : all) {
    if (covering(all, start.low) != g.size) continue;
    Offset end = start.high;
    for (const auto& i : all)
      if (i.contains(start.low)) end = std::min(end, i.high);
    g.places.push_back({start.low, end});
  }
  g.hull = g.places.front();
  for (const auto& p : g.places) g.hull = {std::min(g.hull.low, p.low), std::max(g.hull.high, p.high)};
  return g;
}

bool in_group(const OffsetInterval& i, const Group& g) {
  return std::any_of(g.places.begin(), g.places.end(), [&](const auto& p) { return i.low <= p.low && p.high <= i.high; });
}

/// Relative to the low end of the hull, so the doubles hold small numbers only (a hull spans seconds, not centuries).
Offset weighted(const std::vector<Candidate>& candidates, const Selection& s, const OffsetInterval& hull) {
  double sum = 0.0;
  double weights = 0.0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!s.truechimer[i]) continue;
    const auto& sample = candidates[i].sample;
    const double weight = 1.0 / static_cast<double>(sample.uncertainty.count() + 1);
    sum += weight * static_cast<double>((sample.offset - hull.low).value.count());
    weights += weight;
  }
  const Offset mean{hull.low.value + nanoseconds{static_cast<std::int64_t>(sum / weights)}};
  return std::clamp(mean, hull.low, hull.high);
}

void combine(const std::vector<Candidate>& candidates, const Group& group, Selection& s) {
  s.offset = weighted(candidates, s, group.hull);
  std::optional<nanoseconds> best;
  bool first = true;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!s.truechimer[i]) continue;
    const auto& sample = candidates[i].sample;
    if (!best || sample.uncertainty < *best) best = sample.uncertainty;
    if (first || sample.at.raw > s.at.raw) s.at = sample.at;
    first = false;
  }
  s.uncertainty = std::max({*best, group.hull.high.value - s.offset.value, s.offset.value - group.hull.low.value});
}

/// Leap seconds happen at the end of June and December (UTC); a smear lies within a day of one.
bool near_leap_date(core::RealtimePoint t) {
  using namespace std::chrono;
  const sys_time<nanoseconds> utc{t.time_since_epoch()};
  const year y = year_month_day{floor<days>(utc)}.year();
  for (const sys_days date : {sys_days{y / January / 1}, sys_days{y / July / 1}, sys_days{(y + years{1}) / January / 1}}) {
    const auto away = utc - date;
    if (away < kSmearReach && away > -kSmearReach) return true;
  }
  return false;
}

std::string smear_note(const std::vector<Candidate>& candidates, const Selection& s) {
  bool leap_announced = false;
  bool half_a_second = false;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    leap_announced = leap_announced || candidates[i].sample.leap != 0;
    const auto away = core::magnitude(candidates[i].sample.offset - s.offset);
    half_a_second = half_a_second || (!s.truechimer[i] && away <= kMaxSmear + candidates[i].sample.uncertainty);
  }
  const auto& sample = candidates.front().sample;
  if (!half_a_second || !(leap_announced || near_leap_date(sample.at.realtime + s.offset.value))) return {};
  return "; perhaps servers that smear a leap second are mixed with servers that do not";
}

void explain(const std::vector<Candidate>& candidates, Selection& s) {
  constexpr std::size_t kNamed = 8;
  std::size_t named = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (s.usable && s.truechimer[i]) continue;
    if (++named > kNamed) break;
    s.reason += (s.reason.empty() ? "" : ", ") + candidates[i].name;
    s.reason += " says " + ms_text(candidates[i].sample.offset.value, true);
  }
  if (s.usable) {
    if (!s.reason.empty()) s.reason = "falsetickers: " + s.reason + smear_note(candidates, s);
    return;
  }
  s.reason = "no majority among " + std::to_string(s.answered) + " NTP servers: " + s.reason + smear_note(candidates, s);
}

}  // namespace

Selection select(const std::vector<Candidate>& candidates) {
  Selection s;
  s.answered = static_cast<unsigned>(candidates.size());
  if (candidates.empty()) return s;
  const auto intervals = widened(candidates);
  const Group group = largest_group(intervals);
  s.agreeing = group.size;
  for (const auto& i : intervals) s.truechimer.push_back(in_group(i, group));
  s.usable = 2 * group.size > s.answered;
  combine(candidates, group, s);
  explain(candidates, s);
  return s;
}

}  // namespace clockmend::probes::ntp
