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

bool from_host(const Group& g, const std::vector<Evidence>& evidence) {
  return std::any_of(g.members.begin(), g.members.end(), [&](std::size_t i) { return is_host_clock(evidence[i].reading.witness); });
}

bool from_ntp(const Group& g, const std::vector<Evidence>& evidence) {
  return std::any_of(g.members.begin(), g.members.end(), [&](std::size_t i) { return evidence[i].reading.witness == Witness::ntp; });
}

bool ntp_majority(const core::OffsetReading& r) { return r.witness == Witness::ntp && r.agreeing >= 2 && 2 * r.agreeing > r.answered; }

struct Ballot {
  const std::vector<Evidence>& evidence;
  core::OnDisagreement rule = core::OnDisagreement::ntp;
  bool suspicious = false;  // nothing but clocks that follow the host's tells of an event, and NTP can be heard
};

// All readings of the host's clock are one witness. A hypervisor's RTC follows that clock too: without a baseline of its own it
// repeats what the host says, and with one it still cannot tell a pause from a setting of the host's clock.
unsigned independent(const Group& g, const Ballot& b) {
  unsigned n = 0;
  const bool host =
      std::any_of(g.members.begin(), g.members.end(), [&](std::size_t i) { return is_host_clock(b.evidence[i].reading.witness); });
  for (const std::size_t i : g.members) {
    const Evidence& e = b.evidence[i];
    if (is_host_clock(e.reading.witness)) continue;
    const bool echo = host && e.reading.witness == Witness::rtc && (e.basis == core::Basis::absolute || b.suspicious);
    if (!echo) ++n;
  }
  return n + (host ? 1U : 0U);
}

// Several NTP servers in agreement weigh as much as two local witnesses.
unsigned weight(const Group& g, const Ballot& b) {
  const bool majority = std::any_of(g.members.begin(), g.members.end(), [&](std::size_t i) { return ntp_majority(b.evidence[i].reading); });
  return independent(g, b) + (majority ? 1U : 0U);
}

// Above zero when `a` is preferred over `b`. The RTC comes last: an unannounced restore moves its phase, and nothing in its
// reading tells.
int compare(const Group& a, const Group& b, const Ballot& ballot) {
  const unsigned weight_a = weight(a, ballot);
  const unsigned weight_b = weight(b, ballot);
  if (weight_a != weight_b) return weight_a > weight_b ? 1 : -1;
  const int ntp = static_cast<int>(from_ntp(a, ballot.evidence)) - static_cast<int>(from_ntp(b, ballot.evidence));
  const int host = static_cast<int>(from_host(a, ballot.evidence)) - static_cast<int>(from_host(b, ballot.evidence));
  const bool host_first = ballot.rule == core::OnDisagreement::host;
  for (const int preference : {host_first ? host : ntp, host_first ? ntp : host})
    if (preference != 0) return preference;
  return a.common.half_width() < b.common.half_width() ? 1 : -1;
}

core::Estimate summarize(const Group& g, const Ballot& ballot) {
  const auto& evidence = ballot.evidence;
  const auto tightest = *std::min_element(g.members.begin(), g.members.end(), [&](std::size_t a, std::size_t b) {
    return evidence[a].needed.half_width() < evidence[b].needed.half_width();
  });
  core::Estimate e;
  e.offset = evidence[tightest].needed.middle();
  e.uncertainty = evidence[tightest].needed.half_width();
  e.basis = evidence[tightest].basis;
  e.best = evidence[tightest].reading.witness;
  e.witnesses = independent(g, ballot);
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
  Evidence e;
  e.reading = reading;
  e.needed = core::interval_around(reading.offset, reading.uncertainty + reading.systematic);
  // What PTP and vmclock tell is the host's clock: nothing in it says how right that is (KVM_HC_CLOCK_PAIRING carries no quality).
  if (reading.witness == Witness::ptp || reading.witness == Witness::vmclock) e.needed = widened(e.needed, policy.host_clock_error);
  const auto& base = baselines.of(reading.witness);
  if (reading.witness == Witness::ntp || !base) return e;
  e.gap = baselines.gap(reading);
  // A host's own error cancels only against a baseline taken while the guest's clock was known good, on the same host.
  if (is_host_clock(reading.witness) && (!base->disciplined || event.host_moved)) return e;
  OffsetInterval differential = *baselines.needed(reading);
  if (reading.witness == Witness::rtc) {
    if (event.host_moved)
      differential = widened(differential, kRtcPhase + policy.host_clock_error);
    else if (event.foreign_step && !base->disciplined)
      differential = widened(differential, kRtcPhase);
    // Nobody vouched for the clock when this baseline was taken: where it contradicts the RTC's own time, an older error
    // is in it (one that was observed and left, or refused), and going back to it would keep that error.
    if (!base->disciplined && !differential.overlaps(e.needed)) return e;
  }
  // A host's baseline is as old as its last notice: after hours its drift makes the plain reading the better one.
  if (is_host_clock(reading.witness) && differential.half_width() >= e.needed.half_width()) return e;
  e.basis = core::Basis::differential;
  e.needed = differential;
  e.disciplined = base->disciplined;
  return e;
}

std::string probable_mistake(core::nanoseconds distance) {
  constexpr core::seconds kTaiOffset{37};  // TAI - UTC since 2017 (IERS Bulletin C)
  constexpr core::seconds kLargestZone{14 * 3600};
  constexpr core::milliseconds kNear{1100};  // an RTC is good to a second
  const core::nanoseconds d = distance < distance.zero() ? -distance : distance;
  if (d > kTaiOffset - kNear && d < kTaiOffset + kNear) return "37 s apart, as TAI and UTC are";
  const core::nanoseconds hour = core::seconds{3600};
  const core::nanoseconds beyond = d % hour;
  if (d < hour - kNear || d > kLargestZone + kNear || (beyond > kNear && beyond < hour - kNear)) return {};
  const auto hours = (d + hour / 2) / hour;
  return std::to_string(hours) + " h apart, as an RTC in local time is";
}

Vote vote(std::vector<Evidence>& evidence, const core::Policy& policy, bool attested) {
  Vote result;
  if (evidence.empty()) return result;
  const bool heard_ntp = std::any_of(evidence.begin(), evidence.end(), [](const Evidence& e) { return e.reading.witness == Witness::ntp; });
  const Ballot ballot{evidence, policy.on_disagreement, !attested && heard_ntp};
  Group best = group_at(evidence, evidence.front().needed.low);
  bool tie = false;
  for (std::size_t i = 1; i < evidence.size(); ++i) {
    const Group g = group_at(evidence, evidence[i].needed.low);
    if (g.members == best.members) continue;
    const bool subset = std::includes(best.members.begin(), best.members.end(), g.members.begin(), g.members.end());
    const bool equal = weight(g, ballot) == weight(best, ballot);
    tie = tie || (equal && !subset);
    if (compare(g, best, ballot) > 0) {
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
    if (const std::string mistake = probable_mistake(d); !mistake.empty()) result.conflict += " (" + mistake + ")";
  }
  if (tie && policy.on_disagreement == core::OnDisagreement::hold) return result;
  result.estimate = summarize(best, ballot);
  return result;
}

}  // namespace clockmend::engine
