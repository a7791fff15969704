// A frozen VM is seen within 1.05 s and measured within 5 ms, whatever the phases.
#include <gtest/gtest.h>

#include "tests/unit/probes/rtc_rig.hpp"

namespace clockmend::probes::test {
namespace {

class Gap : public testing::TestWithParam<double> {};

TEST_P(Gap, SeenWithinASecondAndMeasuredExactly) {
  const nanoseconds gap{static_cast<long>(GetParam() * 1e9)};
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::uniform_int_distribution<long> any(0, 999'999'999);
    RtcRig rig(nanoseconds{any(random) - 999'999'999}, seed);
    rig.late.latest = 2ms;
    rig.settle(20s + nanoseconds{any(random)} + std::chrono::seconds{seed % 7});
    const nanoseconds before = rig.rtc.offset();
    rig.clock.pause(gap);
    rig.clear();
    const auto resumed = rig.scheduler.now();
    ASSERT_TRUE(rig.scheduler.run_while_not([&] { return rig.coarse() > 0; }, 1050ms));
    const core::OffsetReading coarse = rig.readings.back();
    EXPECT_LE(magnitude({coarse.offset.value - rig.rtc.offset()}), coarse.uncertainty);
    // What the coarse reading proves: more than nothing happened.
    EXPECT_GT(coarse.offset.value - coarse.uncertainty, before + 5ms);
    ASSERT_TRUE(rig.run_until_fine(1100ms));
    EXPECT_LT(rig.scheduler.now() - resumed, 2100ms);
    EXPECT_LE(std::abs(ms(rig.readings.back().offset.value - (before + gap))), 5.0);
    EXPECT_LE(magnitude({rig.errors.back()}), rig.readings.back().uncertainty);
    // A freeze that by chance brings the RTC to REALTIME looks like a write; NTP is asked then.
    const bool nearest_second = magnitude({gap - std::chrono::round<core::seconds>(gap)}) <= 12ms && magnitude({before + gap}) < 525ms;
    if (magnitude({before + gap}) > 65ms && !nearest_second) {
      EXPECT_TRUE(rig.voids.empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, Gap, testing::Values(0.03, 0.06, 0.2, 0.7, 0.99, 1.0, 1.3, 47.55, 2035372.0),
                         [](const auto& test) { return "s" + std::to_string(static_cast<long>(test.param * 1000)) + "ms"; });

TEST(RtcGap, AskedAfterANoticeTheAnswerIsCoarseAtOnceAndFineWithinASecond) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RtcRig rig(-nanoseconds{seed * 24'000'000L}, seed);
    rig.settle();
    rig.scheduler.run_for(nanoseconds{seed * 77'777'777L});
    rig.clear();
    const nanoseconds before = rig.rtc.offset();
    rig.clock.pause(47550ms);
    rig.probe.measure_now();
    ASSERT_EQ(rig.coarse(), 1U);
    ASSERT_TRUE(rig.run_until_fine(1010ms));
    EXPECT_LE(std::abs(ms(rig.readings.back().offset.value - (before + 47550ms))), 5.0);
  }
}

TEST(RtcGap, ARestoreStepDuringTheSearchDoesNotMakeItAWrite) {
  for (const auto phase : {0ms, -670ms}) {
    RtcRig rig(phase);
    rig.settle();
    rig.clock.pause(47550ms);
    rig.probe.measure_now();
    rig.scheduler.run_for(20ms);
    rig.clock.step(47550ms);
    rig.probe.own_change({core::OwnChange::What::step, {47550ms}, rig.clock.snapshot()});
    ASSERT_TRUE(rig.run_until_fine(1100ms));
    EXPECT_LE(std::abs(ms(rig.readings.back().offset.value - phase)), 5.0);
    rig.scheduler.run_for(60s);
    EXPECT_TRUE(rig.voids.empty());
    EXPECT_EQ(rig.coarse(), 1U);
  }
}

TEST(RtcGap, WorksOnTheHundredthFreezeToo) {
  RtcRig rig;
  rig.settle();
  for (int i = 0; i < 100; ++i) {
    SCOPED_TRACE(i);
    rig.scheduler.run_for(std::chrono::milliseconds{1700 + 37 * i});
    rig.clear();
    rig.clock.pause(std::chrono::milliseconds{60 + i * 31});
    ASSERT_TRUE(rig.run_until_fine(2200ms));
    EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
  }
}

TEST(RtcGap, AFreezeInTheMiddleOfTheSearchDoesNotPassForTheEdge) {
  for (const auto second_freeze : {300ms, 650ms, 47550ms}) {
    RtcRig rig;
    rig.settle();
    rig.clock.pause(5s);
    rig.probe.measure_now();
    rig.scheduler.run_for(101ms);
    rig.clock.pause(second_freeze);
    rig.probe.measure_now();  // the second notice
    rig.clear();
    rig.scheduler.run_for(3s);
    ASSERT_TRUE(rig.heard_fine());
    EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
  }
}

TEST(RtcGap, AnUnannouncedFreezeInTheMiddleOfTheSearchIsFoundInTheEnd) {
  RtcRig rig;
  rig.settle();
  rig.probe.measure_now();
  rig.scheduler.run_for(101ms);
  rig.clock.pause(650ms);
  rig.scheduler.run_for(4s);
  ASSERT_TRUE(rig.heard_fine());
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
}

TEST(RtcGap, ACounterThatRanOnIsNoGap) {
  // clocksource tsc under KVM: stop/cont is counted by RAW and REALTIME alike, nothing is wrong.
  RtcRig rig;
  rig.settle();
  rig.clock.pause(47550ms, fakes::FakeClock::Pause::counter_ran_on);
  rig.scheduler.run_for(30s);
  EXPECT_EQ(rig.coarse(), 0U);
  EXPECT_TRUE(rig.voids.empty());
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
}

TEST(RtcGap, AGuestSuspendShowsARightClock) {
  RtcRig rig;
  rig.settle();
  const nanoseconds before = rig.rtc.offset();
  rig.clock.suspend(3600s);
  ASSERT_TRUE(rig.run_until_fine(2200ms));
  EXPECT_LE(std::abs(ms(rig.readings.back().offset.value - before)), 5.0);
}

TEST(RtcGap, TinyFreezesAreAbsorbedWithoutAnAlarm) {
  RtcRig rig;
  rig.settle(400s);
  for (int i = 0; i < 20; ++i) {
    rig.clock.pause(8ms);
    rig.scheduler.run_for(60s);
  }
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
  EXPECT_TRUE(rig.voids.empty());
  EXPECT_LE(rig.coarse(), 2U);
}

}  // namespace
}  // namespace clockmend::probes::test
