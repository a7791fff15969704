// The order of actions when everything works.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::ActionKind;
using core::ClockState;
using core::Outcome;

std::vector<ActionKind> kinds(const core::CorrectionReport& r) {
  std::vector<ActionKind> out;
  for (const auto& a : r.actions) out.push_back(a.kind);
  return out;
}

/// The spread of the last question to NTP.
core::nanoseconds ntp_asked_within(const EngineRig& rig) {
  core::nanoseconds within{-1};
  for (const Command& c : rig.log)
    if (const auto* a = std::get_if<AskWitness>(&c); a != nullptr && a->witness == Witness::ntp) within = a->within;
  return within;
}

TEST(RestoreFirstTest, NothingIsDecidedBeforeTheRtcHadItsSay) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(47550ms);
  rig.hold_reconsider = true;
  rig.observe(rig.notice_with_exchange("n1"));
  rig.observe(rig.coarse_rtc());
  EXPECT_TRUE(rig.steps.empty());
  rig.reconsider();
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.finish_well();
  EXPECT_EQ(rig.report().estimate->witnesses, 2U);
}

// A thousand guests of one host are resumed at once (DESIGN 8, fleet rule): the proof of a good step is not urgent.
TEST(RestoreFirstTest, TheProofOfAGoodStepIsSpread) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(47550ms);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.stopped();
  ASSERT_EQ(rig.asked(Witness::ntp), 1U);
  EXPECT_GT(ntp_asked_within(rig), 0ms);
  EXPECT_LE(ntp_asked_within(rig), 500ms);
}

TEST(RestoreFirstTest, WholeSequence) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(47550ms);
  rig.observe(rig.notice_with_exchange("n1"));
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
  EXPECT_EQ(rig.count<StopDaemons>(), 1U);
  EXPECT_EQ(rig.engine.state(), ClockState::verifying);
  EXPECT_EQ(rig.asked(Witness::ntp), 0U) << "NTP verifies only after the daemon has stopped";
  rig.clock.advance(600ms);
  rig.stopped();
  EXPECT_EQ(rig.asked(Witness::ntp), 1U);
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.count<WriteRtc>(), 1U);
  EXPECT_EQ(rig.count<StartDaemons>(), 1U) << "RTC and daemon run side by side";
  rig.started();
  EXPECT_TRUE(rig.reports.empty());
  rig.rtc_written();
  ASSERT_EQ(rig.reports.size(), 1U);
  const auto& r = rig.report();
  EXPECT_EQ(r.outcome, Outcome::corrected);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.notices, std::vector<std::string>{"n1"});
  EXPECT_EQ(kinds(r),
            (std::vector{ActionKind::step, ActionKind::stop_daemon, ActionKind::verify, ActionKind::write_rtc, ActionKind::start_daemon}));
  for (const auto& a : r.actions) EXPECT_TRUE(a.ok) << core::to_string(a.kind);
  EXPECT_EQ(r.duration, 600ms);
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
  EXPECT_TRUE(rig.engine.error_bound(rig.clock.snapshot()));
  EXPECT_EQ(rig.engine.counters().corrections, 1U);
}

TEST(RestoreFirstTest, VerificationTrims) {
  EngineRig rig;
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1", 30ms));  // the host is 30 ms off
  rig.stopped();
  rig.observe(rig.ntp({}, 1, 1, 1ms));
  ASSERT_EQ(rig.steps.size(), 2U);
  EXPECT_EQ(rig.steps[1].kind, ActionKind::trim);
  EXPECT_EQ(rig.steps[1].offset.value, -30ms);
  rig.observe(rig.ntp({}, 1, 1, 1ms));  // confirms the residual
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().residual->value, 0ns);
  EXPECT_EQ(rig.report().total.value, 20s);
  EXPECT_EQ(rig.engine.counters().steps, 2U);
}

TEST(RestoreFirstTest, NtpAloneStepsAsSoonAsItAnswers) {
  EngineRig rig;
  rig.clock.pause(20s);
  rig.observe(rig.notice("n1"));
  rig.fail(Witness::rtc);
  EXPECT_TRUE(rig.steps.empty());
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.finish_well();
  EXPECT_TRUE(rig.report().verified);
}

TEST(RestoreFirstTest, CoarseRtcStopsTheDaemonWhileTheEdgeIsSearched) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.coarse_rtc());
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.count<StopDaemons>(), 1U) << "that the clock is wrong is proved already";
  rig.clock.advance(900ms);
  rig.observe(rig.rtc());
  EXPECT_TRUE(rig.steps.empty()) << "NTP has not had its say yet";
  rig.patience();
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
}

TEST(StopFirstTest, NoStepWhileADaemonRuns) {
  core::Policy p = policy();
  p.sequence = core::Sequence::stop_first;
  EngineRig rig(p);
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  EXPECT_EQ(rig.count<StopDaemons>(), 1U);
  rig.observe(rig.ntp());
  rig.observe(rig.rtc());
  EXPECT_TRUE(rig.steps.empty());
  rig.clock.advance(600ms);
  rig.stopped();
  EXPECT_TRUE(rig.steps.empty()) << "NTP is measured again first";
  EXPECT_EQ(ntp_asked_within(rig), 0ms) << "the step waits for it";
  rig.clock.advance(10ms);
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.clock.advance(10ms);
  rig.observe(rig.ntp());
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(kinds(rig.report()),
            (std::vector{ActionKind::stop_daemon, ActionKind::step, ActionKind::verify, ActionKind::write_rtc, ActionKind::start_daemon}));
}

TEST(StopFirstTest, AnswerFromBeforeTheStopIsNotTheMeasurementAfterIt) {
  core::Policy p = policy();
  p.sequence = core::Sequence::stop_first;
  EngineRig rig(p);
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  const auto early = rig.ntp();
  rig.clock.advance(600ms);
  rig.stopped();
  rig.observe(early);
  EXPECT_TRUE(rig.steps.empty());
  rig.fail(Witness::ntp);
  EXPECT_EQ(rig.steps.size(), 1U) << "without NTP the host's word is used, after the stop";
}

TEST(RightClockTest, NoticeWithNothingToDoTouchesNothing) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s, fakes::FakeClock::Pause::counter_ran_on);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
  EXPECT_EQ(rig.report().notices.size(), 1U);
  EXPECT_EQ(rig.count<StopDaemons>() + rig.count<ApplyStep>() + rig.count<WriteRtc>(), 0U);
  EXPECT_EQ(rig.engine.state(), ClockState::synchronized);
}

TEST(RightClockTest, RtcTellsTheExecutorWhetherItNeedsAWrite) {
  EngineRig rig;
  rig.rtc_phase = 3ms;
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.rtc());
  rig.patience();
  rig.stopped();
  rig.observe(rig.ntp());
  const auto write = std::find_if(rig.log.begin(), rig.log.end(), [](const Command& c) { return std::holds_alternative<WriteRtc>(c); });
  ASSERT_NE(write, rig.log.end());
  ASSERT_TRUE(std::get<WriteRtc>(*write).offset);
  EXPECT_LT(core::magnitude(*std::get<WriteRtc>(*write).offset), 5ms);
}

TEST(BackwardTest, SmallOffsetIsLeftToTheRestartedDaemon) {
  EngineRig rig;
  rig.clock.step(300ms);
  rig.compare();
  rig.observe(rig.ntp());
  EXPECT_EQ(rig.count<StopDaemons>(), 1U);
  rig.stopped();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
  EXPECT_EQ(rig.engine.state(), ClockState::degraded) << "it is not right yet";
}

TEST(BackwardTest, SmallOffsetIsSlewedWhereNoDaemonRuns) {
  EngineRig rig;
  rig.engine.set_daemon_active(false);
  rig.clock.step(300ms);
  rig.observe(rig.notice("n1"));
  rig.observe(rig.ntp());
  rig.stopped(false);
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_EQ(rig.steps[0].kind, ActionKind::slew);
  EXPECT_EQ(rig.steps[0].offset.value, -300ms);
  EXPECT_EQ(rig.count<StartDaemons>(), 0U);
  ASSERT_EQ(rig.reports.size(), 1U);
}

}  // namespace
}  // namespace clockmend::engine::test
