// One step of the detector, one decision.
#include <benchmark/benchmark.h>

#include "agent/engine/engine.hpp"

namespace {

using namespace clockmend;
using namespace std::chrono_literals;

core::ClockSnapshot at(core::nanoseconds t) {
  core::ClockSnapshot s;
  s.realtime = core::RealtimePoint{core::seconds{1735689600} + t};
  s.monotonic = core::MonotonicPoint{1000s + t};
  s.raw = core::RawPoint{900s + t};
  s.boottime = core::BoottimePoint{1100s + t};
  return s;
}

core::OffsetReading reading(core::Witness w, core::nanoseconds offset, core::nanoseconds error, const core::ClockSnapshot& when) {
  core::OffsetReading r;
  r.witness = w;
  r.offset.value = offset;
  r.uncertainty = error;
  r.at = when;
  return r;
}

void detector_step(benchmark::State& state) {
  core::KernelClockStatus kernel;
  kernel.unsynchronized = false;
  engine::Engine engine(core::Policy{}, {at(0s), kernel}, 1);
  core::nanoseconds t{};
  for (auto _ : state) {
    t += 16s;
    benchmark::DoNotOptimize(engine.observe(reading(core::Witness::rtc, -670ms, 2ms, at(t)), {at(t), kernel}));
  }
}
BENCHMARK(detector_step);

void decide_on_three_witnesses(benchmark::State& state) {
  const engine::StepHistory history;
  const core::Policy policy;
  engine::PlanContext context;
  context.guard.now = at(0s);
  std::vector<core::Evidence> evidence(3);
  evidence[0].reading = reading(core::Witness::host, 47550ms, 200us, at(0s));
  evidence[1].reading = reading(core::Witness::rtc, 47550ms, 505ms, at(0s));
  evidence[2].reading = reading(core::Witness::ntp, 47551ms, 4ms, at(0s));
  for (auto& e : evidence) e.needed = core::interval_around(e.reading.offset, e.reading.uncertainty + 50ms);
  for (auto _ : state) benchmark::DoNotOptimize(engine::decide(evidence, history, context, policy));
}
BENCHMARK(decide_on_three_witnesses);

}  // namespace
