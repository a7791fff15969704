// Watching: what starts an investigation and what does not.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::ClockState;
using core::Outcome;

TEST(IdleTest, RightReadingsDoNothingForever) {
  EngineRig rig;
  for (int i = 0; i < 500; ++i) {
    rig.clock.advance(16s);
    rig.observe(rig.rtc());
    if (i % 60 == 0) rig.observe(rig.ntp());
  }
  EXPECT_TRUE(rig.log.empty());
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
}

TEST(IdleTest, OneLyingServerIsNotFollowedAlone) {
  EngineRig rig;
  rig.learn_rtc();
  rig.hold_reconsider = true;
  rig.observe(rig.ntp(500s));
  EXPECT_TRUE(rig.steps.empty()) << "not before the RTC was asked";
  rig.observe(rig.coarse_rtc());
  rig.hold_reconsider = false;
  rig.reconsider();
  rig.observe(rig.rtc());
  rig.observe(rig.ntp(500s));
  rig.deadline();
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.count<StopDaemons>(), 0U);
  EXPECT_FALSE(rig.engine.busy());
}

TEST(IdleTest, SeveralServersAreFollowed) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.drift_ppm = 0;
  rig.clock.step(-2s);
  rig.engine.own_step_applied({-2s});  // a slow error that nobody stepped
  rig.observe(rig.ntp({}, 3, 4));
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.finish_well();
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
}

TEST(IdleTest, NoticedGapBelowTheRecordThresholdLeavesNoTrace) {
  EngineRig rig;
  rig.observe(rig.ntp());
  rig.learn_rtc();
  rig.clock.pause(30ms);
  core::OffsetReading coarse = rig.coarse_rtc();
  coarse.offset.value += 490ms;  // the second changed early
  rig.observe(coarse);
  EXPECT_EQ(rig.engine.state(), ClockState::suspect);
  rig.observe(rig.rtc());
  rig.deadline();
  EXPECT_TRUE(rig.reports.empty());
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
  EXPECT_TRUE(rig.engine.error_bound(rig.clock.snapshot())) << "what was proved before still holds";
  EXPECT_EQ(rig.engine.counters().discontinuities, 0U);
}

TEST(IdleTest, GapBetweenRecordAndStepThresholdIsRecorded) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(70ms);
  rig.observe(rig.rtc());
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
  EXPECT_TRUE(rig.steps.empty());
}

TEST(IdleTest, MovedRtcPhaseNeverSteps) {
  for (const core::nanoseconds move : {core::nanoseconds{400ms}, core::nanoseconds{-400ms}, core::nanoseconds{950ms}}) {
    for (const bool with_ntp : {true, false}) {
      EngineRig rig;
      rig.learn_rtc();
      rig.rtc_phase += move;
      rig.observe(rig.rtc());
      if (with_ntp)
        rig.observe(rig.ntp());
      else
        rig.fail(Witness::ntp);
      rig.deadline();
      EXPECT_TRUE(rig.steps.empty()) << move.count();
      rig.observe(rig.rtc());
      EXPECT_FALSE(rig.engine.busy()) << "the new phase is learned";
    }
  }
}

TEST(IdleTest, RtcPhaseAfterOurOwnWriteIsNoPause) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.observe(rig.rtc());
  rig.stopped();
  rig.observe(rig.ntp());
  rig.rtc_phase = 2ms;  // it was -670 ms: our write aligned it
  rig.rtc_written();
  rig.started();
  rig.clock.advance(900ms);
  rig.observe(rig.rtc());
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_EQ(rig.reports.size(), 1U);
  rig.clock.pause(5s);
  rig.observe(rig.rtc());
  rig.patience();
  EXPECT_EQ(rig.steps.size(), 2U) << "and the next pause is seen by it";
}

TEST(IdleTest, PauseBetweenOurWriteAndItsEdgeIsSeen) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.stopped();
  rig.observe(rig.ntp());
  rig.rtc_phase = 2ms;
  rig.rtc_written();
  rig.started();
  rig.clock.pause(10s);
  rig.observe(rig.coarse_rtc());
  EXPECT_TRUE(rig.engine.busy());
}

TEST(IdleTest, RtcThatWasAwayDuringACorrectionBringsNoNewOne) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice("n1"));
  rig.fail(Witness::rtc);
  rig.observe(rig.ntp());
  rig.stopped();
  rig.observe(rig.ntp());
  rig.rtc_written(false, false);
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  rig.observe(rig.rtc());  // it is back, with the same phase
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.reports.size(), 1U) << "the gap is old: the clock is where it was against this RTC";
  EXPECT_EQ(rig.steps.size(), 1U);
}

TEST(IdleTest, BaselineVoidAsksNtp) {
  EngineRig rig;
  rig.learn_rtc();
  rig.observe(core::BaselineVoid{Witness::rtc, "hwclock wrote it"});
  EXPECT_FALSE(rig.engine.baselines().of(Witness::rtc));
  EXPECT_EQ(rig.asked(Witness::ntp), 1U);
  rig.rtc_phase += 3600s;
  rig.observe(rig.rtc());
  EXPECT_FALSE(rig.engine.busy());
}

TEST(IdleTest, BaselineVoidDuringAnInvestigationDropsItsWord) {
  EngineRig rig;
  rig.learn_rtc();
  rig.rtc_phase += 20s;
  rig.observe(rig.coarse_rtc());
  rig.observe(core::BaselineVoid{Witness::rtc, "hwclock wrote it"});
  rig.observe(rig.ntp());
  EXPECT_TRUE(rig.steps.empty());
}

TEST(IdleTest, LyingServerDoesNotWinWhileTheRtcIsLearnedAnew) {
  EngineRig rig;
  rig.rtc_phase = 0ms;
  rig.learn_rtc();
  rig.hold_reconsider = true;
  rig.observe(rig.ntp(500s));
  rig.observe(rig.coarse_rtc());
  rig.hold_reconsider = false;
  rig.reconsider();
  rig.observe(core::BaselineVoid{Witness::rtc, "the kernel wrote it"});
  rig.observe(rig.rtc());
  rig.deadline();
  EXPECT_TRUE(rig.steps.empty());
}

TEST(IdleTest, WithoutNtpTheKernelsWordCounts) {
  EngineRig rig;
  rig.fail(Witness::ntp);
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
  EngineRig undisciplined;
  undisciplined.clock.status.unsynchronized = true;
  undisciplined.fail(Witness::ntp);
  EXPECT_EQ(undisciplined.engine.state(), ClockState::degraded);
}

TEST(IdleTest, ErrorBoundGrowsWithAge) {
  EngineRig rig;
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.engine.error_bound(rig.clock.snapshot()), 5ms);
  rig.clock.advance(1000s);
  EXPECT_EQ(rig.engine.error_bound(rig.clock.snapshot()), 105ms);
}

// Nobody announced a pause; an RTC that somebody set ahead shows the same as one.
TEST(PatienceTest, NtpThatAnswersInTimeKeepsTheClockWhereAnRtcWasSet) {
  EngineRig rig;
  rig.learn_rtc();
  rig.rtc_phase += 2s;
  rig.observe(rig.rtc());
  EXPECT_TRUE(rig.steps.empty());
  rig.clock.advance(300ms);
  rig.observe(rig.ntp());
  rig.patience();
  EXPECT_TRUE(rig.steps.empty());
  rig.deadline();
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
}

TEST(PatienceTest, EndsAtOnceWhenNtpHasFailed) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.fail(Witness::ntp);
  EXPECT_EQ(rig.steps.size(), 1U);
}

TEST(PatienceTest, LastsToTheDeadlineWhileOnlyOurOwnLimitKeepsUsFromAsking) {
  EngineRig rig;
  rig.learn_rtc();
  rig.rtc_phase += 2s;
  rig.observe(rig.rtc());
  rig.observe(core::MeasurementFailed{Witness::ntp, "asked too often, next in 4 s", true});
  rig.patience();
  EXPECT_TRUE(rig.steps.empty());
  rig.observe(rig.ntp());
  rig.deadline();
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_FALSE(rig.engine.busy());

  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.observe(core::MeasurementFailed{Witness::ntp, "asked too often, next in 4 s", true});
  rig.deadline();
  EXPECT_EQ(rig.steps.size(), 1U) << "and then the RTC decides";
}

TEST(PatienceTest, IsNotNeededWhereTheHostAnnouncesThePause) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  EXPECT_TRUE(rig.steps.empty());
  rig.observe(rig.notice("n1"));
  EXPECT_EQ(rig.steps.size(), 1U);
}

}  // namespace
}  // namespace clockmend::engine::test
