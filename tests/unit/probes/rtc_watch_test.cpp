// Left alone: what it costs, how exact it stays, and what must not alarm it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/probes/rtc_rig.hpp"

namespace clockmend::probes::test {
namespace {

TEST(RtcWatch, FirstReadingWithinASecondThenABaselineEvery16Seconds) {
  RtcRig rig;
  rig.start();
  EXPECT_TRUE(rig.readings.empty());  // never from inside start()
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::starting);
  ASSERT_TRUE(rig.run_until_fine(1100ms));
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
  EXPECT_EQ(rig.readings.back().systematic, nanoseconds{1s});
  rig.clear();
  rig.scheduler.run_for(160s);
  EXPECT_GE(rig.readings.size(), 9U);
  EXPECT_LE(rig.readings.size(), 12U);
  for (const auto error : rig.errors) EXPECT_LE(std::abs(ms(error)), 5.0);
}

TEST(RtcWatch, CostsAtMost80WakeupsAndReadsAMinute) {
  for (const long ppm : {-100, 0, 100}) {
    RtcRig rig;
    rig.rtc.drift_ppm = ppm;
    rig.settle(10s);
    for (int minute = 0; minute < 10; ++minute) {
      rig.rtc.reads = 0;
      rig.late.wakeups = 0;
      rig.scheduler.run_for(60s);
      EXPECT_LE(rig.rtc.reads, 80U);
      EXPECT_LE(rig.late.wakeups, 80U);
      EXPECT_GE(rig.rtc.reads, 60U);
    }
  }
}

class Drift : public testing::TestWithParam<long> {};

TEST_P(Drift, AnHourWithoutAFalseAlarmAndAlwaysInsideTheStatedError) {
  RtcRig rig;
  rig.rtc.drift_ppm = GetParam();
  rig.late.latest = 3ms;
  rig.settle(60s);
  rig.scheduler.run_for(3600s);
  EXPECT_EQ(rig.coarse(), 0U);
  EXPECT_TRUE(rig.voids.empty());
  ASSERT_GE(rig.readings.size(), 200U);
  for (std::size_t i = 0; i < rig.readings.size(); ++i) {
    EXPECT_LE(magnitude({rig.errors[i]}), rig.readings[i].uncertainty + 50us);
    EXPECT_LE(std::abs(ms(rig.errors[i])), 5.0);
  }
  // The rate was learned: the last readings are much better than +-500 ppm would allow.
  EXPECT_LE(rig.readings.back().uncertainty, 2ms) << rig.probe.health().why;
}

INSTANTIATE_TEST_SUITE_P(Ppm, Drift, testing::Values(-400, -100, -20, 0, 20, 100, 400),
                         [](const auto& test) { return (test.param < 0 ? "minus" : "plus") + std::to_string(std::abs(test.param)); });

TEST(RtcWatch, ASlewAt83MillisecondsPerSecondIsNotTheRtcsDoing) {
  RtcRig rig;
  rig.settle();
  for (const long slew : {83'333L, -83'333L}) {
    rig.clear();
    rig.clock.slew_ppm = slew;
    rig.scheduler.run_for(60s);
    EXPECT_EQ(rig.coarse(), 0U);
    EXPECT_TRUE(rig.voids.empty());
    ASSERT_FALSE(rig.readings.empty());
    for (const auto error : rig.errors) EXPECT_LE(std::abs(ms(error)), 5.0);
    // A freeze is seen meanwhile as well.
    rig.clear();
    rig.clock.pause(200ms);
    EXPECT_TRUE(rig.scheduler.run_while_not([&] { return rig.coarse() > 0; }, 1200ms));
    rig.scheduler.run_for(3s);
  }
}

TEST(RtcWatch, StepsOfRealtimeOnlyMoveTheOffset) {
  RtcRig rig;
  rig.settle();
  const nanoseconds before = rig.rtc.offset();
  for (const nanoseconds step : {nanoseconds{47550ms}, nanoseconds{-1s}, nanoseconds{-30ms}, nanoseconds{-126'230'400s}}) {
    rig.clear();
    const nanoseconds was = rig.rtc.offset();
    rig.clock.step(step);
    rig.probe.own_change({core::OwnChange::What::step, {step}, rig.clock.snapshot()});
    rig.scheduler.run_for(40s);
    EXPECT_EQ(rig.coarse(), 0U);
    EXPECT_TRUE(rig.voids.empty());
    ASSERT_TRUE(rig.heard_fine());
    EXPECT_LE(std::abs(ms(rig.readings.back().offset.value - (was - step))), 5.0);
  }
  EXPECT_NE(before, rig.rtc.offset());
}

TEST(RtcWatch, ReadsDelayedByTheUpdateInProgressAreNoEvidence) {
  for (const auto wait : {0ms, 3ms, 12ms}) {
    RtcRig rig;
    rig.rtc.uip = 22ms;  // every read before the edge is carried over it
    rig.rtc.uip_wait = wait;
    rig.settle();
    rig.scheduler.run_for(300s);
    EXPECT_EQ(rig.coarse(), 0U);
    EXPECT_TRUE(rig.voids.empty());
    // The guard has grown until reads end before the edge again, so freezes are still seen.
    rig.clear();
    rig.clock.pause(200ms);
    EXPECT_TRUE(rig.scheduler.run_while_not([&] { return rig.coarse() > 0; }, 1200ms));
  }
}

TEST(RtcWatch, LateTimersAreNoEvidence) {
  RtcRig rig;
  rig.settle();
  rig.late.latest = 60ms;
  rig.scheduler.run_for(600s);
  EXPECT_EQ(rig.coarse(), 0U);
  EXPECT_TRUE(rig.voids.empty());
  rig.clear();
  rig.clock.pause(2s);
  EXPECT_TRUE(rig.scheduler.run_while_not([&] { return rig.coarse() > 0; }, 1200ms));
  rig.late.latest = 100us;
  rig.scheduler.run_for(300s);
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
}

TEST(RtcWatch, ASmallFreezeDoesNotPoisonTheRate) {
  RtcRig rig;
  rig.settle(300s);
  for (int i = 0; i < 4; ++i) {
    rig.clock.pause(10ms);
    rig.scheduler.run_for(300s);
    const std::string why = rig.probe.health().why;
    const auto at = why.find("rate ");
    ASSERT_NE(at, std::string::npos) << why;
    EXPECT_LE(std::abs(std::stod(why.substr(at + 5))), 20.0) << why;
    EXPECT_LE(std::abs(ms(rig.errors.back())), 3.0);
  }
}

TEST(RtcWatch, TheSinkMayAskAgainAtOnce) {
  RtcRig rig;
  rig.settle();
  int asked = 0;
  rig.also = [&] {
    if (++asked < 50) rig.probe.measure_now();
  };
  rig.clock.pause(10s);
  rig.scheduler.run_for(10s);
  ASSERT_TRUE(rig.heard_fine());
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
}

}  // namespace
}  // namespace clockmend::probes::test
