// What status tells of the time daemons after a correction.
#include "agent/app/daemon_health.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_commands.hpp"
#include "tests/fakes/fake_scheduler.hpp"
#include "tests/fakes/fake_services.hpp"

namespace clockmend::app {
namespace {

using namespace std::chrono_literals;

struct DaemonHealth : testing::Test {
  core::DaemonStatus told() {
    const auto all = daemon_status(daemons, watch, "");
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? core::DaemonStatus{} : all.front();
  }
  void SetUp() override {
    services.add("chrony.service", true);
    core::DaemonSettings settings;
    settings.action = core::DaemonAction::nudge;
    daemons.configure(settings);
    daemons.refresh([this](const core::Result<correctors::TimeDaemons::Units>& found) { units = *found; });
    scheduler.run_for(1s);
  }
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeServices services{scheduler};
  fakes::FakeCommands commands{scheduler};
  correctors::TimeDaemons daemons{services, scheduler, {}, {nullptr, &commands}};
  correctors::SyncWatch watch{clock, scheduler};
  correctors::TimeDaemons::Units units;
};

TEST_F(DaemonHealth, BeforeTheFirstCorrectionThereIsNothingToTell) {
  EXPECT_EQ(told().action, "nudge");
  EXPECT_EQ(told().health, "");
  EXPECT_TRUE(told().running);
}

TEST_F(DaemonHealth, WhatWasDoneAndWhetherItHelped) {
  daemons.start(units, [](const std::vector<correctors::UnitOutcome>&) {});
  scheduler.run_for(1s);
  clock.status.max_error = 16s;
  watch.begin({});
  EXPECT_EQ(told().health, "runs on and was told, not yet synchronising");
  scheduler.run_for(3500ms);
  clock.status.max_error = 5ms;
  scheduler.run_for(1s);
  EXPECT_EQ(told().health, "runs on and was told, synchronising again after 4 s");
  watch.begin({});
  scheduler.run_for(1h);
  EXPECT_EQ(told().health, "runs on and was told, still not synchronising half an hour later");
}

TEST_F(DaemonHealth, ARestartHasAnotherInvocation) {
  commands.result = core::CommandResult{1, "no"};
  const std::string before = told().invocation_id;
  daemons.start(units, [](const std::vector<correctors::UnitOutcome>&) {});
  scheduler.run_for(2s);
  EXPECT_NE(told().invocation_id, before);
  EXPECT_TRUE(told().health.starts_with("running; it could not be told")) << told().health;
}

}  // namespace
}  // namespace clockmend::app
