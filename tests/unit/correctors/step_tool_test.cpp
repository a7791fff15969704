// A program that steps: what it did to the clock, by value; its deadline; a machine where it cannot be run.
#include "correctors/backends/step_tool.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_commands.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::correctors {
namespace {

using namespace std::chrono_literals;
using core::StepBackend;

struct StepToolTest : testing::Test {
  void SetUp() override {
    tool.ask_servers([this] { return servers; });
    commands.result = core::CommandResult{0, "step +2 s\n"};
    commands.takes = 2s;
  }
  void run(StepBackend backend = StepBackend::ntpdate) {
    ended.reset();
    tool.run(backend, [this](const StepToolResult& r) { ended = r; });
  }
  core::nanoseconds look() { return tool.look(clock.snapshot()).value; }

  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeCommands commands{scheduler};
  StepServers servers{{"192.0.2.1"}, 123};
  StepTool tool{commands, clock, 20s};
  std::optional<StepToolResult> ended;
};

TEST_F(StepToolTest, EveryStepOfItIsSeenOnce) {
  run();
  EXPECT_EQ(look(), 0ns);
  scheduler.run_for(500ms);
  clock.step(47550ms);
  EXPECT_EQ(look(), 47550ms);
  EXPECT_EQ(look(), 0ns);
  clock.step(-3ms);
  scheduler.run_for(5s);
  EXPECT_EQ(look(), -3ms);
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->ok);
  EXPECT_EQ(ended->detail, "ntpdate: step +2 s");
  EXPECT_EQ(commands.log, std::vector<std::string>{"/usr/sbin/ntpdate -u -b -t 1 192.0.2.1"});
}

TEST_F(StepToolTest, NeitherSlewNorPauseNorSuspendIsAStep) {
  run();
  clock.slew_ppm = 80'000;
  clock.advance(10s);
  EXPECT_EQ(look(), 0ns);
  clock.pause(30s);
  EXPECT_EQ(look(), 0ns);
  clock.suspend(60s);
  EXPECT_EQ(look(), 0ns);
}

// Many looks must not add up what two readings cannot tell, nor lose a slow series of tiny steps.
TEST_F(StepToolTest, WhatTwoReadingsCannotTellIsLeftOpen) {
  clock.bracket = 100us;
  run();
  for (int i = 0; i < 10; ++i) {
    clock.step(50us);
    EXPECT_EQ(look(), 0ns) << i;
  }
  clock.step(150us);
  EXPECT_EQ(look(), 650us);
}

TEST_F(StepToolTest, AfterItsEndAStepIsSomebodyElses) {
  EXPECT_EQ(look(), 0ns);
  clock.step(1s);
  EXPECT_EQ(look(), 0ns) << "before";
  run();
  scheduler.run_for(3s);
  tool.over();
  clock.step(1s);
  EXPECT_EQ(look(), 0ns) << "after";
}

TEST_F(StepToolTest, AHangingOneIsGivenUp) {
  commands.takes = 600s;
  run(StepBackend::ntpd);
  scheduler.run_for(19s);
  EXPECT_FALSE(ended);
  scheduler.run_for(2s);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->ok);
  EXPECT_EQ(ended->detail, "ntpd: it did not end by itself");
  tool.configure(3s);
  run(StepBackend::ntpd);
  scheduler.run_for(4s);
  EXPECT_TRUE(ended);
}

TEST_F(StepToolTest, WithoutAServerNothingIsRun) {
  servers.addresses.clear();
  run();
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->ok);
  EXPECT_TRUE(commands.log.empty());
  clock.step(1s);
  EXPECT_EQ(look(), 0ns) << "no program runs";
}

}  // namespace
}  // namespace clockmend::correctors
