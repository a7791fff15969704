#include "agent/channel/exchange.hpp"

#include <algorithm>

namespace clockmend::channel {
namespace {

using core::nanoseconds;

/// (t4 - t1) - (t3 - t2): the time on the way, both ways; nullopt if it is no possible one. All stamps are >= 0 (wire), so no
/// difference of two overflows; t2 and t3 are our own.
std::optional<nanoseconds> round_trip(const wire::Quadruple& q) {
  const std::int64_t at_host = q.t4 - q.t1;
  const std::int64_t in_guest = q.t3 - q.t2;
  if (at_host < 0 || in_guest < 0 || in_guest > at_host) return std::nullopt;
  return nanoseconds(at_host - in_guest);
}

/// How far somebody set the clock between two snapshots, and how well that is known.
struct SetSince {
  nanoseconds amount{};
  nanoseconds noise{};
};

SetSince set_since(const core::ClockSnapshot& then, const core::ClockSnapshot& now) {
  return {realtime_minus_monotonic(now) - realtime_minus_monotonic(then), then.bracket + now.bracket + core::microseconds(1)};
}

core::OffsetReading reading_of(const wire::Quadruple& q, nanoseconds trip, const core::ClockSnapshot& at, nanoseconds noise) {
  core::OffsetReading reading;
  reading.witness = core::Witness::host;
  // RFC 5905 section 8 with the host in the client's place gives guest - host; ours is ((t1 - t2) + (t4 - t3)) / 2 = host - guest.
  // Written as (t1 - t2) + trip / 2, which is the same and cannot overflow: t4 - t3 = (t1 - t2) + trip.
  reading.offset.value = nanoseconds(q.t1 - q.t2) + trip / 2;
  reading.uncertainty = trip / 2 + nanoseconds(1) + noise;
  reading.at = at;
  reading.detail = "exchange, round trip " + std::to_string(trip.count() / 1000) + " us";
  return reading;
}

}  // namespace

void ExchangeLedger::record(const core::ClockSnapshot& t2, const core::ClockSnapshot& t3) {
  entries_[next_] = {t2.realtime.time_since_epoch().count(), t3.realtime.time_since_epoch().count(), t3};
  next_ = (next_ + 1) % entries_.size();
  used_ = std::min(used_ + 1, entries_.size());
}

const ExchangeLedger::Entry* ExchangeLedger::find(const wire::Quadruple& round) const {
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(used_);
  const auto it = std::find_if(entries_.begin(), end, [&round](const Entry& e) { return e.t2 == round.t2 && e.t3 == round.t3; });
  return it == end ? nullptr : &*it;
}

ExchangeVerdict ExchangeLedger::judge(const std::vector<wire::Quadruple>& rounds, const core::ClockSnapshot& now,
                                      nanoseconds host_clock_error) const {
  ExchangeVerdict best;
  nanoseconds best_trip = kMaxRoundTrip + nanoseconds(1);
  for (const wire::Quadruple& round : rounds) {
    const auto reject = [&best](const char* why) {
      if (!best.reading) best.why = why;
    };
    const Entry* entry = find(round);
    const auto trip = round_trip(round);
    if (entry == nullptr) {
      reject("the exchange was not answered on this connection");
    } else if (now.monotonic - entry->at.monotonic > kMaxAge) {
      reject("the exchange is older than 30 s");
    } else if (const SetSince set = set_since(entry->at, now); set.amount > set.noise || set.amount < -set.noise) {
      return {std::nullopt, 0, "the clock was set since the exchange"};
    } else if (!trip || *trip > kMaxRoundTrip) {
      reject("the round trip is negative or above 1 s");
    } else if (*trip < best_trip) {
      best_trip = *trip;
      best = {reading_of(round, *trip, entry->at, set.noise), round.t4, ""};
    }
  }
  if (best.reading) best.reading->systematic = host_clock_error;
  return best;
}

}  // namespace clockmend::channel
