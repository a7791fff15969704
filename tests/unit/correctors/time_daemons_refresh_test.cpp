// Which time daemons run.
#include <gtest/gtest.h>

#include "tests/unit/correctors/daemons_rig.hpp"

namespace clockmend::correctors::test {
namespace {

TEST(TimeDaemonsRefresh, AliasesAreOneUnit) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  const auto units = rig.refresh();
  ASSERT_TRUE(units.ok());
  ASSERT_EQ(units->size(), 1U);
  EXPECT_EQ(units->front().unit, "ntpsec.service");
  EXPECT_EQ(units->front().kind, DaemonKind::ntpsec);
  EXPECT_EQ(units->front().invocation_id, "run1");
  EXPECT_EQ(rig.daemons.known().size(), 1U);
}

TEST(TimeDaemonsRefresh, EveryKnownDaemonIsFoundUnderItsOwnName) {
  const std::vector<std::pair<std::string, DaemonKind>> rows{
      {"ntpd.service", DaemonKind::ntpd},         {"ntp.service", DaemonKind::ntpd},
      {"ntpsec.service", DaemonKind::ntpsec},     {"chrony.service", DaemonKind::chronyd},
      {"chronyd.service", DaemonKind::chronyd},   {"systemd-timesyncd.service", DaemonKind::timesyncd},
      {"openntpd.service", DaemonKind::openntpd}, {"ntpd-rs.service", DaemonKind::ntpd_rs}};
  for (const auto& [unit, kind] : rows) {
    DaemonsRig rig;
    rig.services.add(unit, true);
    const auto units = rig.refresh();
    ASSERT_TRUE(units.ok());
    ASSERT_EQ(units->size(), 1U) << unit;
    EXPECT_EQ(units->front().kind, kind);
  }
}

TEST(TimeDaemonsRefresh, NothingInstalledOrNothingActiveIsEmpty) {
  DaemonsRig rig;
  ASSERT_TRUE(rig.refresh().ok());
  EXPECT_TRUE(rig.refresh()->empty());
  rig.services.add("chrony.service", false);
  rig.services.rest(rig.services.add("ntpsec.service", false), "failed", "exit-code");  // failed before we ever saw it run
  EXPECT_TRUE(rig.refresh()->empty());
}

TEST(TimeDaemonsRefresh, AnUnreachableBusIsAnError) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  rig.services.bus_error = core::Error{core::ErrorCode::unavailable, "/run/dbus/system_bus_socket: Connection refused"};
  const auto units = rig.refresh();
  ASSERT_FALSE(units.ok());
  EXPECT_EQ(units.error().code, core::ErrorCode::unavailable);
  EXPECT_NE(units.error().text.find("Connection refused"), std::string::npos);
  rig.services.bus_error.reset();
  EXPECT_EQ(rig.refresh()->size(), 1U);
}

TEST(TimeDaemonsRefresh, OneUnitThatCannotBeAskedDoesNotHideTheOthers) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  rig.services.add("chrony.service", false).query_error = core::Error{core::ErrorCode::timeout, "no reply"};
  EXPECT_EQ(rig.refresh()->size(), 1U);
}

TEST(TimeDaemonsRefresh, ADaemonThatDiedOfTheGapIsStillOurs) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  ASSERT_EQ(rig.refresh()->size(), 1U);
  rig.services.rest(rig.services.unit("ntpsec.service"), "failed", "exit-code");
  for (int i = 0; i < 2; ++i) {
    const auto units = rig.refresh();
    ASSERT_EQ(units->size(), 1U);
    EXPECT_EQ(units->front().state.active_state, "failed");
  }
}

TEST(TimeDaemonsRefresh, ADaemonThatSomebodyStoppedIsNot) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  ASSERT_EQ(rig.refresh()->size(), 1U);
  rig.services.rest(rig.services.unit("ntpsec.service"), "inactive");
  EXPECT_TRUE(rig.refresh()->empty());
}

TEST(TimeDaemonsRefresh, AConfiguredUnitReplacesDiscovery) {
  core::DaemonSettings settings;
  settings.unit = "own-time.service";
  DaemonsRig rig(settings);
  rig.debian_ntpsec();
  rig.services.add("own-time.service", true);
  auto units = rig.refresh();
  ASSERT_EQ(units->size(), 1U);
  EXPECT_EQ(units->front().unit, "own-time.service");
  EXPECT_EQ(units->front().kind, DaemonKind::configured);
  rig.daemons.configure({});
  EXPECT_EQ(rig.refresh()->front().unit, "ntpsec.service");
}

TEST(TimeDaemonsRefresh, AReplyAfterTheEndIsHarmless) {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler(clock);
  fakes::FakeServices services(scheduler);
  services.add("ntpsec.service", true);
  int answers = 0;
  {
    TimeDaemons daemons(services, scheduler, {});
    daemons.refresh([&](const core::Result<TimeDaemons::Units>&) { ++answers; });
  }
  scheduler.run_for(5s);
  EXPECT_EQ(answers, 0);
}

}  // namespace
}  // namespace clockmend::correctors::test
