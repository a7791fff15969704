// Hot paths of the NTP client: a round costs one encode and one judge per server, and one selection per answer.
#include <benchmark/benchmark.h>

#include <vector>

#include "probes/ntp/selection.hpp"
#include "probes/ntp/server_files.hpp"
#include "probes/ntp/validity.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_ntp_server.hpp"

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;

struct Reply {
  fakes::FakeClock clock;
  Expectation expected{{0x1122334455667788U}, {}, core::RealtimePoint{1704067200s}, core::RealtimePoint{4102444800s}};
  fakes::Bytes bytes;

  Reply() {
    expected.sent = clock.snapshot();
    fakes::Bytes request(48, std::byte{0});
    fakes::put_be(request, 40, expected.nonce.value, 8);
    bytes = fakes::ntp_reply({}, request, clock.truth() + 1ms);
    clock.advance(2ms);
  }
};

void encode_a_request(benchmark::State& state) {
  Timestamp nonce{1};
  for (auto _ : state) {
    ++nonce.value;
    benchmark::DoNotOptimize(encode_request(nonce));
  }
}
BENCHMARK(encode_a_request);

void decode_a_reply(benchmark::State& state) {
  const Reply reply;
  for (auto _ : state) benchmark::DoNotOptimize(decode(reply.bytes));
}
BENCHMARK(decode_a_reply);

void judge_a_reply(benchmark::State& state) {
  Reply reply;
  const auto received = reply.clock.snapshot();
  for (auto _ : state) benchmark::DoNotOptimize(judge({reply.bytes, false, received}, reply.expected));
}
BENCHMARK(judge_a_reply);

void refuse_a_forgery(benchmark::State& state) {
  Reply reply;
  reply.bytes[24] ^= std::byte{1};
  const auto received = reply.clock.snapshot();
  for (auto _ : state) benchmark::DoNotOptimize(judge({reply.bytes, false, received}, reply.expected));
}
BENCHMARK(refuse_a_forgery);

/// Every third server lies.
void select_among(benchmark::State& state) {
  std::vector<Candidate> candidates;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    Sample s;
    s.offset = {i % 3 == 2 ? core::nanoseconds{3600s} : core::nanoseconds{i * 10'000}};
    s.uncertainty = 2ms;
    s.at.raw = core::RawPoint{core::seconds{100} + core::microseconds{i}};
    candidates.push_back({"192.0.2." + std::to_string(i), s});
  }
  for (auto _ : state) benchmark::DoNotOptimize(select(candidates));
}
BENCHMARK(select_among)->Arg(1)->Arg(4)->Arg(16);

void parse_an_ntp_conf(benchmark::State& state) {
  std::string text = "driftfile /var/lib/ntpsec/ntp.drift\nrestrict default kod nomodify nopeer noquery limited\n";
  for (int i = 0; i < 4; ++i) text += "pool " + std::to_string(i) + ".debian.pool.ntp.org iburst\n";
  for (auto _ : state) benchmark::DoNotOptimize(parse_ntp_conf(text));
}
BENCHMARK(parse_an_ntp_conf);

}  // namespace
}  // namespace clockmend::probes::ntp
