#include "probes/ntp/validity.hpp"

#include <optional>

namespace clockmend::probes::ntp {

namespace {

using core::milliseconds;
using core::nanoseconds;
using core::seconds;

// RFC 5905 allows 16 s; 3 s is what a client that steps should use at most.
constexpr seconds kMaxRootDistance{3};
constexpr seconds kMaxRoundTrip{3};
// A server that needs longer between T2 and T3 has stepped or is not answering this request.
constexpr seconds kMaxProcessing{4};
// T3 - T2 is read from the server's clock, which may be slewed and coarse: so much may it exceed our round trip.
constexpr milliseconds kProcessingSlack{1};

std::string ms(nanoseconds d) { return std::to_string(std::chrono::duration_cast<milliseconds>(d).count()) + " ms"; }

Rejection reject(Refusal why, std::string text) { return {why, std::move(text), {}}; }

/// Is this our answer at all?
std::optional<Rejection> check_origin(const Packet& p, const Expectation& expected) {
  if (p.mode != kModeServer) return reject(Refusal::wrong_mode, "mode " + std::to_string(p.mode) + " is not a server's reply");
  if (p.version < 3 || p.version > 4) return reject(Refusal::wrong_version, "NTP version " + std::to_string(p.version));
  // A zero origin must never match, whatever we sent (CVE-2015-8138, CVE-2016-7431).
  if (p.origin.zero()) return reject(Refusal::wrong_origin, "zero origin timestamp");
  if (p.origin != expected.nonce) return reject(Refusal::wrong_origin, "origin timestamp is not what was sent");
  return std::nullopt;
}

/// Does the server claim to know the time?
std::optional<Rejection> check_server(const Packet& p) {
  if (p.stratum == 0) return Rejection{Refusal::kiss_of_death, "kiss-o'-death " + p.kiss_code(), p.kiss_code()};
  if (p.leap == kLeapUnsynchronized) return reject(Refusal::unsynchronized, "server is not synchronized (LI=3)");
  if (p.stratum >= 16) return reject(Refusal::bad_stratum, "stratum " + std::to_string(p.stratum));
  if (p.receive.zero()) return reject(Refusal::zero_timestamp, "zero receive timestamp");
  if (p.transmit.zero()) return reject(Refusal::zero_timestamp, "zero transmit timestamp");
  if (root_distance(p) > kMaxRootDistance) return reject(Refusal::far_from_root, "root distance " + ms(root_distance(p)));
  return std::nullopt;
}

/// Is the time it tells possible?
std::optional<Rejection> check_times(const Packet& p, const RoundTrip& trip, const Expectation& expected) {
  const auto rtt = trip.duration();
  if (rtt < nanoseconds::zero() || rtt > kMaxRoundTrip) return reject(Refusal::bad_round_trip, "round trip of " + ms(rtt));
  const auto t2 = to_realtime(p.receive, expected.floor);
  const auto t3 = to_realtime(p.transmit, expected.floor);
  const auto processing = t3 - t2;
  if (processing < nanoseconds::zero() || processing > kMaxProcessing)
    return reject(Refusal::bad_processing, "server processing time of " + ms(processing));
  if (processing > rtt + precision_to_ns(p.precision) + kProcessingSlack)
    return reject(Refusal::bad_processing, "server processing time above the round trip");
  if (t3 < expected.floor) return reject(Refusal::before_floor, "its time is before the last time known to be good");
  if (t3 > expected.ceiling) return reject(Refusal::after_ceiling, "its time is too far in the future");
  return std::nullopt;
}

}  // namespace

bool Rejection::from_server() const {
  switch (why) {
    case Refusal::truncated:
    case Refusal::too_short:
    case Refusal::wrong_mode:
    case Refusal::wrong_version:
    case Refusal::wrong_origin:
      return false;
    case Refusal::kiss_of_death:
    case Refusal::unsynchronized:
    case Refusal::bad_stratum:
    case Refusal::zero_timestamp:
    case Refusal::far_from_root:
    case Refusal::bad_round_trip:
    case Refusal::bad_processing:
    case Refusal::before_floor:
    case Refusal::after_ceiling:
      return true;
  }
  return false;
}

Verdict judge(const core::Datagram& datagram, const Expectation& expected) {
  if (datagram.truncated) return reject(Refusal::truncated, "truncated reply");
  const auto packet = decode(datagram.bytes);
  if (!packet) return reject(Refusal::too_short, "reply of " + std::to_string(datagram.bytes.size()) + " bytes");
  const RoundTrip trip{expected.sent, datagram.received};
  if (auto r = check_origin(*packet, expected)) return *r;
  if (auto r = check_server(*packet)) return *r;
  if (auto r = check_times(*packet, trip, expected)) return *r;
  return make_sample(*packet, trip, expected.floor);
}

}  // namespace clockmend::probes::ntp
