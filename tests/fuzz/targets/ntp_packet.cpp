// A datagram against the request it claims to answer.
// Input: flags, round trip (4 bytes, us, signed), the client's clock (8 bytes, ns since 1970), the datagram.
#include "probes/ntp/validity.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace ntp = clockmend::probes::ntp;
namespace core = clockmend::core;
using clockmend::fuzz::must;

namespace {

constexpr ntp::Timestamp kNonce{0x1122334455667788U};
const core::RealtimePoint kFloor{core::seconds{1704067200}};    // 2024
const core::RealtimePoint kCeiling{core::seconds{4102444800}};  // 2100

core::ClockSnapshot clocks(core::nanoseconds realtime, core::nanoseconds raw) {
  core::ClockSnapshot at;
  at.realtime = core::RealtimePoint{realtime};
  at.raw = core::RawPoint{raw};
  at.monotonic = core::MonotonicPoint{raw};
  at.bracket = core::nanoseconds{100};
  return at;
}

void check_sample(const ntp::Sample& s, const ntp::Packet& p) {
  must(p.origin == kNonce, "a sample answers our request");
  must(p.mode == 4 && (p.version == 3 || p.version == 4), "a sample is a server's");
  must(p.leap != 3 && p.stratum >= 1 && p.stratum <= 15, "a sample's server knows the time");
  must(!p.receive.zero() && !p.transmit.zero(), "a sample has no unknown times");
  must(s.delay >= core::nanoseconds::zero() && s.delay <= core::seconds{3}, "a delay is between zero and 3 s");
  must(s.root_distance >= core::nanoseconds::zero() && s.root_distance <= core::seconds{3}, "a root distance is between zero and 3 s");
  must(s.uncertainty >= s.delay / 2 + s.root_distance, "a bound holds half the path and the root distance");
  must(s.uncertainty <= core::seconds{30}, "a bound is a few seconds at most");
  const auto tells = s.at.realtime + s.offset.value;
  must(tells >= kFloor - core::seconds{5} && tells <= kCeiling + core::seconds{5}, "a sample is between floor and ceiling");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clockmend::fuzz::Input in(data, size);
  const auto flags = in.byte();
  const core::microseconds trip{static_cast<std::int32_t>(in.number(4))};
  // Whatever the clock can say: 1970 to 2232, where the kernel stops (TIME_SETTOD_SEC_MAX).
  const core::nanoseconds now{static_cast<std::int64_t>(in.number(8) % 8'270'000'000'000'000'000U)};
  const auto given = in.rest();
  std::vector<std::byte> bytes(given.begin(), given.end());
  if ((flags & 1U) != 0 && bytes.size() >= 32) {  // the attacker has seen our bits
    for (std::size_t i = 0; i < 8; ++i) bytes[24 + i] = static_cast<std::byte>(kNonce.value >> (8 * (7 - i)));
    if ((flags & 2U) != 0) bytes[0] = static_cast<std::byte>((std::to_integer<unsigned>(bytes[0]) & 0xC0U) | 0x24U);
  }
  const core::nanoseconds began{core::seconds{1000}};
  const ntp::Expectation expected{kNonce, clocks(now, began), kFloor, kCeiling};
  const core::Datagram datagram{bytes, (flags & 4U) != 0, clocks(now + trip, began + trip)};
  const auto verdict = ntp::judge(datagram, expected);
  const auto packet = ntp::decode(bytes);
  must(packet.has_value() == (bytes.size() >= ntp::kHeaderSize), "a header is 48 bytes");
  if (const auto* sample = std::get_if<ntp::Sample>(&verdict)) {
    must(packet.has_value() && !datagram.truncated, "a sample comes from a whole packet");
    check_sample(*sample, *packet);
  }
  if (const auto* rejection = std::get_if<ntp::Rejection>(&verdict)) {
    must(!rejection->text.empty() && rejection->text.size() < 200, "a rejection has a short reason");
    clockmend::fuzz::must_be_harmless(rejection->text);
    if (packet && packet->origin != kNonce) must(!rejection->from_server(), "only our bits end the wait");
  }
  if (packet) {
    clockmend::fuzz::must_be_harmless(packet->kiss_code());
    const auto t = ntp::to_realtime(packet->transmit, kFloor);
    // Fractions of 2^-32 s are coarser than no nanosecond: there and back is at most one unit in the last place.
    const auto difference = static_cast<std::int64_t>(ntp::to_ntp(t).value - packet->transmit.value);
    must(difference >= -5 && difference <= 5, "a timestamp survives the way there and back");
  }
  return 0;
}
