// Writes of the RTC: ours, the kernel's 11-minute mode, hwclock.
#include <gtest/gtest.h>

#include "tests/unit/probes/rtc_rig.hpp"

namespace clockmend::probes::test {
namespace {

TEST(RtcWrite, ElevenMinuteModeVoidsTheBaselineAndGivesAFreshOne) {
  // Forwards (RTC was behind by 670 ms) and backwards (QEMU's phase may be either way after a guest's write).
  for (const auto phase : {-670ms, -100ms, 300ms, 900ms, -2300ms}) {
    SCOPED_TRACE(phase.count());
    RtcRig rig(phase);
    rig.settle();
    rig.rtc.shift(-rig.rtc.offset() + 4ms);
    rig.scheduler.run_for(20s);
    ASSERT_EQ(rig.voids.size(), 1U);
    EXPECT_EQ(rig.voids.front(), "the RTC was written: it now agrees with the system clock");
    ASSERT_TRUE(rig.heard_fine());
    EXPECT_LE(std::abs(ms(rig.readings.back().offset.value - 4ms)), 5.0);
    EXPECT_EQ(rig.readings.back().systematic, nanoseconds{1s});
  }
}

TEST(RtcWrite, AWriteThatKeepsTheEdgeMovesItByWholeSecondsToTheNearest) {
  struct Row {
    nanoseconds phase;
    nanoseconds shift;
    bool void_;
  };
  for (const Row& row :
       {Row{-670ms, 1s, true}, Row{700ms, -1s, true}, Row{-7330ms, 7s, true}, Row{-670ms, 1s + 200ms, false}, Row{-200ms, 1s, false}}) {
    SCOPED_TRACE(row.phase.count());
    RtcRig rig(row.phase);
    rig.settle();
    rig.rtc.shift(row.shift);
    rig.scheduler.run_for(20s);
    ASSERT_TRUE(rig.heard_fine());
    EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
    EXPECT_EQ(rig.voids.size(), row.void_ ? 1U : 0U);
  }
}

TEST(RtcWrite, TheVoidComesBeforeTheFreshReading) {
  RtcRig rig(-670ms);
  rig.settle();
  rig.rtc.shift(670ms);
  bool fine_before_void = false;
  rig.also = [&] { fine_before_void |= rig.heard_fine() && rig.voids.empty(); };
  ASSERT_TRUE(rig.run_until_fine(3s));
  EXPECT_EQ(rig.voids.size(), 1U);
  EXPECT_FALSE(fine_before_void);
}

TEST(RtcWrite, ARewriteThatChangesNothingIsNothing) {
  RtcRig rig(0ms);
  rig.settle();
  for (int i = 0; i < 5; ++i) {
    rig.rtc.shift(-rig.rtc.offset() + (i % 2 == 0 ? 3ms : -3ms));
    rig.scheduler.run_for(659s);
  }
  EXPECT_TRUE(rig.voids.empty());
  EXPECT_EQ(rig.coarse(), 0U);
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
}

class Backward : public testing::TestWithParam<long> {};

TEST_P(Backward, AnRtcSetBackIsAWriteNeverAPause) {
  RtcRig rig(200ms);
  rig.settle(200s);
  rig.rtc.shift(std::chrono::milliseconds{-GetParam()});
  rig.scheduler.run_for(20s);
  ASSERT_EQ(rig.voids.size(), 1U);
  EXPECT_EQ(rig.voids.front().find("the RTC was set back by"), 0U);
  EXPECT_EQ(rig.coarse(), 0U);
  ASSERT_TRUE(rig.heard_fine());
  EXPECT_LE(std::abs(ms(rig.errors.back())), 5.0);
}

INSTANTIATE_TEST_SUITE_P(Milliseconds, Backward, testing::Values(40, 100, 500, 1500, 3'600'000));

TEST(RtcWrite, OurOwnWriteIsRelearnedWithoutAlarm) {
  RtcRig rig(-670ms);
  rig.settle(150s);
  ASSERT_TRUE(rig.rtc.write(std::chrono::floor<core::seconds>(rig.clock.snapshot().realtime.time_since_epoch())));
  rig.rtc.shift(-rig.rtc.offset() + 2ms);
  rig.probe.own_change({core::OwnChange::What::rtc_write, {672ms}, rig.clock.snapshot()});
  EXPECT_TRUE(rig.readings.empty());
  ASSERT_TRUE(rig.run_until_fine(1100ms));
  EXPECT_EQ(rig.readings.back().systematic, nanoseconds{20ms});
  EXPECT_LE(std::abs(ms(rig.readings.back().offset.value - 2ms)), 3.0);
  rig.scheduler.run_for(60s);
  EXPECT_TRUE(rig.voids.empty());
  EXPECT_EQ(rig.coarse(), 0U);
  EXPECT_EQ(rig.readings.back().systematic, nanoseconds{20ms});
}

TEST(RtcWrite, AWriteThatMissedIsNotCalledAligned) {
  RtcRig rig(-670ms);
  rig.settle();
  rig.rtc.shift(-rig.rtc.offset() + 400ms);
  rig.probe.own_change({core::OwnChange::What::rtc_write, {1s}, rig.clock.snapshot()});
  ASSERT_TRUE(rig.run_until_fine(1100ms));
  EXPECT_EQ(rig.readings.back().systematic, nanoseconds{1s});
  EXPECT_TRUE(rig.voids.empty());
}

TEST(RtcWrite, OurOwnWriteInTheMiddleOfASearchRestartsIt) {
  RtcRig rig(-670ms);
  rig.settle();
  rig.probe.measure_now();
  rig.scheduler.run_for(100ms);
  rig.rtc.shift(-rig.rtc.offset());
  rig.probe.own_change({core::OwnChange::What::rtc_write, {670ms}, rig.clock.snapshot()});
  rig.clear();
  ASSERT_TRUE(rig.run_until_fine(1100ms));
  EXPECT_LE(std::abs(ms(rig.errors.back())), 3.0);
  EXPECT_TRUE(rig.voids.empty());
}

TEST(RtcWrite, AlignmentIsForgottenWhenTheEdgeMoves) {
  RtcRig rig(-670ms);
  rig.settle();
  rig.rtc.shift(-rig.rtc.offset());
  rig.probe.own_change({core::OwnChange::What::rtc_write, {670ms}, rig.clock.snapshot()});
  ASSERT_TRUE(rig.run_until_fine(1100ms));
  ASSERT_EQ(rig.readings.back().systematic, nanoseconds{20ms});
  rig.clear();
  rig.clock.pause(5s);  // behind it may be another host, whose RTC has another phase
  ASSERT_TRUE(rig.run_until_fine(2200ms));
  EXPECT_EQ(rig.readings.back().systematic, nanoseconds{1s});
}

}  // namespace
}  // namespace clockmend::probes::test
