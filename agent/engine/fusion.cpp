#include "agent/engine/fusion.hpp"

#include <algorithm>

namespace clockmend::engine {
namespace {

using core::Evidence;
using core::OffsetInterval;
using core::Witness;

// An RTC's second edge keeps its phase while the device lives in one VMM process; across a restore it moves by up to this.
constexpr core::seconds kRtcPhase{1};

OffsetInterval widened(OffsetInterval i, core::nanoseconds by) { return {{i.low.value - by}, {i.high.value + by}}; }

struct Group {
  std::vector<std::size_t> members;
  OffsetInterval common{};
};

// Every maximal group has a common point at some member's lower bound (Marzullo); with so few witnesses trying each is enough.
Group group_at(const std::vector<Evidence>& evidence, core::Offset point) {
  Group g;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const OffsetInterval& n = evidence[i].needed;
    if (!n.contains(point)) continue;
    g.common = g.members.empty() ? n : OffsetInterval{std::max(g.common.low, n.low), std::min(g.common.high, n.high)};
    g.members.push_back(i);
  }
  return g;
}

bool has(const Group& g, const std::vector<Evidence>& evidence, Witness w) {
  return std::any_of(g.members.begin(), g.members.end(), [&](std::size_t i) { return evidence[i].reading.witness == w; });
}

bool ntp_majority(const core::OffsetReading& r) { return r.witness == Witness::ntp && r.agreeing >= 2 && 2 * r.agreeing > r.answered; }

// A hypervisor's RTC is its host's clock: without a baseline of its own it repeats what the host says.
unsigned independent(const Group& g, const std::vector<Evidence>& evidence) {
  unsigned n = 0;
  for (const std::size_t i : g.members) {
    const bool echo = evidence[i].reading.witness == Witness::rtc && evidence[i].basis == core::Basis::absolute && has(g, evidence, Witness::host);
    if (!echo) ++n;
  }
  return n;
}

// Several NTP servers in agreement weigh as much as two local witnesses.
unsigned weight(const Group& g, const std::vector<Evidence>& evidence) {
  const bool majority = std::any_of(g.members.begin(), g.members.end(), [&](std::size_t i) { return ntp_majority(evidence[i].reading); });
  return independent(g, evidence) + (majority ? 1U : 0U);
}

// Above zero when `a` is preferred over `b`. The RTC comes last: an unannounced restore moves its phase, and nothing in its
// reading tells.
int compare(const Group& a, const Group& b, const std::vector<Evidence>& evidence, core::OnDisagreement rule) {
  const unsigned weight_a = weight(a, evidence);
  const unsigned weight_b = weight(b, evidence);
  if (weight_a != weight_b) return weight_a > weight_b ? 1 : -1;
  const bool host_first = rule == core::OnDisagreement::host;
  for (const Witness preferred : {host_first ? Witness::host : Witness::ntp, host_first ? Witness::ntp : Witness::host}) {
    const int preference = static_cast<int>(has(a, evidence, preferred)) - static_cast<int>(has(b, evidence, preferred));
    if (preference != 0) return preference;
  }
  return a.common.half_width() < b.common.half_width() ? 1 : -1;
}

core::Estimate summarize(const Group& g, const std::vector<Evidence>& evidence) {
  const auto tightest = *std::min_element(g.members.begin(), g.members.end(), [&](std::size_t a, std::size_t b) {
    return evidence[a].needed.half_width() < evidence[b].needed.half_width();
  });
  core::Estimate e;
  e.offset = evidence[tightest].needed.middle();
  e.uncertainty = evidence[tightest].needed.half_width();
  e.basis = evidence[tightest].basis;
  e.best = evidence[tightest].reading.witness;
  e.witnesses = independent(g, evidence);
  for (const std::size_t i : g.members) {
    e.agreeing.push_back(evidence[i].reading.witness);
    e.ntp_majority = e.ntp_majority || ntp_majority(evidence[i].reading);
  }
  return e;
}

core::nanoseconds distance(const OffsetInterval& a, const OffsetInterval& b) {
  if (a.overlaps(b)) return core::nanoseconds::zero();
  return a.high < b.low ? b.low.value - a.high.value : a.low.value - b.high.value;
}

}  // namespace

Evidence testify(const core::OffsetReading& reading, const Baselines& baselines, const EventContext& event, const core::Policy& policy) {
  Evidence e{reading, core::Basis::absolute, core::interval_around(reading.offset, reading.uncertainty + reading.systematic), false};
  const auto& base = baselines.of(reading.witness);
  if (reading.witness == Witness::ntp || !base) return e;
  // A host's own error cancels only against a baseline taken while the guest's clock was known good, on the same host.
  if (reading.witness == Witness::host && (!base->disciplined || event.host_moved)) return e;
  OffsetInterval differential = *baselines.needed(reading);
  if (reading.witness == Witness::rtc) {
    if (event.host_moved) differential = widened(differential, kRtcPhase + policy.host_clock_error);
    else if (event.foreign_step && !base->disciplined) differential = widened(differential, kRtcPhase);
    // Nobody vouched for the clock when this baseline was taken: where it contradicts the RTC's own time, an older error
    // is in it (one that was observed and left, or refused), and going back to it would keep that error.
    if (!base->disciplined && !differential.overlaps(e.needed)) return e;
  }
  // A host's baseline is as old as its last notice: after hours its drift makes the plain reading the better one.
  if (reading.witness == Witness::host && differential.half_width() >= e.needed.half_width()) return e;
  e.basis = core::Basis::differential;
  e.needed = differential;
  e.disciplined = base->disciplined;
  return e;
}

Vote vote(std::vector<Evidence>& evidence, const core::Policy& policy) {
  Vote result;
  if (evidence.empty()) return result;
  Group best = group_at(evidence, evidence.front().needed.low);
  bool tie = false;
  for (std::size_t i = 1; i < evidence.size(); ++i) {
    const Group g = group_at(evidence, evidence[i].needed.low);
    if (g.members == best.members) continue;
    const bool subset = std::includes(best.members.begin(), best.members.end(), g.members.begin(), g.members.end());
    const bool equal = weight(g, evidence) == weight(best, evidence);
    tie = tie || (equal && !subset);
    if (compare(g, best, evidence, policy.on_disagreement) > 0) {
      tie = tie && equal;
      best = g;
    }
  }
  for (auto& e : evidence) e.used = false;
  for (const std::size_t i : best.members) evidence[i].used = true;
  for (const auto& e : evidence) {
    if (e.used) continue;
    const core::nanoseconds d = distance(e.needed, best.common);
    if (result.conflict.empty() || d < result.conflict_distance) result.conflict_distance = d;
    result.conflict += (result.conflict.empty() ? "" : ", ") + std::string(core::to_string(e.reading.witness)) + " disagrees";
  }
  if (tie && policy.on_disagreement == core::OnDisagreement::hold) return result;
  result.estimate = summarize(best, evidence);
  return result;
}

}  // namespace clockmend::engine
