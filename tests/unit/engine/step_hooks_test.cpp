// Programs of applications before and after a step.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::HookPoint;
using core::Outcome;

core::Policy with_hooks(core::milliseconds wait = 250ms) {
  core::Policy p = policy();
  p.pre_step_hooks = p.post_step_hooks = true;
  p.pre_step_wait = wait;
  return p;
}

std::vector<core::HookFacts> told(const EngineRig& rig) {
  std::vector<core::HookFacts> facts;
  for (const Command& c : rig.log)
    if (const auto* h = std::get_if<RunHooks>(&c)) facts.push_back(h->facts);
  return facts;
}

void pause(EngineRig& rig, core::nanoseconds gap = 47550ms) {
  rig.learn_rtc();
  rig.clock.pause(gap);
  rig.observe(rig.notice_with_exchange("n1"));
}

TEST(StepHooksTest, WithoutAnyNobodyIsTold) {
  EngineRig rig;
  pause(rig);
  rig.finish_well();
  EXPECT_EQ(rig.count<RunHooks>(), 0U);
}

TEST(StepHooksTest, TheStepWaitsForThem) {
  EngineRig rig{with_hooks()};
  pause(rig);
  ASSERT_EQ(told(rig).size(), 1U);
  EXPECT_EQ(told(rig)[0].point, HookPoint::pre_step);
  EXPECT_EQ(told(rig)[0].correction, 1U);
  EXPECT_EQ(told(rig)[0].cause, core::Cause::notice);
  EXPECT_NEAR(static_cast<double>(told(rig)[0].offset.value.count()) / 1e9, 47.55, 0.01);
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.count<StopDaemons>(), 1U) << "the time is used";
  rig.clock.advance(100ms);
  rig.hooks_done(1);
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
  rig.finish_well();
  EXPECT_EQ(rig.report().outcome, Outcome::corrected);
  ASSERT_EQ(told(rig).size(), 2U);
  EXPECT_EQ(told(rig)[1].point, HookPoint::post_step);
  EXPECT_TRUE(told(rig)[1].verified);
  EXPECT_EQ(told(rig)[1].offset, rig.report().total);
}

TEST(StepHooksTest, PostStepIsNotHeldUpByTheRestOfTheCorrection) {
  EngineRig rig{with_hooks()};
  pause(rig);
  rig.hooks_done(1);
  rig.stopped();
  rig.clock.advance(20ms);
  rig.observe(rig.ntp());
  EXPECT_EQ(told(rig).size(), 2U) << "verified: neither RTC nor time daemon is waited for";
  EXPECT_TRUE(rig.reports.empty());
  rig.rtc_written();
  rig.started();
  EXPECT_EQ(told(rig).size(), 2U);
}

TEST(StepHooksTest, WithoutAWaitTheyAreOnlyStarted) {
  EngineRig rig{with_hooks(0ms)};
  pause(rig);
  EXPECT_EQ(told(rig).size(), 1U);
  EXPECT_EQ(rig.steps.size(), 1U);
}

// Somebody sets the clock while they run: the step is decided anew, not applied on top.
TEST(StepHooksTest, WhatHappensMeanwhileCounts) {
  EngineRig rig{with_hooks()};
  pause(rig, 20s);
  rig.clock.advance(50ms);
  rig.clock.step(20s);
  rig.compare();
  rig.hooks_done(1);
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
  rig.stopped();
  rig.started();
  ASSERT_EQ(rig.reports.size(), 1U);
  ASSERT_EQ(told(rig).size(), 2U) << "who was told before is told that it is over";
  EXPECT_EQ(told(rig)[1].offset.value, 0ns);
}

TEST(StepHooksTest, ALateWordOfAnEarlierCorrectionStartsNothing) {
  EngineRig rig{with_hooks()};
  pause(rig);
  rig.hooks_done(1);
  rig.finish_well();
  rig.clock.pause(20s);
  rig.observe(rig.notice_with_exchange("n2"));
  const std::size_t before = rig.steps.size();
  rig.hooks_done(1);
  EXPECT_EQ(rig.steps.size(), before);
  rig.hooks_done(2);
  EXPECT_EQ(rig.steps.size(), before + 1);
}

TEST(StepHooksTest, ObservingTellsNobody) {
  core::Policy p = with_hooks();
  p.mode = core::Mode::observe;
  EngineRig rig{p};
  pause(rig);
  EXPECT_EQ(rig.report().outcome, Outcome::observed);
  EXPECT_TRUE(told(rig).empty());
}

TEST(StepHooksTest, WithStopFirstTheyRunWhenTheDaemonIsDown) {
  core::Policy p = with_hooks();
  p.sequence = core::Sequence::stop_first;
  EngineRig rig{p};
  pause(rig);
  EXPECT_TRUE(told(rig).empty());
  rig.stopped();
  rig.observe(rig.ntp());
  EXPECT_EQ(told(rig).size(), 1U);
  EXPECT_TRUE(rig.steps.empty());
  rig.hooks_done(1);
  EXPECT_EQ(rig.steps.size(), 1U);
}

}  // namespace
}  // namespace clockmend::engine::test
