// A step that a program makes: when it may, what is booked, and what becomes of its failure.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::ActionKind;
using core::Outcome;
using core::StepBackend;

core::Policy with_program(core::StepFallback fallback = core::StepFallback::builtin) {
  core::Policy p = policy();
  p.step_backend = StepBackend::ntpdate;
  p.step_fallback = fallback;
  return p;
}

struct StepProgram : testing::Test {
  explicit StepProgram(core::Policy p = with_program()) : rig(std::move(p)) {}
  /// Up to the moment when the program runs, or is not run.
  void pause(core::nanoseconds gap = 20s) {
    rig.learn_rtc();
    rig.clock.pause(gap);
    rig.observe(rig.notice("n1"));
    rig.observe(rig.rtc());
    rig.observe(rig.ntp());
    rig.clock.advance(300ms);
    rig.stopped();
    rig.observe(rig.ntp());
  }
  void pause_without_ntp() {
    rig.learn_rtc();
    rig.clock.pause(20s);
    rig.observe(rig.notice_with_exchange("n1"));
    rig.observe(rig.rtc());
    rig.stopped();
    rig.fail(Witness::ntp);
  }
  void steps(core::nanoseconds by) {
    rig.clock.step(by);
    rig.engine.tool_stepped({by});
  }
  void ends(bool ok, const std::string& detail = "ntpdate: done") { rig.tool_ended(ok, detail); }
  [[nodiscard]] const RunStepTool* ran() const {
    for (const Command& c : rig.log)
      if (const auto* t = std::get_if<RunStepTool>(&c)) return t;
    return nullptr;
  }
  EngineRig rig;
};

struct StepProgramOrNothing : StepProgram {
  StepProgramOrNothing() : StepProgram(with_program(core::StepFallback::none)) {}
};

TEST_F(StepProgram, OnlyOnceTheDaemonIsDownAndNtpWasMeasuredAgain) {
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n1"));
  rig.observe(rig.rtc());
  rig.observe(rig.ntp());
  EXPECT_EQ(ran(), nullptr);
  EXPECT_TRUE(rig.steps.empty()) << "restore-first, but not with a program";
  EXPECT_EQ(rig.count<StopDaemons>(), 1U);
  rig.stopped();
  EXPECT_EQ(ran(), nullptr);
  rig.observe(rig.ntp());
  ASSERT_NE(ran(), nullptr);
  EXPECT_EQ(ran()->backend, StepBackend::ntpdate);
  EXPECT_LT(core::magnitude(ran()->expected - core::Offset{20s}), 100ms);
}

TEST_F(StepProgram, TheReportSaysWhatItReallyDid) {
  pause();
  ASSERT_NE(ran(), nullptr);
  steps(20001ms);
  ends(true, "ntpdate: step time server +20.001");
  rig.observe(rig.ntp({}, 1, 1, 2ms));
  rig.rtc_written();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  const auto& r = rig.report();
  EXPECT_EQ(r.outcome, Outcome::corrected);
  EXPECT_EQ(r.reason, "stepped by ntpdate and verified by NTP");
  EXPECT_EQ(r.total.value, 20001ms);
  const auto step = std::ranges::find(r.actions, ActionKind::step, &core::ActionRecord::kind);
  ASSERT_NE(step, r.actions.end());
  EXPECT_EQ(step->offset->value, 20001ms);
  EXPECT_EQ(step->detail, "ntpdate: step time server +20.001");
  EXPECT_TRUE(rig.steps.empty()) << "nothing by us";
  rig.compare();
  EXPECT_EQ(rig.engine.counters().foreign_steps, 0U);
  EXPECT_EQ(rig.engine.counters().steps, 1U);
  EXPECT_EQ(rig.engine.state(), core::ClockState::synchronized);
}

TEST_F(StepProgram, AReadingBetweenItsStepAndItsEndIsNoOtherPause) {
  pause();
  steps(20s);
  rig.observe(rig.rtc());
  rig.compare();
  ends(true);
  rig.finish_well();
  EXPECT_EQ(rig.reports.size(), 1U);
  EXPECT_FALSE(rig.engine.busy()) << "nothing came of it";
}

TEST_F(StepProgram, AnotherAmountThanMeasuredIsTrimmedAndTold) {
  pause();
  steps(23s);
  ends(true);
  rig.observe(rig.ntp({}, 3, 3, 2ms));
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_EQ(rig.steps[0].kind, ActionKind::trim);
  rig.rtc_written();
  rig.started();
  EXPECT_LT(std::abs(rig.error_ms()), 5.0);
  EXPECT_NE(rig.engine.state_reason().find("another amount"), std::string::npos) << rig.engine.state_reason();
}

TEST_F(StepProgram, AFailureIsMeasuredAgainAndSteppedByUs) {
  pause();
  ends(false, "/usr/sbin/ntpdate cannot be run: is it installed?");
  EXPECT_TRUE(rig.steps.empty()) << "never on what was measured before it ran";
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.observe(rig.ntp());
  rig.rtc_written();
  rig.started();
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
  EXPECT_EQ(rig.report().reason, "stepped and verified by NTP; /usr/sbin/ntpdate cannot be run: is it installed?");
  EXPECT_LT(std::abs(rig.error_ms()), 5.0);
}

TEST_F(StepProgram, OneThatFailedAfterItsStepIsNotRepeated) {
  pause();
  steps(20s);
  ends(false, "ntpdate: it did not end by itself");
  rig.observe(rig.ntp());
  EXPECT_TRUE(rig.steps.empty());
  rig.started();
  rig.rtc_written();
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
  EXPECT_EQ(rig.report().total.value, 20s);
}

TEST_F(StepProgram, WithoutNtpBehindItTheStepIsOurs) {
  pause_without_ntp();
  EXPECT_EQ(ran(), nullptr);
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.fail(Witness::ntp);
  rig.rtc_written();
  rig.started();
  EXPECT_NE(rig.report().reason.find("NTP does not stand behind this step"), std::string::npos) << rig.report().reason;
}

TEST_F(StepProgram, NotBesideADaemonThatRunsOn) {
  rig.learn_rtc();
  rig.clock.pause(20s);
  rig.observe(rig.notice("n1"));
  rig.observe(rig.rtc());
  rig.observe(rig.ntp());
  rig.stopped(true, true, true);
  rig.observe(rig.ntp());
  EXPECT_EQ(ran(), nullptr);
  EXPECT_EQ(rig.steps.size(), 1U);
}

TEST_F(StepProgram, TheDaemonsThatWouldBeToldAreStoppedToo) {
  pause();
  for (const Command& c : rig.log) {
    const auto* stop = std::get_if<StopDaemons>(&c);
    EXPECT_TRUE(stop == nullptr || stop->none_may_run);
  }
}

TEST_F(StepProgramOrNothing, AFailureLeavesTheClockAndTheDaemonRuns) {
  pause();
  ends(false, "ntpdate ended with 1 (no server was good enough, or it could not set the clock)");
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.count<StartDaemons>(), 1U);
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::failed);
  EXPECT_NE(rig.report().reason.find("step.fallback is \"none\""), std::string::npos);
  EXPECT_EQ(rig.engine.state(), core::ClockState::degraded);
}

TEST_F(StepProgramOrNothing, WithoutNtpItIsAFailureToo) {
  pause_without_ntp();
  EXPECT_TRUE(rig.steps.empty());
  rig.started();
  EXPECT_EQ(rig.report().outcome, Outcome::failed);
}

TEST(StepProgramByRequest, OneCorrectionOnly) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(20s);
  core::HostNotice request = rig.notice("r1", core::NoticeEvent::resync);
  request.backend = StepBackend::chronyd;
  rig.observe(request);
  rig.observe(rig.rtc());
  rig.observe(rig.ntp());
  rig.stopped();
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.count<RunStepTool>(), 1U);
  rig.clock.step(20s);
  rig.engine.tool_stepped({20s});
  rig.tool_ended(true, "chronyd");
  rig.finish_well();
  EXPECT_EQ(rig.report().reason, "stepped by chronyd and verified by NTP");
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n2"));
  EXPECT_EQ(rig.steps.size(), 1U) << "the next one as configured: at once, by us";
}

TEST(StepProgramByRequest, BuiltinInsteadOfWhatIsConfigured) {
  EngineRig rig(with_program());
  rig.clock.pause(20s);
  core::HostNotice request = rig.notice_with_exchange("r1");
  request.backend = StepBackend::builtin;
  rig.observe(request);
  EXPECT_EQ(rig.steps.size(), 1U);
  EXPECT_EQ(rig.count<RunStepTool>(), 0U);
}

}  // namespace
}  // namespace clockmend::engine::test
