// What one line from the host costs: parsing, the exchange's turn-around, and a flood of garbage.
#include <benchmark/benchmark.h>

#include <string>

#include "agent/wire/request.hpp"
#include "tests/unit/channel/rig.hpp"

namespace clockmend::tests {
namespace {

std::string notify_line(std::int64_t rounds) {
  wire::ClockNotify n;
  n.event = core::NoticeEvent::hot_upgrade;
  n.id = "5b0c6f0e-3e2a-4e7e-9d6a-0f7a2c1d9b11";
  n.epoch = "host-17/42";
  n.sent = core::RealtimePoint(core::nanoseconds(1'735'689'647'550'000'000));
  for (std::int64_t i = 0; i < rounds; ++i) {
    const std::int64_t t = 1'735'689'600'000'000'000 + i * 300'000;
    n.exchange.push_back({t + 47'550'000'000, t, t + 30'000, t + 47'550'200'000});
  }
  return wire::request_text(n, "1");
}

void parse_notify(benchmark::State& state) {
  const std::string line = notify_line(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(wire::parse_request(line));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(parse_notify)->Arg(0)->Arg(8)->Arg(16);

void parse_exchange(benchmark::State& state) {
  const std::string line = wire::request_text(wire::ClockExchange{1'735'689'600'000'000'000}, "1");
  for (auto _ : state) benchmark::DoNotOptimize(wire::parse_request(line));
}
BENCHMARK(parse_exchange);

/// From the bytes to the bytes, as between the host's t1 and t4.
void exchange_round(benchmark::State& state) {
  Rig rig;
  auto host = rig.port();
  const std::string line = wire::request_text(wire::ClockExchange{1'735'689'600'000'000'000}, "1") + "\n";
  for (auto _ : state) {
    rig.agent.clock.advance(core::milliseconds(10));  // the line rate is 100/s
    host->received.clear();
    host->say(line);
    benchmark::DoNotOptimize(host->received);
  }
}
BENCHMARK(exchange_round);

void garbage_flood(benchmark::State& state) {
  Rig rig;
  auto host = rig.port();
  std::string flood;
  while (flood.size() < 4096) flood += "{\"execute\":\"nonsense\"}\n";
  for (auto _ : state) {
    host->received.clear();
    host->say(flood);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(flood.size()));
}
BENCHMARK(garbage_flood);

void oversize_flood(benchmark::State& state) {
  Rig rig;
  auto host = rig.port();
  const std::string chunk(4096, 'x');
  for (auto _ : state) host->say(chunk);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(chunk.size()));
}
BENCHMARK(oversize_flood);

}  // namespace
}  // namespace clockmend::tests
