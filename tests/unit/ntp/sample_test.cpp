#include "probes/ntp/sample.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/ntp/reply_bench.hpp"

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;

Sample accepted(ReplyBench& bench) {
  const auto verdict = bench.run();
  EXPECT_TRUE(std::holds_alternative<Sample>(verdict)) << std::get<Rejection>(verdict).text;
  return std::get<Sample>(verdict);
}

void expect_within_bound(const Sample& s, core::Offset truth) {
  EXPECT_LE(core::magnitude(s.offset - truth), s.uncertainty) << s.offset.value.count() << " for " << truth.value.count();
}

TEST(NtpSample, OffsetIsReferenceMinusSystem) {
  ReplyBench bench;
  bench.clock.step(-40s);  // the guest is behind: it must be moved forward
  const auto s = accepted(bench);
  EXPECT_NEAR(static_cast<double>((s.offset.value - 40s).count()), 0.0, 10.0);
  EXPECT_EQ(s.delay, 2ms);
}

TEST(NtpSample, AsymmetryStaysInsideTheBound) {
  for (const auto out : {0ms, 1ms, 30ms, 59ms, 60ms}) {
    ReplyBench bench;
    bench.clock.step(7s);
    bench.server.out = out;
    bench.server.back = 60ms - out;
    const auto s = accepted(bench);
    expect_within_bound(s, bench.clock.error());
    EXPECT_LT(s.uncertainty, 31ms);
  }
}

TEST(NtpSample, UncertaintyAddsPathRootDistancePrecisionAndBrackets) {
  ReplyBench bench;
  bench.server.root_delay = 20ms;
  bench.server.root_dispersion = 5ms;
  bench.server.precision = -10;  // 976 us
  bench.clock.bracket = 3us;
  const auto s = accepted(bench);
  const auto parts = 1ms + 10ms + 5ms + 976us + 6us;
  EXPECT_GE(s.uncertainty, parts - 100us);  // the short format has 15 us steps
  EXPECT_LE(s.uncertainty, parts + 50us);
  EXPECT_GE(s.root_distance, 15ms - 100us);
  EXPECT_LE(s.root_distance, 15ms);
}

TEST(NtpSample, StepWhileTheRequestIsOutDoesNotCorruptTheOffset) {
  for (const auto step : {-3600s, -1s, 1s, 2035372s}) {
    ReplyBench bench;
    bench.on_the_way_out = [&] { bench.clock.step(step); };
    auto s = accepted(bench);
    EXPECT_NEAR(static_cast<double>((s.offset.value + step).count()), 0.0, 10.0);
    expect_within_bound(s, bench.clock.error());

    ReplyBench back;
    back.on_the_way_back = [&] { back.clock.step(step); };
    s = accepted(back);
    expect_within_bound(s, back.clock.error());
  }
}

TEST(NtpSample, AClockOfAnotherCenturyDoesNotOverflow) {
  for (const auto start : {-core::nanoseconds{1735689600s}, core::nanoseconds{235'000'000s * 30}}) {
    ReplyBench bench;
    bench.clock.step(start);
    const auto s = accepted(bench);
    expect_within_bound(s, bench.clock.error());
  }
}

TEST(NtpSample, BoundHoldsForRandomPathsAndClocks) {
  const unsigned seed = 42;
  std::mt19937_64 random(seed);
  const auto up_to = [&](core::nanoseconds d) {
    return core::nanoseconds{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(d.count()))};
  };
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " i " + std::to_string(i));
    ReplyBench bench;
    bench.clock.drift_ppm = static_cast<long>(random() % 1001) - 500;
    bench.clock.step(up_to(10000s) - 5000s);
    bench.server.out = up_to(1s);
    bench.server.back = up_to(1s);
    bench.server.processing = up_to(20ms);
    bench.server.root_dispersion = up_to(100ms);
    bench.server.error = (random() % 2 == 0 ? 1 : -1) * (bench.server.root_dispersion / 2);
    expect_within_bound(accepted(bench), bench.clock.error());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace clockmend::probes::ntp
