// Notices: joining, coming late, each answered by exactly one report.
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::NoticeEvent;
using core::Outcome;

std::map<std::string, int> answers(const EngineRig& rig) {
  std::map<std::string, int> n;
  for (const auto& r : rig.reports)
    for (const auto& id : r.notices) ++n[id];
  return n;
}

TEST(NoticeTest, JoiningBeforeTheStepIsAnsweredByTheSameReport) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.coarse_rtc());
  rig.observe(rig.notice("n1"));
  rig.observe(rig.notice_with_exchange("n2"));
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.finish_well();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().notices, (std::vector<std::string>{"n1", "n2"}));
  EXPECT_EQ(rig.report().discontinuity.cause, core::Cause::notice);
  EXPECT_EQ(rig.engine.counters().notices_coalesced, 2U);
}

TEST(NoticeTest, AfterTheStepItGetsASecondCorrection) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.patience();
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.observe(rig.notice_with_exchange("late"));
  EXPECT_TRUE(rig.reports.empty());
  rig.finish_well();
  ASSERT_EQ(rig.reports.size(), 2U) << "the host's own word suffices to see that nothing is left to do";
  EXPECT_TRUE(rig.reports[0].notices.empty());
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
  EXPECT_EQ(rig.report().notices, std::vector<std::string>{"late"});
}

TEST(NoticeTest, ExchangeFromBeforeTheStepIsNotAppliedTwice) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  const core::HostNotice early = rig.notice_with_exchange("late");  // measured before, delivered after the step
  rig.observe(rig.rtc());
  rig.patience();
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.observe(early);
  rig.finish_well();
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
  EXPECT_EQ(answers(rig)["late"], 1);
}

TEST(NoticeTest, LateNoticesAreAnsweredTogetherAndTheNewestCounts) {
  EngineRig rig;
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n0"));
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.clock.pause(7s);  // a second pause while the daemon is being stopped
  rig.observe(rig.notice_with_exchange("n2"));
  rig.stopped();
  rig.fail(Witness::ntp);
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  ASSERT_EQ(rig.steps.size(), 2U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0) << "n2 measured it, n1 is from before the second pause";
  rig.finish_well();
  EXPECT_EQ(rig.report().notices, (std::vector<std::string>{"n1", "n2"}));
}

TEST(NoticeTest, StormIsAnsweredOnceEachAndBounded) {
  EngineRig rig;
  rig.clock.pause(20s);
  rig.observe(rig.notice("n0"));
  for (int i = 1; i < 300; ++i) rig.observe(rig.notice("n" + std::to_string(i)));
  EXPECT_GT(rig.engine.counters().notices_dropped, 0U);
  for (int round = 0; round < 10 && rig.engine.busy(); ++round) {
    rig.observe(rig.ntp());
    if (rig.engine.state() == core::ClockState::verifying) rig.finish_well();
  }
  EXPECT_FALSE(rig.engine.busy());
  const auto n = answers(rig);
  EXPECT_EQ(n.size() + rig.engine.counters().notices_dropped, 300U);
  for (const auto& [id, times] : n) EXPECT_EQ(times, 1) << id;
  EXPECT_EQ(n.count("n299"), 1U) << "the newest is never the one dropped";
  EXPECT_EQ(rig.steps.size(), 1U);
}

TEST(NoticeTest, EveryNoticeOfARightClockIsAnswered) {
  EngineRig rig;
  for (int i = 0; i < 20; ++i) {
    rig.observe(rig.notice("n" + std::to_string(i)));
    rig.observe(rig.ntp());
    rig.clock.advance(10s);
  }
  EXPECT_EQ(rig.reports.size(), 20U);
  EXPECT_EQ(rig.engine.counters().no_actions, 20U);
}

TEST(NoticeTest, PausingTakesBaselinesAndOpensNothing) {
  EngineRig rig;
  core::HostNotice n = rig.notice_with_exchange("p", 300ms);  // the host is 300 ms wrong, and we know now
  n.event = NoticeEvent::pausing;
  rig.observe(n);
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_EQ(rig.count<AskWitnesses>(), 1U);
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("r", 300ms));
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0) << "restored by the difference";
}

TEST(NoticeTest, AnotherHostsErrorDoesNotCancel) {
  for (const bool by_epoch : {true, false}) {
    EngineRig rig;
    core::HostNotice before = rig.notice_with_exchange("p", 300ms);
    before.event = NoticeEvent::pausing;
    before.epoch = "host-a";
    rig.observe(before);
    rig.clock.pause(20s);
    core::HostNotice after = rig.notice_with_exchange("r", 5ms);
    after.epoch = by_epoch ? "host-b" : "host-a";
    if (!by_epoch) after.event = NoticeEvent::migrated;
    rig.observe(after);
    ASSERT_EQ(rig.steps.size(), 1U);
    EXPECT_LT(std::abs(rig.error_ms()), 10.0);
  }
}

TEST(NoticeTest, MoveToldLaterWidensWhatTheRtcSaidBefore) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.rtc_phase += 700ms;  // the restore moved it
  rig.observe(rig.coarse_rtc());
  rig.hold_reconsider = true;
  core::HostNotice n = rig.notice_with_exchange("n1");
  n.event = NoticeEvent::restored;
  rig.observe(n);
  rig.observe(rig.rtc());
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
}

TEST(NoticeTest, NoWitnessAtAllIsRefusedAndAnswered) {
  EngineRig rig;
  rig.clock.pause(20s);
  rig.observe(rig.notice("n1"));
  rig.fail(Witness::rtc);
  rig.fail(Witness::ntp);
  rig.deadline();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::refused);
  EXPECT_EQ(rig.engine.state(), core::ClockState::refused);
}

}  // namespace
}  // namespace clockmend::engine::test
