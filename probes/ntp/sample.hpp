// One accepted reply turned into an offset with its bound.
#pragma once

#include "agent/core/offset.hpp"
#include "probes/ntp/packet.hpp"

namespace clockmend::probes::ntp {

/// Clocks at both ends of a request: right before the send, and at the reply's arrival.
struct RoundTrip {
  core::ClockSnapshot sent;
  core::ClockSnapshot received;

  /// By MONOTONIC_RAW: a step of REALTIME or a slew between send and arrival does not touch it.
  [[nodiscard]] core::nanoseconds duration() const { return received.raw - sent.raw; }
};

struct Sample {
  core::Offset offset;              // server time - CLOCK_REALTIME at `at`
  core::nanoseconds uncertainty{};  // bound: half the path + root distance + precision + our own reading of clocks
  core::nanoseconds delay{};        // path both ways: round trip less the server's processing time
  core::nanoseconds root_distance{};
  int stratum = 0;
  int leap = 0;
  core::ClockSnapshot at;  // the reply's arrival

  [[nodiscard]] core::OffsetInterval interval() const { return core::interval_around(offset, uncertainty); }
};

/// root delay / 2 + root dispersion: how far the server may be from its reference (RFC 5905 section 4).
[[nodiscard]] core::nanoseconds root_distance(const Packet& reply);

/// T4 is the arrival's REALTIME, T1 is derived from it: T4 - round trip. So both stand on the clock's scale at arrival, and the
/// offset is right even when the clock was stepped while the request was on its way. `pivot` chooses the era.
[[nodiscard]] Sample make_sample(const Packet& reply, const RoundTrip& trip, core::RealtimePoint pivot);

}  // namespace clockmend::probes::ntp
