// What a correction does when something fails on the way.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::ClockState;
using core::Outcome;

EngineRig& paused(EngineRig& rig) {
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  return rig;
}

TEST(FaultTest, DaemonThatWouldNotStopIsStillBroughtBack) {
  EngineRig rig;
  paused(rig);
  rig.stopped(true, false);
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.count<StartDaemons>(), 1U);
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
  EXPECT_EQ(rig.engine.state(), ClockState::degraded);
  EXPECT_NE(rig.engine.state_reason().find("could not be stopped"), std::string::npos);
}

TEST(FaultTest, DaemonThatWouldNotStart) {
  EngineRig rig;
  paused(rig);
  rig.stopped();
  rig.observe(rig.ntp());
  rig.rtc_written();
  rig.started(false);
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
  EXPECT_EQ(rig.engine.state(), ClockState::degraded);
  EXPECT_NE(rig.engine.state_reason().find("could not be started"), std::string::npos);
}

TEST(FaultTest, EveryWeaknessIsTold) {
  EngineRig rig;
  paused(rig);
  rig.stopped(true, false);
  rig.fail(Witness::ntp);
  rig.rtc_written(false, false);
  rig.started(false);
  for (const char* part : {"not be stopped", "not verified by NTP", "RTC was not written", "not be started"})
    EXPECT_NE(rig.engine.state_reason().find(part), std::string::npos) << part << " in " << rig.engine.state_reason();
}

TEST(FaultTest, NtpFailsWhenVerifying) {
  EngineRig rig;
  paused(rig);
  rig.stopped();
  rig.fail(Witness::ntp);
  EXPECT_EQ(rig.count<StartDaemons>(), 1U);
  EXPECT_EQ(rig.count<WriteRtc>(), 1U) << "the host's word is proof enough for the RTC";
  rig.rtc_written();
  rig.started();
  EXPECT_FALSE(rig.report().verified);
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
  EXPECT_EQ(rig.engine.state(), ClockState::degraded);
}

TEST(FaultTest, NtpSilentWhenVerifying) {
  EngineRig rig;
  paused(rig);
  rig.stopped();
  rig.deadline();
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_FALSE(rig.report().verified);
}

TEST(FaultTest, RtcIsNotWrittenOnItsOwnWord) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.patience();
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.stopped();
  rig.fail(Witness::ntp);
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.count<WriteRtc>(), 0U);
  EXPECT_NE(rig.report().rtc.find("skipped"), std::string::npos);
}

TEST(FaultTest, KernelRefusesTheStep) {
  EngineRig rig;
  rig.step_error = core::Error{core::ErrorCode::not_permitted, "clock_adjtime: Operation not permitted"};
  paused(rig);
  EXPECT_EQ(rig.count<StartDaemons>(), 0U) << "not while it is still being stopped";
  rig.stopped();
  EXPECT_EQ(rig.count<StartDaemons>(), 1U);
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::failed);
  EXPECT_NE(rig.report().reason.find("not permitted"), std::string::npos);
  EXPECT_EQ(rig.engine.state(), ClockState::degraded);
  EXPECT_EQ(rig.engine.counters().failures, 1U);
  EXPECT_FALSE(rig.engine.busy());
}

TEST(FaultTest, KernelRefusesTheTrimOnly) {
  EngineRig rig;
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1", 30ms));
  rig.stopped();
  rig.step_error = core::Error{core::ErrorCode::not_permitted, "EPERM"};
  rig.observe(rig.ntp({}, 1, 1, 1ms));
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::corrected) << "the step before it stands";
  EXPECT_EQ(rig.report().total.value, rig.steps[0].offset.value);
  EXPECT_EQ(rig.engine.state(), ClockState::degraded);
}

TEST(FaultTest, StopThatEndsAfterARefusalIsUndone) {
  EngineRig rig;
  rig.clock.pause(5000s);
  core::HostNotice n = rig.notice("n1");
  n.sent = rig.clock.truth();
  rig.observe(n);
  EXPECT_EQ(rig.count<StopDaemons>(), 1U) << "the stamp proves that the clock is wrong";
  rig.fail(Witness::rtc);
  rig.fail(Witness::ntp);
  rig.deadline();
  EXPECT_TRUE(rig.reports.empty());
  rig.stopped();
  EXPECT_EQ(rig.count<StartDaemons>(), 1U);
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::refused);
}

TEST(FaultTest, ALateDeadlineOfAnEarlierCorrectionDoesNothing) {
  EngineRig rig;
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  const ArmDeadline old = rig.armed;
  rig.finish_well();
  rig.clock.pause(20s);
  rig.observe(rig.notice("n2"));
  rig.armed = old;
  rig.deadline();
  EXPECT_TRUE(rig.engine.busy());
  EXPECT_EQ(rig.reports.size(), 1U);
}

TEST(FaultTest, LyingServerDoesNotUndoTheStep) {
  EngineRig rig;
  paused(rig);
  rig.stopped();
  rig.observe(rig.ntp(500s));
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
  EXPECT_FALSE(rig.report().verified);
  EXPECT_EQ(rig.engine.state(), ClockState::degraded);
}

TEST(FaultTest, WrongClockIsNotVouchedForByTheKernelAfterwards) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(600ms);
  rig.observe(rig.rtc());
  rig.fail(Witness::ntp);
  rig.deadline();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::refused);
  rig.fail(Witness::ntp);  // 17 minutes later
  EXPECT_EQ(rig.engine.state(), ClockState::refused) << "STA_UNSYNC is clear, but that is from before the pause";
  rig.learn_rtc();
  EXPECT_FALSE(rig.engine.baselines().of(Witness::rtc)->disciplined);
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.steps.size(), 1U) << "NTP is back and decides";
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
}

}  // namespace
}  // namespace clockmend::engine::test
