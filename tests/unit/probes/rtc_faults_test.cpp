// No device, a broken one, one that comes and goes.
#include <gtest/gtest.h>

#include "tests/unit/probes/rtc_rig.hpp"

namespace clockmend::probes::test {
namespace {

TEST(RtcFaults, WithoutADeviceAskingFailsAtOnceAndTheProbeSaysWhy) {
  RtcRig rig;
  rig.rtc.there = false;
  rig.start();
  rig.probe.measure_now();
  ASSERT_EQ(rig.failures.size(), 1U);
  EXPECT_EQ(rig.failures.front(), "no RTC");
  rig.scheduler.run_for(1h);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  EXPECT_EQ(rig.probe.health().why, "no RTC");
  EXPECT_LE(rig.rtc.reads, 20U);  // 5 s doubling to 300 s
  EXPECT_EQ(rig.failures.size(), 1U);
}

TEST(RtcFaults, ADeviceThatAppearsIsUsedAtOnce) {
  RtcRig rig;
  rig.rtc.there = false;
  rig.start();
  rig.scheduler.run_for(1h);
  rig.rtc.there = true;
  rig.probe.device_appeared();
  ASSERT_TRUE(rig.run_until_fine(1100ms));
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
}

TEST(RtcFaults, AnotherDeviceVoidsTheBaseline) {
  RtcRig rig;
  rig.settle();
  rig.rtc.there = false;
  rig.probe.device_gone();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  rig.scheduler.run_for(20s);
  rig.rtc.there = true;
  rig.rtc.shift(400ms);
  rig.probe.device_appeared();
  ASSERT_TRUE(rig.run_until_fine(1100ms));
  ASSERT_EQ(rig.voids.size(), 1U);
  EXPECT_EQ(rig.voids.front(), "the RTC device changed");
}

TEST(RtcFaults, EventsOfAnotherRtcAreIgnored) {
  RtcRig rig;
  rig.settle();
  rig.probe.device_gone();
  rig.probe.device_appeared();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
}

TEST(RtcFaults, AHiccupIsToleratedAndPersistentErrorsDegrade) {
  RtcRig rig;
  rig.settle();
  rig.rtc.error = core::Error{core::ErrorCode::io, "RTC_RD_TIME: I/O error"};
  rig.scheduler.run_for(1100ms);
  rig.rtc.error.reset();
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
  rig.rtc.error = core::Error{core::ErrorCode::busy, "/dev/rtc0: busy"};
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  EXPECT_EQ(rig.probe.health().why, "/dev/rtc0: busy");
  rig.probe.measure_now();
  EXPECT_EQ(rig.failures.size(), 1U);
}

TEST(RtcFaults, AFreezeWhileTheDeviceWasBusyIsSeenAfterwards) {
  RtcRig rig;
  rig.settle();
  rig.rtc.error = core::Error{core::ErrorCode::busy, "/dev/rtc0: busy"};
  rig.scheduler.run_for(10s);
  rig.clock.pause(300ms);
  rig.scheduler.run_for(10s);
  rig.rtc.error.reset();
  rig.clear();
  rig.scheduler.run_for(30s);
  EXPECT_EQ(rig.coarse(), 1U);
  ASSERT_TRUE(rig.heard_fine());
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
  EXPECT_TRUE(rig.voids.empty());
}

TEST(RtcFaults, ErrorsInTheMiddleOfASearchAnswerTheQuestion) {
  RtcRig rig;
  rig.settle();
  rig.probe.measure_now();
  rig.rtc.error = core::Error{core::ErrorCode::io, "RTC_RD_TIME: I/O error"};
  rig.scheduler.run_for(1s);
  ASSERT_EQ(rig.failures.size(), 1U);
  rig.rtc.error.reset();
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
}

TEST(RtcFaults, AnRtcThatDoesNotTickIsDegradedAndAskedEverMoreRarely) {
  RtcRig rig;
  rig.rtc.stop();
  rig.start();
  rig.scheduler.run_for(3s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  EXPECT_EQ(rig.probe.health().why, "it does not tick");
  rig.probe.measure_now();  // a coarse reading still comes, and the failure of the fine one after the search
  EXPECT_EQ(rig.coarse(), 1U);
  rig.scheduler.run_for(3s);
  EXPECT_EQ(rig.failures.size(), 1U);
  rig.rtc.reads = 0;
  rig.scheduler.run_for(3600s);
  EXPECT_LE(rig.rtc.reads, 20U * 700U);
}

TEST(RtcFaults, SecondsThatJumpAboutAreRefused) {
  RtcRig rig;
  rig.start();
  std::mt19937 random(7);
  for (int i = 0; i < 400; ++i) {
    rig.rtc.shift(std::chrono::seconds{static_cast<long>(random() % 1000) - 500});
    rig.scheduler.run_for(2500us);
  }
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  EXPECT_EQ(rig.probe.health().why, "its seconds jump about");
  EXPECT_LE(rig.readings.size(), 10U);
}

TEST(RtcFaults, StealTimeInTheSearchGivesAnHonestErrorAndASecondTry) {
  RtcRig rig;
  rig.late.latest = 80ms;
  rig.start();
  ASSERT_TRUE(rig.scheduler.run_while_not([&] { return !rig.readings.empty(); }, 3s));
  EXPECT_LE(magnitude({rig.errors.back()}), rig.readings.back().uncertainty);
  rig.late.latest = 100us;
  rig.scheduler.run_for(5s);
  EXPECT_LE(magnitude({rig.errors.back()}), rig.readings.back().uncertainty);
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
}

// Where the RTC is the only witness its answer is the step: a bracket of tens of milliseconds is worth another second.
TEST(RtcFaults, AskedInStealTimeItAnswersWithTheNextEdgeIfThatIsBetter) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RtcRig rig(-nanoseconds{seed * 24'000'000L}, seed);
    rig.settle();
    rig.clock.pause(47550ms);
    rig.late.latest = 80ms;
    rig.probe.measure_now();
    rig.scheduler.run_for(900ms);
    rig.late.latest = 100us;
    ASSERT_TRUE(rig.run_until_fine(2100ms));
    EXPECT_LE(rig.readings.back().uncertainty, 12ms);
    EXPECT_LE(magnitude({rig.errors.back()}), rig.readings.back().uncertainty);
  }
}

TEST(RtcFaults, BeforeStartNothingHappens) {
  RtcRig rig;
  rig.probe.measure_now();
  rig.probe.own_change({core::OwnChange::What::rtc_write, {}, {}});
  rig.probe.device_gone();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::off);
  EXPECT_EQ(rig.rtc.reads, 0U);
}

}  // namespace
}  // namespace clockmend::probes::test
