// Stopping: reported truthfully, and never left stopped by a stop that hangs.
#include <gtest/gtest.h>

#include "tests/unit/correctors/daemons_rig.hpp"

namespace clockmend::correctors::test {
namespace {

TEST(TimeDaemonsStop, AllAtOnce) {
  core::DaemonSettings settings;
  settings.action = core::DaemonAction::restart;
  DaemonsRig rig(settings);
  rig.debian_ntpsec();
  rig.services.add("chrony.service", true).stop_takes = 300ms;
  const auto units = *rig.refresh();
  ASSERT_EQ(units.size(), 2U);
  const auto outcomes = rig.stop(units);
  ASSERT_EQ(outcomes.size(), 2U);
  for (const auto& o : outcomes) {
    EXPECT_TRUE(o.ok);
    EXPECT_EQ(o.detail, "stopped");
    EXPECT_EQ(o.state.active_state, "inactive");
  }
  EXPECT_EQ(rig.took, 300ms);
  EXPECT_EQ(rig.daemons.known()[0].state.active_state, "inactive");
}

TEST(TimeDaemonsStop, NothingToStopAnswersToo) {
  DaemonsRig rig;
  int answers = 0;
  rig.daemons.stop({}, [&](const std::vector<UnitOutcome>& o) { answers += o.empty() ? 1 : 0; });
  EXPECT_EQ(answers, 1);
}

TEST(TimeDaemonsStop, ADeadOneIsNotStoppedAgain) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  ASSERT_TRUE(rig.refresh().ok());
  rig.services.rest(rig.services.unit("ntpsec.service"), "failed", "exit-code");
  const auto outcomes = rig.stop(*rig.refresh());
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(outcomes[0].ok);
  EXPECT_EQ(outcomes[0].detail, "had died: failed (exit-code)");
  EXPECT_TRUE(rig.services.log.empty());
}

TEST(TimeDaemonsStop, OneThatWillNotStopInTimeIsReportedAndComesBack) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  rig.services.unit("ntpsec.service").stop_takes = 90s;
  const auto units = *rig.refresh();
  const auto outcomes = rig.stop(units);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_FALSE(outcomes[0].ok);
  EXPECT_NE(outcomes[0].detail.find("did not stop within 10000 ms"), std::string::npos);
  EXPECT_LE(rig.took, 10s);
  // Its pending stop job was replaced: also without start() it runs in the end.
  rig.scheduler.run_for(200s);
  EXPECT_TRUE(rig.services.unit("ntpsec.service").state.running());
  // And start() takes that run for our own, not for somebody else's.
  const auto started = rig.start(units);
  EXPECT_TRUE(started[0].ok) << started[0].detail;
  EXPECT_EQ(started[0].detail.find("someone else"), std::string::npos) << started[0].detail;
}

TEST(TimeDaemonsStop, StartRightAfterAHangingStopWaitsForIt) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  rig.services.unit("ntpsec.service").stop_takes = 90s;
  const auto units = *rig.refresh();
  (void)rig.stop(units);
  const auto started = rig.start(units);
  ASSERT_EQ(started.size(), 1U);
  EXPECT_TRUE(started[0].ok) << started[0].detail;
  EXPECT_TRUE(rig.services.unit("ntpsec.service").state.running());
}

TEST(TimeDaemonsStop, ARefusedStopIsAnErrorAndTheDaemonRunsOn) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  rig.services.unit("ntpsec.service").stop_error = core::Error{core::ErrorCode::not_permitted, "Access denied"};
  const auto units = *rig.refresh();
  const auto outcomes = rig.stop(units);
  EXPECT_FALSE(outcomes[0].ok);
  EXPECT_EQ(outcomes[0].detail, "not stopped: Access denied");
  const auto started = rig.start(units);
  EXPECT_TRUE(started[0].ok);
  EXPECT_EQ(started[0].detail, "running: it was not stopped");
  EXPECT_EQ(rig.services.log, std::vector<std::string>{"stop ntpsec.service"});
}

}  // namespace
}  // namespace clockmend::correctors::test
