// Steps of others and our own: told apart by value.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::Cause;
using core::ClockState;
using core::Outcome;

TEST(ForeignStepTest, WrongYearsAreCorrectedInBothDirections) {
  for (const core::nanoseconds by : {core::nanoseconds{-24h * 1341}, core::nanoseconds{24h * 2000}}) {
    EngineRig rig;
    rig.learn_rtc();
    rig.clock.step(by);
    rig.compare();
    EXPECT_TRUE(rig.engine.busy());
    rig.observe(rig.coarse_rtc());
    rig.observe(rig.ntp());
    ASSERT_EQ(rig.steps.size(), 1U) << by.count();
    EXPECT_LT(std::abs(rig.error_ms()), 10.0);
    rig.finish_well();
    EXPECT_EQ(rig.report().discontinuity.cause, Cause::foreign_step);
    EXPECT_EQ(rig.report().discontinuity.foreign_step, by);
    EXPECT_EQ(rig.engine.counters().foreign_steps, 1U);
  }
}

TEST(ForeignStepTest, DaemonThatSteppedRightlyIsLeftAlone) {
  EngineRig rig;
  rig.clock.status.unsynchronized = true;
  rig.clock.pause(800ms);
  rig.learn_rtc();  // the clock was 0.8 s behind when the baseline was taken
  rig.clock.step(800ms);
  rig.compare();
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
}

TEST(ForeignStepTest, DaemonThatTookBackAnUnseenGapIsLeftAlone) {
  EngineRig rig;
  rig.clock.pause(3s);  // while the RTC was being learned anew
  rig.learn_rtc();
  rig.clock.step(3s);  // the restarted daemon's first burst
  rig.compare();
  rig.observe(rig.rtc());  // asks for a step back: the daemon is stopped meanwhile
  rig.stopped();
  rig.observe(rig.ntp());
  rig.deadline();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::no_action) << rig.report().reason;
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
}

TEST(ForeignStepTest, AdminWithoutATimeDaemonMeantIt) {
  EngineRig rig;
  rig.engine.set_daemon_active(false);
  rig.learn_rtc();
  rig.clock.step(3600s);
  rig.compare();
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::observed);
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.count<StopDaemons>(), 0U);
  rig.learn_rtc();
  for (int i = 0; i < 10; ++i) {
    rig.clock.advance(1020s);
    rig.observe(rig.ntp());
  }
  EXPECT_EQ(rig.reports.size(), 1U) << "and it is not brought up again";
  EXPECT_TRUE(rig.steps.empty());
  rig.engine.set_daemon_active(true);
  rig.observe(rig.ntp({}, 2, 2));
  EXPECT_EQ(rig.steps.size(), 1U) << "a time daemon runs again: the time is wanted right";
}

TEST(ForeignStepTest, WhetherADaemonRunsIsAskedAnew) {
  EngineRig rig;
  rig.hold_daemons = true;
  rig.engine.set_daemon_active(false);  // so it was when last looked; it was started since
  rig.learn_rtc();
  rig.clock.step(3600s);
  rig.compare();
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.count<AskDaemons>(), 1U);
  EXPECT_TRUE(rig.reports.empty()) << "nothing is decided on old knowledge";
  EXPECT_TRUE(rig.steps.empty());
  rig.daemons_known(true);
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_NEAR(static_cast<double>(rig.steps[0].offset.value.count()), -3600e9, 10e6);
}

TEST(ForeignStepTest, WithoutAnAnswerAboutDaemonsTheDeadlineDecides) {
  EngineRig rig;
  rig.hold_daemons = true;
  rig.learn_rtc();
  rig.clock.step(3600s);
  rig.compare();
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  EXPECT_TRUE(rig.steps.empty());
  rig.deadline();
  EXPECT_EQ(rig.steps.size(), 1U) << "a daemon was running when last looked";
}

TEST(ForeignStepTest, IgnoredWhereConfigured) {
  core::Policy p = policy();
  p.on_foreign_step = core::OnForeignStep::ignore;
  EngineRig rig(p);
  rig.learn_rtc();
  rig.clock.step(3600s);
  rig.compare();
  EXPECT_FALSE(rig.engine.busy());
  rig.clock.advance(16s);
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.patience();
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_NEAR(static_cast<double>(rig.steps[0].offset.value.count()), 20e9, 10e6) << "back to where the clock was set, not to before it";
}

TEST(ForeignStepTest, SmallOnesAreNotedOnly) {
  EngineRig rig;
  rig.learn_rtc();
  for (int i = 0; i < 20; ++i) {
    rig.clock.step(20ms);
    rig.compare();
  }
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_EQ(rig.count<AskWitnesses>(), 0U) << "a daemon that steps a little must not make us ask its servers each time";
  EXPECT_EQ(rig.engine.counters().foreign_steps, 20U);
}

TEST(ForeignStepTest, OwnStepIsNeverDetected) {
  EngineRig rig;
  rig.learn_rtc();
  for (int i = 0; i < 5; ++i) {
    rig.clock.pause(20s);
    rig.observe(rig.notice_with_exchange("n" + std::to_string(i)));
    rig.compare();
    rig.finish_well();
    rig.compare();
    rig.learn_rtc();
  }
  EXPECT_EQ(rig.engine.counters().foreign_steps, 0U);
  EXPECT_EQ(rig.reports.size(), 5U);
}

TEST(ForeignStepTest, ReadingFromBeforeOurStepIsMovedByIt) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  const auto early_ntp = rig.ntp();
  const auto early_rtc = rig.rtc();
  rig.observe(rig.notice_with_exchange("n1"));
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.observe(early_ntp);
  rig.observe(early_rtc);
  rig.finish_well();
  rig.observe(early_rtc);
  rig.observe(early_ntp);
  EXPECT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
}

TEST(ForeignStepTest, ReadingFromBeforeAForeignStepIsMovedByIt) {
  EngineRig rig;
  const auto early = rig.ntp();
  rig.clock.step(-3600s);
  rig.observe(early);
  rig.observe(rig.coarse_rtc());
  rig.deadline();
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
}

TEST(ForeignStepTest, DuringAnInvestigationItIsPartOfIt) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.coarse_rtc());
  rig.clock.step(20s);  // the hypervisor's agent was faster
  rig.compare();
  rig.observe(rig.ntp());
  EXPECT_TRUE(rig.steps.empty());
  rig.stopped();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
  EXPECT_EQ(rig.report().discontinuity.foreign_step, 20s);
}

TEST(ForeignStepTest, AfterTheVerificationItGetsACorrectionOfItsOwn) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.stopped();
  rig.observe(rig.ntp());
  rig.clock.step(30s);  // the restarted daemon, misled
  rig.compare();
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_TRUE(rig.engine.busy()) << "somebody moved the clock after it was verified";
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.steps.size(), 2U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
}

TEST(ForeignStepTest, NoEndlessFightWithAnotherTimeMaster) {
  EngineRig rig;
  rig.learn_rtc();
  for (int i = 0; i < 12; ++i) {
    rig.clock.advance(10s);
    rig.clock.step(-500s);
    rig.compare();
    rig.observe(rig.coarse_rtc());
    rig.observe(rig.ntp());
    if (rig.engine.busy()) rig.finish_well();
    if (rig.steps.size() == 7) break;
  }
  EXPECT_LE(rig.steps.size(), 6U);
  EXPECT_EQ(rig.report().outcome, Outcome::observed);
  EXPECT_NE(rig.report().reason.find("keeps taking our steps back"), std::string::npos);
  rig.clock.advance(700s);
  rig.clock.step(-500s);
  rig.compare();
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  EXPECT_GE(rig.steps.size(), 6U) << "later it is tried again";
}

TEST(ForeignStepTest, GuestSuspendIsLookedInto) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.suspend(600s);
  rig.compare();
  ASSERT_TRUE(rig.engine.busy());
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_TRUE(rig.steps.empty());
}

TEST(ForeignStepTest, OldVerificationDoesNotVouchForASetClock) {
  EngineRig rig;
  rig.clock.status.unsynchronized = true;
  rig.observe(rig.ntp());
  rig.learn_rtc();
  EXPECT_TRUE(rig.engine.baselines().of(Witness::rtc)->disciplined);
  rig.engine.set_daemon_active(false);
  rig.clock.step(3600s);
  rig.compare();
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.report().outcome, Outcome::observed);
  rig.clock.advance(16s);
  rig.learn_rtc();
  EXPECT_FALSE(rig.engine.baselines().of(Witness::rtc)->disciplined);
  EXPECT_FALSE(rig.engine.error_bound(rig.clock.snapshot()));
}

}  // namespace
}  // namespace clockmend::engine::test
