// restart, nudge, leave: what becomes of a daemon that runs.
#include <gtest/gtest.h>

#include "tests/unit/correctors/daemons_rig.hpp"

namespace clockmend::correctors::test {
namespace {

using core::DaemonAction;

struct DaemonActions : testing::Test {
  void SetUp() override {
    rig.services.add("chrony.service", true);
    rig.services.alias("chronyd.service", "chrony.service");
  }
  fakes::FakeServices::Unit& chrony() { return rig.services.unit("chrony.service"); }
  UnitOutcome round() {
    units = *rig.refresh();
    EXPECT_EQ(units.size(), 1U);
    stopped = rig.stop(units).front();
    return rig.start(units).front();
  }
  void configure(DaemonAction action) {
    core::DaemonSettings settings;
    settings.action = action;
    rig.daemons.configure(settings);
  }
  DaemonsRig rig;
  TimeDaemons::Units units;
  UnitOutcome stopped;
};

TEST_F(DaemonActions, ANudgedChronydIsNeverStoppedAndTold) {
  configure(DaemonAction::nudge);
  const std::string run = chrony().state.invocation_id;
  const UnitOutcome outcome = round();
  EXPECT_TRUE(stopped.ok);
  EXPECT_EQ(stopped.detail, "runs on, to be told");
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.detail, "runs on and was told");
  EXPECT_EQ(chrony().state.invocation_id, run);
  EXPECT_TRUE(rig.services.log.empty());
  EXPECT_EQ(rig.commands.log, std::vector<std::string>{"/usr/bin/chronyc -n -m reset sources burst 4/8"});
}

TEST_F(DaemonActions, OneThatCannotBeToldIsRestarted) {
  configure(DaemonAction::nudge);
  const std::vector<std::pair<core::Result<core::CommandResult>, std::string>> rows{
      {core::Error{core::ErrorCode::not_found, "no"}, "could not be told (/usr/bin/chronyc cannot be run: is it installed?)"},
      {core::Error{core::ErrorCode::unavailable, "no bus"}, "could not be told (chronyc: no bus)"},
      {core::CommandResult{1, "506 Cannot talk to daemon\nmore\n"}, "could not be told (chronyc ended with 1: 506 Cannot talk to daemon)"},
      {core::CommandResult{1, std::string("\n\x1b[2J") + std::string(5000, 'x')}, "could not be told (chronyc ended with 1: ?[2Jxxx"},
      {core::CommandResult{2, ""}, "could not be told (chronyc ended with 2: no output)"}};
  for (const auto& [result, text] : rows) {
    rig.services.log.clear();
    rig.commands.result = result;
    const std::string run = chrony().state.invocation_id;
    const UnitOutcome outcome = round();
    EXPECT_TRUE(outcome.ok);
    EXPECT_TRUE(outcome.detail.starts_with("running; it " + text)) << outcome.detail;
    EXPECT_LT(outcome.detail.size(), 250U);
    EXPECT_NE(chrony().state.invocation_id, run);
    EXPECT_EQ(rig.services.log, (std::vector<std::string>{"stop chrony.service", "start chrony.service"}));
    rig.scheduler.run_for(310ms);
    ASSERT_TRUE(rig.confirmed.has_value());
    EXPECT_EQ(rig.confirmed->size(), 1U) << "a restart is looked at once more";
  }
}

TEST_F(DaemonActions, AToolThatHangsEndsAtTheDeadline) {
  configure(DaemonAction::nudge);
  rig.commands.takes = 60s;
  const UnitOutcome outcome = round();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.detail.find("running; it could not be told"), 0U) << outcome.detail;
  EXPECT_TRUE(chrony().state.running());
}

TEST_F(DaemonActions, ARestartThatFailsAfterwardsIsTriedAgainWithTheSameUnits) {
  configure(DaemonAction::nudge);
  rig.commands.result = core::CommandResult{1, "no"};
  chrony().start_error = core::Error{core::ErrorCode::io, "exec failed"};
  UnitOutcome outcome = round();
  EXPECT_FALSE(outcome.ok);
  EXPECT_TRUE(outcome.retry);
  chrony().start_error.reset();
  outcome = rig.start(units).front();
  EXPECT_TRUE(outcome.ok) << outcome.detail;
  EXPECT_TRUE(chrony().state.running()) << "we stopped it, so it is not somebody else's stop";
}

TEST_F(DaemonActions, WhatSomebodyStoppedMeanwhileStaysStopped) {
  for (const DaemonAction action : {DaemonAction::nudge, DaemonAction::leave}) {
    configure(action);
    rig.services.run(chrony());
    units = *rig.refresh();
    (void)rig.stop(units);
    rig.services.rest(chrony(), "inactive");
    (void)rig.start(units);
    EXPECT_FALSE(chrony().state.running());
    EXPECT_TRUE(rig.services.log.empty());
    EXPECT_TRUE(rig.commands.log.empty());
  }
}

TEST_F(DaemonActions, ANudgedOneThatDiedIsStarted) {
  configure(DaemonAction::nudge);
  units = *rig.refresh();
  (void)rig.stop(units);
  rig.services.rest(chrony(), "failed", "exit-code");
  EXPECT_EQ(rig.start(units).front().detail, "running");
  EXPECT_TRUE(rig.commands.log.empty());
}

TEST_F(DaemonActions, OneThatIsLeftIsOnlyReported) {
  configure(DaemonAction::leave);
  UnitOutcome outcome = round();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(stopped.detail, "left alone: active (running)");
  EXPECT_EQ(outcome.detail, "left alone: active (running)");
  rig.services.rest(chrony(), "failed", "exit-code");
  outcome = round();
  EXPECT_EQ(outcome.detail, "left alone: failed (exit-code)") << "neither stopped nor started, even when it died";
  EXPECT_TRUE(rig.services.log.empty());
  EXPECT_TRUE(rig.commands.log.empty());
}

TEST_F(DaemonActions, OneUnitMayDifferUnderAnyOfItsNames) {
  for (const char* name : {"chrony.service", "chronyd.service"}) {
    core::DaemonSettings settings;
    settings.action = DaemonAction::leave;
    settings.restart = {name};
    rig.daemons.configure(settings);
    EXPECT_EQ(rig.refresh()->front().action, DaemonAction::restart) << name;
  }
}

TEST(DaemonActionsOf, WithoutADecisionEachHasWhatMeasuredBest) {
  const std::vector<std::pair<std::string, DaemonAction>> rows{{"chrony.service", DaemonAction::nudge},
                                                               {"chronyd.service", DaemonAction::nudge},
                                                               {"systemd-timesyncd.service", DaemonAction::restart},
                                                               {"ntpsec.service", DaemonAction::restart},
                                                               {"ntpd.service", DaemonAction::restart},
                                                               {"openntpd.service", DaemonAction::restart},
                                                               {"ntpd-rs.service", DaemonAction::restart},
                                                               {"own-time.service", DaemonAction::restart}};
  for (const auto& [unit, action] : rows) {
    core::DaemonSettings settings;
    if (unit == "own-time.service") settings.unit = unit;
    DaemonsRig rig(settings);
    rig.services.add(unit, true);
    EXPECT_EQ(rig.refresh()->front().action, action) << unit;
  }
}

TEST(DaemonActionsOf, ADaemonThatCannotBeToldIsRestarted) {
  core::DaemonSettings settings;
  settings.action = DaemonAction::nudge;
  DaemonsRig rig(settings);
  rig.debian_ntpsec();
  EXPECT_EQ(rig.refresh()->front().action, DaemonAction::restart);
}

TEST(DaemonActionsOf, WithoutAWayToRunProgramsChronydIsRestarted) {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeServices services{scheduler};
  services.add("chrony.service", true);
  core::DaemonSettings settings;
  settings.action = DaemonAction::nudge;
  TimeDaemons daemons(services, scheduler, settings);
  TimeDaemons::Units units;
  daemons.refresh([&](const core::Result<TimeDaemons::Units>& found) { units = *found; });
  scheduler.run_for(1s);
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(units.front().action, DaemonAction::restart);
}

TEST(DaemonActionsOf, TimesyncdNoticesByItself) {
  core::DaemonSettings settings;
  settings.action = DaemonAction::nudge;
  DaemonsRig rig(settings);
  rig.services.add("systemd-timesyncd.service", true);
  const auto units = *rig.refresh();
  (void)rig.stop(units);
  EXPECT_EQ(rig.start(units).front().detail, "runs on and was told");
  EXPECT_TRUE(rig.services.log.empty());
  EXPECT_TRUE(rig.commands.log.empty());
}

TEST(DaemonActionsOf, ReplyAfterTheEndIsHarmless) {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeServices services{scheduler};
  fakes::FakeCommands commands{scheduler};
  services.add("chrony.service", true);
  int answers = 0;
  {
    TimeDaemons daemons(services, scheduler, {}, {nullptr, &commands});
    TimeDaemons::Units units{{"chrony.service", "run1", DaemonKind::chronyd, {}, DaemonAction::nudge}};
    daemons.start(units, [&](const std::vector<UnitOutcome>&) { ++answers; });
    scheduler.run_for(20ms);
    EXPECT_EQ(commands.log.size(), 1U);
  }
  scheduler.run_for(5s);
  EXPECT_EQ(answers, 0);
}

}  // namespace
}  // namespace clockmend::correctors::test
