#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::Mode;
using core::Outcome;

EngineRig with(Mode mode) {
  core::Policy p = policy();
  p.mode = mode;
  return EngineRig(p);
}

std::size_t effects(const EngineRig& rig) {
  return rig.count<ApplyStep>() + rig.count<StopDaemons>() + rig.count<StartDaemons>() + rig.count<WriteRtc>();
}

TEST(ModeTest, ObserveMeasuresAndTouchesNothing) {
  EngineRig rig = with(Mode::observe);
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.rtc());
  rig.patience();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::observed);
  EXPECT_NEAR(static_cast<double>(rig.report().estimate->offset.value.count()), 20e9, 5e6);
  EXPECT_EQ(effects(rig), 0U);
  rig.observe(rig.rtc());
  EXPECT_EQ(rig.reports.size(), 1U) << "told once";
}

TEST(ModeTest, OffAnswersANoticeAndDoesNothing) {
  EngineRig rig = with(Mode::off);
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.observe(rig.ntp());
  rig.clock.step(3600s);
  rig.compare();
  EXPECT_TRUE(rig.reports.empty());
  rig.observe(rig.notice_with_exchange("n1"));
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().notices, std::vector<std::string>{"n1"});
  EXPECT_EQ(effects(rig), 0U);
}

TEST(ModeTest, WhatHappenedWhileOffIsFoundLater) {
  EngineRig rig = with(Mode::off);
  rig.learn_rtc();
  rig.clock.pause(2s);
  rig.observe(rig.rtc());
  rig.observe(rig.rtc());
  rig.engine.set_policy(policy());
  rig.observe(rig.notice("r1", core::NoticeEvent::resync));
  rig.observe(rig.rtc());
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.steps.size(), 1U) << "the RTC, learned with the clock wrong, does not outweigh the only server";
  EXPECT_NEAR(static_cast<double>(rig.steps[0].offset.value.count()), 2e9, 10e6);
}

TEST(ModeTest, SlewOnlyNeverSteps) {
  EngineRig rig = with(Mode::slew_only);
  rig.engine.set_daemon_active(false);
  rig.clock.pause(2s);
  rig.observe(rig.notice_with_exchange("n1"));
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_EQ(rig.steps[0].kind, core::ActionKind::slew);
  EXPECT_EQ(rig.count<StopDaemons>(), 0U);
  EXPECT_EQ(rig.reports.size(), 1U);
}

TEST(ModeTest, SlewOnlyLeavesItToARunningDaemon) {
  EngineRig rig = with(Mode::slew_only);
  rig.clock.pause(2s);
  rig.observe(rig.notice_with_exchange("n1"));
  EXPECT_EQ(effects(rig), 0U);
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
}

TEST(ModeTest, DryRunChangesNothing) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  core::HostNotice n = rig.notice("cli", core::NoticeEvent::resync);
  n.dry_run = true;
  rig.observe(n);
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::observed);
  EXPECT_EQ(rig.report().discontinuity.cause, core::Cause::request);
  EXPECT_EQ(effects(rig), 0U);
}

TEST(ModeTest, DryRunThatJoinsARealCorrectionDoesNotStopIt) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.coarse_rtc());
  core::HostNotice n = rig.notice("cli", core::NoticeEvent::resync);
  n.dry_run = true;
  rig.observe(n);
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.steps.size(), 1U);
  rig.finish_well();
  EXPECT_EQ(rig.report().notices, std::vector<std::string>{"cli"});
}

TEST(ModeTest, RealNoticeThatJoinsADryRunCorrects) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  core::HostNotice n = rig.notice("cli", core::NoticeEvent::resync);
  n.dry_run = true;
  rig.observe(n);
  rig.observe(rig.notice_with_exchange("host"));
  EXPECT_EQ(rig.steps.size(), 1U);
}

TEST(ModeTest, ForceSurvivesALaterNotice) {
  EngineRig rig;
  rig.clock.pause(5000s);
  core::HostNotice n = rig.notice("cli", core::NoticeEvent::resync);
  n.force = true;
  rig.observe(n);
  rig.observe(rig.notice("host"));
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.steps.size(), 1U);
}

TEST(ModeTest, UnmanagedDaemonIsNeitherStoppedNorStarted) {
  core::Policy p = policy();
  p.manage_daemon = false;
  EngineRig rig(p);
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.clock.advance(10ms);
  rig.observe(rig.ntp());
  rig.rtc_written();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.count<StopDaemons>() + rig.count<StartDaemons>(), 0U);
  EXPECT_TRUE(rig.report().verified);
}

TEST(ModeTest, RtcIsLeftAloneWhereConfigured) {
  core::Policy p = policy();
  p.write_rtc = false;
  EngineRig rig(p);
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.stopped();
  rig.observe(rig.ntp());
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.count<WriteRtc>(), 0U);
  EXPECT_EQ(rig.report().rtc, "skipped: write_rtc is off");
}

TEST(ModeTest, PolicyChangesBetweenCorrections) {
  EngineRig rig = with(Mode::observe);
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  EXPECT_EQ(effects(rig), 0U);
  rig.engine.set_policy(policy());
  rig.observe(rig.notice_with_exchange("n2"));
  EXPECT_EQ(rig.steps.size(), 1U);
}

TEST(ModeTest, WhatOffLeftWrongIsCorrectedOnceItIsOnAgain) {
  EngineRig rig = with(Mode::off);
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.observe(rig.rtc());
  EXPECT_EQ(rig.engine.state(), core::ClockState::degraded);
  EXPECT_EQ(effects(rig), 0U);
  rig.engine.set_policy(policy());
  rig.observe(rig.ntp());
  rig.observe(rig.rtc());
  EXPECT_EQ(rig.steps.size(), 1U);
}

}  // namespace
}  // namespace clockmend::engine::test
