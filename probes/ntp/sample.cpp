#include "probes/ntp/sample.hpp"

#include <algorithm>

namespace clockmend::probes::ntp {

namespace {
// RAW is not disciplined: it may run off REALTIME by the kernel's whole frequency range, 500 ppm (adjtimex(2)).
constexpr int kRawAgainstRealtime = 2000;
}  // namespace

core::nanoseconds root_distance(const Packet& reply) { return reply.root_delay / 2 + reply.root_dispersion; }

Sample make_sample(const Packet& reply, const RoundTrip& trip, core::RealtimePoint pivot) {
  const auto t2 = to_realtime(reply.receive, pivot);
  const auto t3 = to_realtime(reply.transmit, pivot);
  const auto t4 = trip.received.realtime;
  const auto rtt = trip.duration();
  const auto t1 = t4 - rtt;
  const auto processing = t3 - t2;

  Sample s;
  // ((T2 - T1) + (T3 - T4)) / 2, with T3 and T4 written as T2 + processing and T1 + rtt: no sum of two large numbers.
  s.offset = {(t2 - t1) + (processing - rtt) / 2};
  s.delay = std::max(rtt - processing, core::nanoseconds::zero());
  s.root_distance = root_distance(reply);
  s.uncertainty = s.delay / 2 + s.root_distance + precision_to_ns(reply.precision) + trip.sent.bracket + trip.received.bracket +
                  rtt / kRawAgainstRealtime;
  s.stratum = reply.stratum;
  s.leap = reply.leap;
  s.at = trip.received;
  return s;
}

}  // namespace clockmend::probes::ntp
