// Services that programs start, stop and ask for.
#include "correctors/time_daemon/command_services.hpp"

#include <gtest/gtest.h>

#include "tests/unit/correctors/daemons_rig.hpp"

namespace clockmend::correctors::test {
namespace {

using core::ErrorCode;

struct CommandServicesTest : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeCommands commands{scheduler};

  core::Result<core::UnitState> ask(CommandServices& services, int code) {
    commands.result = core::CommandResult{code, ""};
    std::optional<core::Result<core::UnitState>> answer;
    services.query("ntp.service", 4s, [&](core::Result<core::UnitState> state) { answer = std::move(state); });
    scheduler.run_for(5s);
    return answer ? *answer : core::Error{ErrorCode::io, "no answer"};
  }
};

TEST_F(CommandServicesTest, TheLsbsExitCodesAreUnderstood) {
  CommandServices services{commands, init_scripts({})};
  EXPECT_TRUE(ask(services, 0)->running());
  EXPECT_EQ(ask(services, 1)->active_state, "failed");
  EXPECT_EQ(ask(services, 2)->active_state, "failed");
  EXPECT_EQ(ask(services, 3)->active_state, "inactive");
  EXPECT_EQ(ask(services, 4).error().code, ErrorCode::unavailable);
  EXPECT_EQ(ask(services, 5).error().code, ErrorCode::not_found);
  EXPECT_EQ(ask(services, 143).error().text, "ntp.service: its status is unknown (exit code 143)");
  EXPECT_EQ(commands.log.front(), "/etc/init.d/ntp status");
}

TEST_F(CommandServicesTest, SoAreThoseOfOpenrc) {
  CommandServices services{commands, openrc_scripts("/sbin/rc-service", {})};
  EXPECT_TRUE(ask(services, 0)->running());
  EXPECT_EQ(ask(services, 1).error().code, ErrorCode::unavailable);
  EXPECT_EQ(ask(services, 3)->active_state, "inactive");
  EXPECT_EQ(ask(services, 4)->active_state, "deactivating");
  EXPECT_EQ(ask(services, 8)->active_state, "activating");
  EXPECT_EQ(ask(services, 16)->active_state, "activating");
  EXPECT_EQ(ask(services, 32)->active_state, "failed");
  EXPECT_EQ(ask(services, 32)->result, "crashed");
}

TEST_F(CommandServicesTest, AStopIsProvedByTheStatusAfterIt) {
  CommandServices services{commands, openrc_scripts("/usr/sbin/rc-service", {})};
  commands.on_run = [this](const std::string& line) {
    commands.result = core::CommandResult{line == "/usr/sbin/rc-service ntp stop" ? 0 : 3, ""};
  };
  std::optional<core::Result<core::UnitState>> answer;
  services.stop("ntp.service", 10s, [&](core::Result<core::UnitState> state) { answer = std::move(state); });
  scheduler.run_for(1s);
  ASSERT_TRUE(answer && answer->ok());
  EXPECT_EQ((*answer)->active_state, "inactive");
  EXPECT_EQ(commands.log, (std::vector<std::string>{"/usr/sbin/rc-service ntp stop", "/etc/init.d/ntp status"}));
}

TEST_F(CommandServicesTest, WhatTheScriptSaysOfItsFailureIsTold) {
  CommandServices services{commands, init_scripts({})};
  commands.result = core::CommandResult{1, "\n * no such \x1b[31mdevice\nmore"};
  std::optional<core::Result<core::UnitState>> answer;
  services.start("ntp.service", 10s, [&](core::Result<core::UnitState> state) { answer = std::move(state); });
  scheduler.run_for(1s);
  ASSERT_TRUE(answer && !answer->ok());
  EXPECT_EQ(answer->error().text, "ntp.service: start ended with 1: * no such ?[31mdevice");
}

TEST_F(CommandServicesTest, TheDeadlineHoldsForBothPrograms) {
  CommandServices services{commands, init_scripts({})};
  for (const auto& [takes, answered] : {std::pair{60s, 7500ms}, std::pair{7s, 10000ms}}) {
    commands.takes = takes;
    std::optional<core::nanoseconds> took;
    const auto begun = scheduler.now();
    services.stop("ntp.service", 10s, [&](const core::Result<core::UnitState>& state) {
      EXPECT_EQ(state.error().code, ErrorCode::timeout);
      took = scheduler.now() - begun;
    });
    scheduler.run_for(70s);
    ASSERT_TRUE(took.has_value());
    EXPECT_LE(*took, core::nanoseconds{answered} + 1s);
    EXPECT_LE(*took, 10s);
  }
}

TEST_F(CommandServicesTest, AScriptThatMustNotBeExecutedIsMasked) {
  CommandServices services{commands, init_scripts({})};
  commands.result = core::Error{ErrorCode::not_permitted, "Permission denied"};
  std::optional<core::Result<core::UnitState>> answer;
  services.query("ntp.service", 4s, [&](core::Result<core::UnitState> state) { answer = std::move(state); });
  scheduler.run_for(1s);
  ASSERT_TRUE(answer && answer->ok());
  EXPECT_EQ((*answer)->load_state, "masked");
}

struct Scripted : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeCommands commands{scheduler};
  fakes::FakeServices systemd{scheduler};
  bool down = false;
  CommandServices scripts{commands, init_scripts([this] { return down; })};
  bool runs = true;
  int dead = 3;  // what its status says when it does not run

  void SetUp() override {
    commands.on_run = [this](const std::string& line) {
      const bool ours = line.starts_with("/etc/init.d/ntp ") || line.starts_with("/opt/time ");
      if (ours && line.ends_with("stop")) runs = false;
      if (ours && line.ends_with("start")) runs = true;
      const int code = line.ends_with("status") && !runs ? dead : 0;
      commands.result = ours ? core::Result<core::CommandResult>(core::CommandResult{code, ""}) : core::Error{ErrorCode::not_found, "no"};
    };
  }
  TimeDaemons::Units refresh(TimeDaemons& daemons) {
    TimeDaemons::Units found;
    daemons.refresh([&](core::Result<TimeDaemons::Units> units) {
      ASSERT_TRUE(units.ok()) << units.error().text;
      found = *units;
    });
    scheduler.run_for(4s);
    return found;
  }
  std::string stop(TimeDaemons& daemons, const TimeDaemons::Units& units) {
    std::string said;
    daemons.stop(units, [&](const std::vector<UnitOutcome>& outcomes) { said = outcomes.front().detail; });
    scheduler.run_for(15s);
    return said;
  }
  std::string start(TimeDaemons& daemons, const TimeDaemons::Units& units) {
    std::string said;
    daemons.start(units, [&](const std::vector<UnitOutcome>& outcomes) { said = outcomes.front().detail; });
    scheduler.run_for(15s);
    return said;
  }
};

TEST_F(Scripted, ARoundByInitScripts) {
  TimeDaemons daemons{scripts, scheduler, {}, {nullptr, &commands}};
  const auto units = refresh(daemons);
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(units.front().unit, "ntp.service");
  EXPECT_EQ(units.front().kind, DaemonKind::ntpd);
  EXPECT_EQ(stop(daemons, units), "stopped");
  EXPECT_FALSE(runs);
  EXPECT_EQ(start(daemons, units), "running");
  EXPECT_TRUE(runs);
  EXPECT_EQ(start(daemons, units), "already running");
  runs = false;
  down = true;
  EXPECT_EQ(start(daemons, units), "skipped: the system is going down");
}

TEST_F(Scripted, OneThatDiedOfTheGapIsStartedAndOneThatWasStoppedIsNot) {
  TimeDaemons daemons{scripts, scheduler, {}, {nullptr, &commands}};
  ASSERT_EQ(refresh(daemons).size(), 1U);
  runs = false;
  dead = 1;
  const auto units = refresh(daemons);
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(stop(daemons, units), "had died: failed (died)");
  EXPECT_EQ(start(daemons, units), "running");
  runs = false;
  dead = 3;
  EXPECT_TRUE(refresh(daemons).empty());
}

TEST_F(Scripted, AStopThatHangsIsTakenBack) {
  TimeDaemons daemons{scripts, scheduler, {}, {nullptr, &commands}};
  const auto units = refresh(daemons);
  commands.takes = 60s;
  const std::string said = stop(daemons, units);
  EXPECT_TRUE(said.ends_with("asked to start again")) << said;
  EXPECT_EQ(commands.log.back(), "/etc/init.d/ntp start");
}

TEST_F(Scripted, TheOperatorsCommandsStandForAUnit) {
  core::DaemonSettings settings;
  settings.command_status = {"/opt/time", "status"};
  settings.command_stop = {"/opt/time", "stop"};
  settings.command_start = {"/opt/time", "start"};
  systemd.add("ntpsec.service", true);
  TimeDaemons daemons{systemd, scheduler, settings, {nullptr, &commands}};
  const auto units = refresh(daemons);
  ASSERT_EQ(units.size(), 1U) << "what else runs is not theirs";
  EXPECT_EQ(units.front().unit, "configured-commands");
  EXPECT_EQ(stop(daemons, units), "stopped");
  EXPECT_FALSE(runs);
  EXPECT_EQ(start(daemons, units), "running");
  EXPECT_TRUE(runs);
  EXPECT_TRUE(systemd.log.empty());
  runs = false;
  EXPECT_TRUE(refresh(daemons).empty()) << "what did not run before is not started";
  daemons.configure({});
  EXPECT_EQ(refresh(daemons).front().unit, "ntpsec.service");
}

}  // namespace
}  // namespace clockmend::correctors::test
