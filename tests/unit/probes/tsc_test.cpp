// The counter against RAW: what it sees, where it is blind, and that it costs nothing there.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "probes/tsc.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_scheduler.hpp"
#include "tests/fakes/fake_tsc.hpp"

namespace clockmend::probes::test {
namespace {

using namespace std::chrono_literals;

struct TscRig {
  TscRig() : tsc(clock), scheduler(clock), probe(tsc, clock, scheduler, 250ms) { clock.source = "kvm-clock"; }
  void start() {
    probe.start([this](const core::Observation& o) { said.push_back(std::get<core::Disruption>(o)); });
  }
  void settle() {
    start();
    scheduler.run_for(10s);
  }
  [[nodiscard]] core::ProbeState state() const { return probe.health().state; }
  [[nodiscard]] std::string why() const { return probe.health().why; }

  fakes::FakeClock clock;
  fakes::FakeTsc tsc;
  fakes::FakeScheduler scheduler;
  TscProbe probe;
  std::vector<core::Disruption> said;
};

TEST(Tsc, TellsAPlainPauseAndItsLengthWithinOnePeriod) {
  for (const auto gap : {core::nanoseconds{25ms}, core::nanoseconds{150ms}, core::nanoseconds{47'550ms}, core::nanoseconds{23 * 24h}}) {
    TscRig rig;
    rig.settle();
    rig.clock.pause(gap);
    rig.scheduler.run_for(250ms);
    ASSERT_EQ(rig.said.size(), 1U) << gap.count();
    ASSERT_TRUE(rig.said[0].gap.has_value());
    EXPECT_LE(core::magnitude({*rig.said[0].gap - gap}), rig.said[0].gap_uncertainty) << gap.count();
    EXPECT_LE(rig.said[0].gap_uncertainty, 1us + gap / 100'000);
    EXPECT_FALSE(rig.said[0].moved);
    EXPECT_EQ(rig.said[0].tripwire, core::Tripwire::tsc);
    rig.scheduler.run_for(60s);
    EXPECT_EQ(rig.said.size(), 1U) << "once";
  }
}

TEST(Tsc, TellsRandomPausesAtRandomMomentsAndRates) {
  const unsigned seed = std::random_device{}();
  std::mt19937_64 random{seed};
  const auto between = [&random](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>{low, high}(random);
  };
  for (int i = 0; i < 200; ++i) {
    TscRig rig;
    rig.tsc.hz = static_cast<double>(between(19'200'000, 5'000'000'000));
    rig.tsc.bracket = core::nanoseconds{between(50, 20'000)};
    rig.clock.advance(core::nanoseconds{between(0, 1'000'000'000)});
    rig.settle();
    for (int pause = 0; pause < 5; ++pause) {
      rig.said.clear();
      const core::nanoseconds gap{between(21'000'000, 3'600'000'000'000)};
      rig.scheduler.run_for(core::nanoseconds{between(1'000'000'000, 30'000'000'000)});
      rig.clock.pause(gap);
      rig.scheduler.run_for(250ms);
      ASSERT_EQ(rig.said.size(), 1U) << "seed " << seed << ", run " << i << ", gap " << gap.count();
      EXPECT_LE(core::magnitude({*rig.said[0].gap - gap}), rig.said[0].gap_uncertainty) << "seed " << seed << ", run " << i;
    }
  }
}

TEST(Tsc, SaysNothingInAQuietHourWithNoiseAndDrift) {
  TscRig rig;
  rig.settle();
  for (int i = 0; i < 3600; ++i) {
    rig.tsc.hz += i % 2 == 0 ? 1'000 : -900;  // 0.4 ppm
    rig.tsc.bracket = core::nanoseconds{200 + i % 7 * 9'000};
    rig.clock.slew_ppm = i % 3 == 0 ? 80'000 : 0;
    rig.scheduler.run_for(1s);
    if (i % 100 == 0) rig.clock.step(5s);
  }
  // The drift is an artefact of the fake (its past ticks change too): 3 ms at most per change.
  EXPECT_TRUE(rig.said.empty());
}

TEST(Tsc, GapsBelowTwentyMillisecondsAreAbsorbed) {
  TscRig rig;
  rig.settle();
  for (int i = 0; i < 20; ++i) {
    rig.clock.pause(15ms);
    rig.scheduler.run_for(1s);
  }
  EXPECT_TRUE(rig.said.empty());
  rig.clock.pause(1s);
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(rig.said.size(), 1U);
  EXPECT_LE(core::magnitude({*rig.said[0].gap - 1s}), 20ms) << "they did not poison the rate";
}

TEST(Tsc, APauseWhileLearningDoesNotPoisonTheRate) {
  TscRig rig;
  rig.start();
  rig.scheduler.run_for(600ms);
  rig.clock.pause(30s);
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
  rig.said.clear();
  rig.clock.pause(2s);
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(rig.said.size(), 1U);
  EXPECT_LE(core::magnitude({*rig.said[0].gap - 2s}), 1ms);
}

TEST(Tsc, AGuestSuspendIsTheKernelsBusiness) {
  for (const bool counted : {true, false}) {
    TscRig rig;
    rig.settle();
    rig.clock.suspend(100s);
    if (!counted) rig.tsc.lose(100s);
    rig.scheduler.run_for(10s);
    EXPECT_TRUE(rig.said.empty()) << counted;
  }
}

TEST(Tsc, IsBlindForARestoreAndSaysSo) {
  TscRig rig;
  rig.settle();
  rig.clock.pause(10s);
  rig.tsc.lose(10s);
  rig.scheduler.run_for(10s);
  EXPECT_TRUE(rig.said.empty());
  EXPECT_NE(rig.why().find("not a restore or migration"), std::string::npos) << rig.why();
  EXPECT_NE(rig.why().find("2500.000 MHz against kvm-clock"), std::string::npos) << rig.why();
}

TEST(Tsc, ACounterSetBackIsARestoreOrAMove) {
  TscRig rig;
  rig.settle();
  rig.tsc.lose(30s);  // the clocks were repaired by the hypervisor, the counter was not
  rig.scheduler.run_for(1s);
  ASSERT_EQ(rig.said.size(), 1U);
  EXPECT_TRUE(rig.said[0].moved);
  EXPECT_FALSE(rig.said[0].gap.has_value());
}

TEST(Tsc, AnotherFrequencyIsLearnedAnewAfterTwoWordsAtMost) {
  TscRig rig;
  rig.settle();
  for (const double hz : {3.5e9, 2.0e9}) {
    rig.said.clear();
    rig.tsc.base = rig.tsc.ticks();
    rig.tsc.frozen = rig.clock.truth() - core::RealtimePoint{core::seconds{1735689600}};
    rig.tsc.hz = hz;
    rig.scheduler.run_for(10s);
    EXPECT_LE(rig.said.size(), 2U) << hz;
    EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.why();
    rig.said.clear();
    rig.clock.pause(5s);
    rig.scheduler.run_for(250ms);
    ASSERT_EQ(rig.said.size(), 1U) << hz;
    EXPECT_LE(core::magnitude({*rig.said[0].gap - 5s}), 1ms);
  }
}

TEST(Tsc, CountersThatDifferFromCpuToCpuAreGivenARest) {
  TscRig rig;
  rig.settle();
  for (int i = 0; i < 40; ++i) {
    rig.tsc.lose(i % 2 == 0 ? 300ms : -300ms);
    rig.scheduler.run_for(500ms);
  }
  EXPECT_EQ(rig.state(), core::ProbeState::degraded) << rig.why();
  EXPECT_LE(rig.said.size(), 8U);
  const unsigned reads = rig.tsc.reads;
  rig.scheduler.run_for(200s);
  EXPECT_EQ(rig.tsc.reads, reads);
  rig.probe.measure_now();
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  rig.scheduler.run_for(120s);
  EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.why();
}

TEST(Tsc, IsOffWithItsReasonWhereItIsBlindAndIsNeverWokenThere) {
  struct Row {
    const char* why;
    std::function<void(TscRig&)> make;
  };
  const Row rows[] = {
      {"clocksource is tsc: the counter freezes and runs with the clock", [](TscRig& r) { r.clock.source = "tsc"; }},
      {"emulated processor: the counter stands still together with the clocks", [](TscRig& r) { r.tsc.emulator = true; }},
      {"no constant_tsc",
       [](TscRig& r) {
         r.tsc.error = core::Error{core::ErrorCode::unsupported, "no constant_tsc"};
       }},
  };
  for (const Row& row : rows) {
    TscRig rig;
    row.make(rig);
    rig.start();
    EXPECT_EQ(rig.state(), core::ProbeState::off);
    EXPECT_EQ(rig.why(), row.why);
    EXPECT_EQ(rig.scheduler.pending(), 0U);
  }
}

TEST(Tsc, FollowsTheClocksource) {
  TscRig rig;
  rig.settle();
  rig.clock.source = "tsc";
  rig.scheduler.run_for(61s);
  EXPECT_EQ(rig.state(), core::ProbeState::off) << "looked at every minute while it runs";
  EXPECT_EQ(rig.scheduler.pending(), 0U);
  rig.clock.source = "kvm-clock";
  rig.scheduler.run_for(600s);
  EXPECT_EQ(rig.state(), core::ProbeState::off) << "nothing wakes it";
  rig.probe.measure_now();
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
  rig.clock.source = "tsc";
  rig.scheduler.run_for(61s);
  EXPECT_EQ(rig.state(), core::ProbeState::off);
  EXPECT_TRUE(rig.said.empty());
}

TEST(Tsc, WakesFourTimesASecondOnTheCommonTick) {
  TscRig rig;
  rig.clock.advance(33ms);
  rig.settle();
  const unsigned before = rig.tsc.reads;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(rig.scheduler.run_next());
    EXPECT_EQ(rig.scheduler.now().time_since_epoch() % 250ms, 0ns);
  }
  EXPECT_EQ(rig.tsc.reads - before, 8U);
}

TEST(Tsc, AskedOftenItKeepsItsRateAndStillSees) {
  TscRig rig;
  rig.settle();
  rig.tsc.bracket = 900us;  // readings this close together would teach nonsense
  for (int i = 0; i < 1000; ++i) {
    rig.probe.measure_now();
    rig.scheduler.run_for(100us);
  }
  EXPECT_TRUE(rig.said.empty());
  rig.tsc.bracket = 200ns;
  rig.scheduler.run_for(5s);
  rig.clock.pause(3s);
  rig.probe.measure_now();
  ASSERT_EQ(rig.said.size(), 1U) << "at once when asked";
  EXPECT_LE(core::magnitude({*rig.said[0].gap - 3s}), 10ms);
}

TEST(Tsc, AReadingTornByPreemptionIsNotUsed) {
  TscRig rig;
  rig.settle();
  rig.tsc.bracket = 50ms;
  rig.scheduler.run_for(1s);
  rig.tsc.bracket = 200ns;
  rig.clock.pause(2s);
  rig.scheduler.run_for(250ms);
  EXPECT_EQ(rig.said.size(), 1U) << "compared with the last good one";
}

}  // namespace
}  // namespace clockmend::probes::test
