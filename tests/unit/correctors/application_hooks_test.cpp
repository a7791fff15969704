#include "correctors/application_hooks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/fake_hooks.hpp"

namespace clockmend::correctors {
namespace {

using namespace std::chrono_literals;
using core::HookPoint;

struct Hooks : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeHooks world{scheduler};
  ApplicationHooks hooks{world, world, scheduler, "/etc/hooks.d", {}};
  std::vector<std::string> notes;
  unsigned failures = 0;
  unsigned released = 0;

  void SetUp() override {
    hooks.on_note([this](const std::string& text, bool failed) {
      notes.push_back(text);
      failures += failed ? 1 : 0;
    });
  }
  void install(HookPoint point, std::vector<std::string> programs) {
    for (std::string& p : programs) p = "/etc/hooks.d/" + std::string(core::to_string(point)) + "/" + p;
    world.folders["/etc/hooks.d/" + std::string(core::to_string(point))].programs = std::move(programs);
    hooks.look();
  }
  void run(HookPoint point, core::nanoseconds patience = 250ms) {
    core::HookFacts facts;
    facts.point = point;
    facts.correction = 7;
    facts.cause = core::Cause::notice;
    facts.offset.value = 47550ms;
    facts.uncertainty = 2ms;
    hooks.run(facts, patience, [this] { ++released; });
  }
  [[nodiscard]] bool noted(const std::string& text) const {
    return std::ranges::any_of(notes, [&](const std::string& n) { return n.find(text) != std::string::npos; });
  }
};

TEST_F(Hooks, WithoutAnyNothingIsRunNorLookedFor) {
  hooks.look();
  const int looked = world.looked;
  EXPECT_FALSE(hooks.any(HookPoint::pre_step));
  run(HookPoint::pre_step);
  EXPECT_EQ(released, 1U) << "at once";
  EXPECT_EQ(world.looked, looked);
  EXPECT_EQ(scheduler.pending(), 0U);
}

TEST_F(Hooks, OneAfterTheOtherInOrder) {
  install(HookPoint::pre_step, {"10-a", "20-b", "30-c"});
  EXPECT_TRUE(hooks.any(HookPoint::pre_step));
  EXPECT_FALSE(hooks.any(HookPoint::post_step));
  run(HookPoint::pre_step);
  EXPECT_EQ(world.log.size(), 1U);
  scheduler.run_for(30ms);
  EXPECT_EQ(world.log.size(), 2U);
  EXPECT_EQ(released, 0U);
  scheduler.run_for(31ms);
  EXPECT_EQ(released, 1U) << "when the last one has ended, not when patience ends";
  EXPECT_EQ(world.log,
            (std::vector<std::string>{"/etc/hooks.d/pre-step/10-a", "/etc/hooks.d/pre-step/20-b", "/etc/hooks.d/pre-step/30-c"}));
  scheduler.run_for(5s);
  EXPECT_EQ(released, 1U);
  EXPECT_EQ(failures, 0U);
}

TEST_F(Hooks, TheStepWaitsNoLongerThanItsPatience) {
  install(HookPoint::pre_step, {"10-slow", "20-next"});
  world.programs["/etc/hooks.d/pre-step/10-slow"].takes = 1s;
  run(HookPoint::pre_step);
  scheduler.run_for(249ms);
  EXPECT_EQ(released, 0U);
  scheduler.run_for(1ms);
  EXPECT_EQ(released, 1U);
  EXPECT_TRUE(noted("waits no longer"));
  scheduler.run_for(2s);
  EXPECT_EQ(world.log.size(), 2U) << "what was begun goes on";
  EXPECT_EQ(released, 1U);
}

TEST_F(Hooks, AFailureOrADeadlineStopsNothing) {
  install(HookPoint::pre_step, {"10-fails", "20-hangs", "30-last"});
  world.programs["/etc/hooks.d/pre-step/10-fails"].result = core::CommandResult{3, "no such account\n\x1b[2Jsecond"};
  world.programs["/etc/hooks.d/pre-step/20-hangs"].takes = 1h;
  run(HookPoint::pre_step, 10s);
  scheduler.run_for(3s);
  EXPECT_EQ(world.log.size(), 3U);
  EXPECT_EQ(released, 1U);
  EXPECT_EQ(failures, 2U);
  EXPECT_TRUE(noted("hooks.d/pre-step/10-fails ended with 3 after 20 ms"));
  EXPECT_TRUE(noted("20-hangs failed after 2000 ms: it did not end by itself"));
  EXPECT_TRUE(noted("10-fails: no such account"));
  EXPECT_TRUE(noted("10-fails: ?[2Jsecond")) << "no control character reaches the journal";
}

TEST_F(Hooks, OutputIsBounded) {
  install(HookPoint::post_step, {"10-talks"});
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::string(5000, 'x') + "\n";
  world.programs["/etc/hooks.d/post-step/10-talks"].result = core::CommandResult{0, text};
  run(HookPoint::post_step);
  scheduler.run_for(1s);
  EXPECT_LE(notes.size(), 9U);
  for (const std::string& n : notes) EXPECT_LT(n.size(), 300U);
}

TEST_F(Hooks, WhatTheyAreTold) {
  install(HookPoint::pre_step, {"a"});
  install(HookPoint::post_step, {"b"});
  run(HookPoint::pre_step);
  scheduler.run_for(1s);
  run(HookPoint::post_step);
  scheduler.run_for(1s);
  ASSERT_EQ(world.environments.size(), 2U);
  EXPECT_EQ(world.environments[0], (std::vector<std::string>{"CLOCKMEND_HOOK=pre-step", "CLOCKMEND_CORRECTION=7", "CLOCKMEND_CAUSE=notice",
                                                             "CLOCKMEND_OFFSET_NS=47550000000", "CLOCKMEND_UNCERTAINTY_NS=2000000"}));
  EXPECT_EQ(world.environments[1].front(), "CLOCKMEND_HOOK=post-step");
  EXPECT_EQ(world.environments[1].back(), "CLOCKMEND_VERIFIED=0");
}

TEST_F(Hooks, PostStepComesAfterASlowPreStep) {
  install(HookPoint::pre_step, {"slow"});
  install(HookPoint::post_step, {"after"});
  world.programs["/etc/hooks.d/pre-step/slow"].takes = 1s;
  run(HookPoint::pre_step, 100ms);
  scheduler.run_for(150ms);
  run(HookPoint::post_step);
  EXPECT_EQ(world.log.size(), 1U);
  scheduler.run_for(2s);
  ASSERT_EQ(world.log.size(), 2U);
  EXPECT_EQ(world.log.back(), "/etc/hooks.d/post-step/after");
}

TEST_F(Hooks, ManyRoundsDoNotPileUp) {
  install(HookPoint::pre_step, {"hangs"});
  world.programs["/etc/hooks.d/pre-step/hangs"].takes = 1h;
  for (int i = 0; i < 100; ++i) run(HookPoint::pre_step, 1h);
  scheduler.run_for(60s);
  EXPECT_LE(world.log.size(), 8U);
  EXPECT_EQ(released, 100U) << "nobody waits for ever";
}

TEST_F(Hooks, SwitchedOffTheyAreNotLookedFor) {
  hooks.configure({false, 2s});
  install(HookPoint::pre_step, {"a"});
  EXPECT_FALSE(hooks.any(HookPoint::pre_step));
  EXPECT_EQ(world.looked, 0);
}

TEST_F(Hooks, AnObjectionIsToldOnce) {
  world.folders["/etc/hooks.d/pre-step"].notes = {"/etc/hooks.d/pre-step/x is not executable: not run"};
  for (int i = 0; i < 5; ++i) hooks.look();
  EXPECT_EQ(notes.size(), 1U);
}

}  // namespace
}  // namespace clockmend::correctors
