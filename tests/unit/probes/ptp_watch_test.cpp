// A good PTP clock: quiet while nothing happens, and what a freeze makes it say.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/probes/ptp_rig.hpp"

namespace clockmend::probes::test {
namespace {

TEST(Ptp, SpeaksAtOnceAndThenEverySixteenSeconds) {
  PtpRig rig;
  rig.kvm();
  rig.start();
  EXPECT_TRUE(rig.silent()) << "not from inside start()";
  rig.scheduler.run_due();
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_EQ(rig.readings[0].witness, core::Witness::ptp);
  EXPECT_NE(rig.readings[0].detail.find("/dev/ptp0 (KVM virtual PTP), best of 5 brackets"), std::string::npos) << rig.readings[0].detail;
  rig.scheduler.run_for(10min);
  EXPECT_GE(rig.readings.size(), 36U);
  EXPECT_LE(rig.readings.size(), 38U);
  for (const auto& r : rig.readings) {
    EXPECT_LE(r.uncertainty, 20us);
    EXPECT_EQ(r.systematic, 0ns);
    EXPECT_LE(magnitude(r.offset), r.uncertainty);
  }
  EXPECT_TRUE(rig.voids.empty() && rig.failures.empty() && rig.disruptions.empty());
  EXPECT_EQ(rig.state(), core::ProbeState::running);
  EXPECT_TRUE(rig.why_says("UTC")) << rig.probe.health().why;
}

TEST(Ptp, WakesFourTimesASecondOnTheCommonTickAndReadsOnce) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  rig.counting.wakeups = 0;
  phc.reads = 0;
  rig.catalogue.lists = 0;
  rig.scheduler.run_for(60s);
  EXPECT_LE(rig.counting.wakeups, 240U);
  EXPECT_GE(rig.counting.wakeups, 238U);
  EXPECT_EQ(phc.reads, rig.counting.wakeups);
  EXPECT_EQ(phc.opens, 1U);
  EXPECT_EQ(rig.catalogue.lists, 0U);
}

// From 20 ms to 23 days, at any moment of the tick, with a host and a guest whose oscillators differ.
TEST(Ptp, TellsAFreezeWithinOneTick) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> when(0, 20'000);
  std::uniform_real_distribution<double> rate(-300, 300);
  for (const nanoseconds gap : {nanoseconds{20ms}, nanoseconds{300ms}, nanoseconds{7s}, nanoseconds{1h}, nanoseconds{24h * 23}}) {
    PtpRig rig;
    auto& phc = rig.kvm();
    phc.rate_ppm = rate(random);
    rig.settle(5s + std::chrono::milliseconds{when(random)});
    rig.clock.pause(gap);
    const auto resumed = rig.scheduler.now();
    ASSERT_TRUE(rig.scheduler.run_while_not([&] { return !rig.readings.empty(); }, 1s)) << gap.count();
    EXPECT_LE(rig.scheduler.now() - resumed, 251ms);
    ASSERT_EQ(rig.readings.size(), 1U);
    EXPECT_LE(magnitude({rig.readings[0].offset.value - phc.offset()}), rig.readings[0].uncertainty + 1us);
    EXPECT_LE(rig.readings[0].uncertainty, 50us);
    rig.clear();
    rig.scheduler.run_for(10s);
    EXPECT_TRUE(rig.silent()) << "once";
    EXPECT_EQ(rig.state(), core::ProbeState::running);
  }
}

TEST(Ptp, TellsTheHundredthFreezeToo) {
  PtpRig rig;
  rig.kvm();
  rig.settle();
  for (int i = 0; i < 100; ++i) {
    rig.clock.pause(2s);
    rig.clock.step(2s);  // corrected
    rig.scheduler.run_for(3s);
    ASSERT_EQ(rig.readings.size(), 1U) << i;
    rig.clear();
  }
}

TEST(Ptp, AClockThatGoesBackIsToldToo) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  phc.ahead -= 2s;  // another host
  rig.scheduler.run_for(300ms);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LT(rig.readings[0].offset.value, -1999ms);
}

TEST(Ptp, StaysQuietWhileRealtimeIsSetSlewedOrTheCounterRanOn) {
  PtpRig rig;
  rig.kvm();
  rig.settle();
  rig.clock.step(-5s);
  rig.scheduler.run_for(1s);
  rig.clock.slew_ppm = 80'000;
  rig.scheduler.run_for(3s);
  rig.clock.slew_ppm = 0;
  rig.clock.pause(5s, fakes::FakeClock::Pause::counter_ran_on);
  rig.scheduler.run_for(250ms);
  EXPECT_TRUE(rig.silent());
}

TEST(Ptp, ASuspendOfTheGuestIsTold) {
  PtpRig rig;
  rig.kvm();
  rig.settle();
  rig.clock.suspend(60s);
  rig.scheduler.run_for(300ms);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(magnitude(rig.readings[0].offset), 50us) << "the kernel put it right";
}

TEST(Ptp, MeasuresAtOnceWhenAsked) {
  PtpRig rig;
  rig.kvm();
  rig.settle();
  rig.clock.pause(3s);
  rig.probe.measure_now();
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(magnitude({rig.readings[0].offset.value - 3s}), rig.readings[0].uncertainty);
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.readings.size(), 1U) << "that was the freeze, told";
}

TEST(Ptp, TheSinkMayAskFromInside) {
  PtpRig rig;
  rig.kvm();
  rig.settle();
  bool asked = false;
  rig.also = [&] {
    if (!std::exchange(asked, true)) rig.probe.measure_now();
  };
  rig.clock.pause(3s);
  rig.scheduler.run_for(300ms);
  EXPECT_EQ(rig.readings.size(), 2U);
}

TEST(Ptp, AWideBracketIsNoEventAndNoBaseline) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  rig.scheduler.run_for(9s);
  phc.widen_next = 16;
  rig.scheduler.run_for(4s);
  rig.clear();
  rig.scheduler.run_for(6s);
  for (const auto& r : rig.readings) EXPECT_LE(r.uncertainty, 20us);
  // Always wide: coarse baselines are better than none.
  phc.widen_next = 1'000'000;
  rig.clear();
  rig.scheduler.run_for(2min);
  ASSERT_GE(rig.readings.size(), 3U);
  for (const auto& r : rig.readings) EXPECT_GE(r.uncertainty, 20ms);
}

TEST(Ptp, AnswersWhyItCannotBeforeItStarted) {
  PtpRig rig;
  rig.probe.measure_now();
  EXPECT_TRUE(rig.silent());
  EXPECT_EQ(rig.state(), core::ProbeState::off);
}

}  // namespace
}  // namespace clockmend::probes::test
