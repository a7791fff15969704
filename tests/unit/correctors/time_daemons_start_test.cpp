// Starting: exactly what was stopped, with proof, and nothing that somebody else decided meanwhile.
#include <gtest/gtest.h>

#include "tests/unit/correctors/daemons_rig.hpp"

namespace clockmend::correctors::test {
namespace {

struct TimeDaemonsStart : testing::Test {
  void SetUp() override {
    rig.debian_ntpsec();
    units = *rig.refresh();
    ASSERT_EQ(rig.stop(units).size(), 1U);
    rig.services.log.clear();
  }
  fakes::FakeServices::Unit& ntpsec() { return rig.services.unit("ntpsec.service"); }
  UnitOutcome start() {
    const auto outcomes = rig.start(units);
    EXPECT_EQ(outcomes.size(), 1U);
    return outcomes.empty() ? UnitOutcome{} : outcomes[0];
  }
  DaemonsRig rig;
  TimeDaemons::Units units;
};

TEST_F(TimeDaemonsStart, ProvedAtOnceAndConfirmedALittleLater) {
  const UnitOutcome outcome = start();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.detail, "running");
  EXPECT_NE(outcome.state.invocation_id, units[0].invocation_id);
  EXPECT_LE(rig.took, 410ms);  // the start itself and two round trips
  EXPECT_FALSE(rig.confirmed.has_value());
  rig.scheduler.run_for(310ms);
  ASSERT_TRUE(rig.confirmed.has_value());
  EXPECT_TRUE(rig.confirmed->front().ok);
  EXPECT_EQ(rig.services.log, std::vector<std::string>{"start ntpsec.service"});
  EXPECT_TRUE(rig.daemons.known()[0].state.running());
}

TEST_F(TimeDaemonsStart, ADaemonThatDiesAtOnceIsFoundOut) {
  ntpsec().dies_after = 100ms;
  EXPECT_TRUE(start().ok);
  rig.scheduler.run_for(310ms);
  ASSERT_TRUE(rig.confirmed.has_value());
  EXPECT_FALSE(rig.confirmed->front().ok);
  EXPECT_EQ(rig.confirmed->front().detail, "failed: it is failed (exit-code) right after its start");
  EXPECT_EQ(rig.daemons.known()[0].state.active_state, "failed");
  // The next correction may try again: that run was our own, not somebody else's.
  ntpsec().dies_after.reset();
  EXPECT_EQ(start().detail, "running");
}

TEST_F(TimeDaemonsStart, AStartThatFailsIsReported) {
  ntpsec().after_start = "failed";
  UnitOutcome outcome = start();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.detail, "failed: it is failed (exit-code) after its start");
  ntpsec().after_start = "exited";
  outcome = start();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.detail, "failed: it is active (exited) after its start");
}

TEST_F(TimeDaemonsStart, OneThatWillNotStartInTimeIsReported) {
  ntpsec().start_takes = 60s;
  const UnitOutcome outcome = start();
  EXPECT_FALSE(outcome.ok);
  EXPECT_NE(outcome.detail.find("did not start within"), std::string::npos);
  EXPECT_LE(rig.took, 13s);
}

TEST_F(TimeDaemonsStart, AMaskedUnitIsLeft) {
  ntpsec().state.load_state = "masked";
  const UnitOutcome outcome = start();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.detail, "skipped: it was masked meanwhile");
  EXPECT_TRUE(rig.services.log.empty());
}

TEST_F(TimeDaemonsStart, NothingIsStartedWhileTheSystemGoesDown) {
  rig.services.stopping = true;
  const UnitOutcome outcome = start();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.detail, "skipped: the system is going down");
  EXPECT_TRUE(rig.services.log.empty());
}

TEST_F(TimeDaemonsStart, SomeoneElseStartedItAlready) {
  rig.services.run(ntpsec());
  const UnitOutcome outcome = start();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.detail, "already running: started by someone else");
  EXPECT_TRUE(rig.services.log.empty());
}

TEST_F(TimeDaemonsStart, SomeoneElseStartedAndStoppedIt) {
  rig.services.run(ntpsec());
  rig.services.rest(ntpsec(), "inactive");
  const UnitOutcome outcome = start();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.detail.find("skipped: started by someone else meanwhile"), 0U);
  EXPECT_TRUE(rig.services.log.empty());
}

TEST_F(TimeDaemonsStart, AnotherDaemonInItsPlaceIsNotKilledByConflicts) {
  rig.services.run(rig.services.unit("systemd-timesyncd.service"));
  const UnitOutcome outcome = start();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.detail, "skipped: systemd-timesyncd.service became active meanwhile, starting would stop it");
  EXPECT_TRUE(rig.services.unit("systemd-timesyncd.service").state.running());
  EXPECT_TRUE(rig.services.log.empty());
}

TEST_F(TimeDaemonsStart, ADaemonThatDiedOfTheGapIsStarted) {
  rig.services.run(ntpsec());
  ASSERT_TRUE(rig.refresh().ok());
  rig.services.rest(ntpsec(), "failed", "exit-code");
  units = *rig.refresh();
  ASSERT_EQ(rig.stop(units).size(), 1U);
  EXPECT_EQ(start().detail, "running");
}

TEST_F(TimeDaemonsStart, NotKnowingIsNoReasonToLeaveItStopped) {
  ntpsec().query_error = core::Error{core::ErrorCode::timeout, "no reply"};
  EXPECT_TRUE(start().ok);
}

TEST_F(TimeDaemonsStart, AnUnreachableBusIsReported) {
  rig.services.bus_error = core::Error{core::ErrorCode::unavailable, "Connection refused"};
  const UnitOutcome outcome = start();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.detail, "failed: Connection refused");
}

TEST_F(TimeDaemonsStart, RecoveryKnowsOnlyTheJournal) {
  // A new life of the agent: no refresh, only unit and InvocationID.
  TimeDaemons reborn(rig.services, rig.scheduler, {});
  std::vector<UnitOutcome> outcomes;
  reborn.start({{"ntpsec.service", units[0].invocation_id, DaemonKind::configured, {}}},
               [&](std::vector<UnitOutcome> o) { outcomes = std::move(o); });
  rig.scheduler.run_for(1s);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].detail, "running");
}

TEST(TimeDaemonsStartTwo, DaemonsThatRanTogetherComeBackTogether) {
  core::DaemonSettings settings;
  settings.action = core::DaemonAction::restart;
  DaemonsRig rig(settings);
  rig.services.add("chrony.service", true);
  rig.services.add("systemd-timesyncd.service", true);
  const auto units = *rig.refresh();
  ASSERT_EQ(units.size(), 2U);
  (void)rig.stop(units);
  for (const auto& o : rig.start(units)) EXPECT_EQ(o.detail, "running");
}

TEST(TimeDaemonsStartTwo, AKnownDaemonBesideAConfiguredOneIsNoRival) {
  core::DaemonSettings settings;
  settings.unit = "own-time.service";
  DaemonsRig rig(settings);
  rig.debian_ntpsec();
  rig.services.add("own-time.service", true);
  const auto units = *rig.refresh();
  (void)rig.stop(units);
  EXPECT_EQ(rig.start(units).front().detail, "running");
  EXPECT_TRUE(rig.services.unit("ntpsec.service").state.running());
}

TEST(TimeDaemonsStartTwo, ThousandRoundsLeaveNothingBehind) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  for (int i = 0; i < 1000; ++i) {
    const auto units = *rig.refresh();
    ASSERT_EQ(units.size(), 1U);
    ASSERT_TRUE(rig.stop(units).front().ok);
    ASSERT_EQ(rig.start(units).front().detail, "running");
  }
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.scheduler.pending(), 0U);
}

}  // namespace
}  // namespace clockmend::correctors::test
