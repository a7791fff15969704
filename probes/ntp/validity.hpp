// Whether a datagram is the answer to our request, and whether that answer may be believed.
#pragma once

#include <string>
#include <variant>

#include "agent/core/ports/datagram.hpp"
#include "probes/ntp/sample.hpp"

namespace clockmend::probes::ntp {

enum class Refusal {
  truncated,       // longer than the receive buffer (MSG_TRUNC)
  too_short,       // less than the 48-byte header
  wrong_mode,      // not a server's reply: a request, broadcast, mode 6 or 7
  wrong_version,   // not 3 or 4
  wrong_origin,    // not the 64 random bits we sent, or zero
  kiss_of_death,   // stratum 0
  unsynchronized,  // LI = 3
  bad_stratum,     // 16 and above
  zero_timestamp,  // T2 or T3 unknown
  far_from_root,   // root distance above 3 s
  bad_round_trip,  // negative, or above 3 s
  bad_processing,  // T3 - T2 negative, above 4 s, or longer than the round trip
  before_floor,    // earlier than time is known to be
  after_ceiling,   // later than any time this program believes
};

struct Rejection {
  Refusal why = Refusal::too_short;
  std::string text;  // for the operator
  std::string code;  // kiss code, only for kiss_of_death

  /// The packet carried our random bits, so it is the server's answer and the only one it gives: stop waiting. Anything
  /// else proves nothing about the server: keep waiting for the real reply (CVE-2016-9042).
  [[nodiscard]] bool from_server() const;
};

/// What we sent and what we already know of the time.
struct Expectation {
  Timestamp nonce;  // the request's transmit field; never zero
  core::ClockSnapshot sent;
  core::RealtimePoint floor{};    // era pivot, and no sample before it
  core::RealtimePoint ceiling{};  // no sample after it
};

using Verdict = std::variant<Sample, Rejection>;

/// Pure. Kiss codes are honoured only behind the origin check (CVE-2015-7704).
[[nodiscard]] Verdict judge(const core::Datagram& datagram, const Expectation& expected);

}  // namespace clockmend::probes::ntp
