// The lists of time daemons that a machine has: other people's files, read with care.
#include <gtest/gtest.h>

#include "correctors/time_daemon/discovery.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/unit/correctors/daemons_rig.hpp"

namespace clockmend::correctors::test {
namespace {

using Names = std::vector<std::string>;
const std::string kLib = "/usr/lib/systemd/ntp-units.d/";

TEST(DaemonDiscovery, NoListAtAllIsNoProblem) {
  fakes::FakeFiles files;
  const Discovery found = discover(files);
  EXPECT_TRUE(found.units.empty());
  EXPECT_TRUE(found.notes.empty());
}

TEST(DaemonDiscovery, ListsAreReadByTheirFileName) {
  fakes::FakeFiles files;
  files.files[kLib + "80-systemd-timesync.list"] = "# This file is part of systemd.\n\nsystemd-timesyncd.service\n";
  files.files["/etc/systemd/ntp-units.d/50-chrony.list"] = "  chrony.service \t\r\n";
  files.files["/run/systemd/ntp-units.d/90-own.list"] = "; a comment\nown@1.service";
  files.files[kLib + "README"] = "no list";
  EXPECT_EQ(discover(files).units, (Names{"chrony.service", "systemd-timesyncd.service", "own@1.service"}));
}

TEST(DaemonDiscovery, AnEarlierFolderHidesTheSameName) {
  fakes::FakeFiles files;
  files.files[kLib + "50-a.list"] = "a.service\n";
  files.files[kLib + "60-b.list"] = "b.service\n";
  files.files["/etc/systemd/ntp-units.d/50-a.list"] = "";
  files.files["/run/systemd/ntp-units.d/60-b.list"] = "c.service\n";
  EXPECT_EQ(discover(files).units, Names{"c.service"});
}

TEST(DaemonDiscovery, BadLinesAreNotedAndTheRestHolds) {
  fakes::FakeFiles files;
  files.files[kLib + "50-x.list"] =
      "chrony\n../evil.service\ngood.service\ngood.service\nx\x1b[2J.service\n" + std::string(300, 'a') + ".service\n";
  files.files[kLib + "60-big.list"] = std::string(100'000, '#');
  files.errors[kLib + "70-null.list"] = {core::ErrorCode::invalid, "not a regular file"};
  files.files[kLib + "70-null.list"] = "";
  const Discovery found = discover(files);
  EXPECT_EQ(found.units, Names{"good.service"});
  ASSERT_EQ(found.notes.size(), 6U);
  EXPECT_EQ(found.notes[0], kLib + "50-x.list:1: ignored: \"chrony\" is not a service unit");
  for (const std::string& note : found.notes)
    for (const char c : note) EXPECT_TRUE(c >= ' ' && c <= '~') << note;
}

TEST(DaemonDiscovery, EverythingIsBounded) {
  fakes::FakeFiles files;
  for (int i = 0; i < 200; ++i) files.files[kLib + std::to_string(1000 + i) + ".list"] = "unit" + std::to_string(i) + ".service\nbad\n";
  const Discovery found = discover(files);
  EXPECT_EQ(found.units.size(), 24U);
  EXPECT_EQ(found.notes.size(), 10U);
  EXPECT_LE(files.reads.size(), 32U);
}

TEST(DaemonDiscovery, AListedUnitIsManagedAsItIs) {
  DaemonsRig rig;
  rig.files.files[kLib + "10-site.list"] = "site-time.service\nntp.service\n";
  rig.debian_ntpsec();
  rig.services.add("site-time.service", true);
  rig.daemons.configure({});
  const auto units = rig.refresh();
  ASSERT_EQ(units->size(), 2U);
  EXPECT_EQ(units->at(0).kind, DaemonKind::ntpsec) << "ntp.service is its alias";
  EXPECT_EQ(units->at(1).unit, "site-time.service");
  EXPECT_EQ(units->at(1).action, core::DaemonAction::restart);
  for (const auto& o : rig.stop(*units)) EXPECT_EQ(o.detail, "stopped");
  for (const auto& o : rig.start(*units)) EXPECT_EQ(o.detail, "running");
}

TEST(DaemonDiscovery, AListedUnitThatCameMeanwhileIsNotKilledByConflicts) {
  DaemonsRig rig;
  rig.files.files[kLib + "10-site.list"] = "site-time.service\n";
  rig.debian_ntpsec();
  rig.services.add("site-time.service", false);
  rig.daemons.configure({});
  const auto units = rig.refresh();
  (void)rig.stop(*units);
  rig.services.run(rig.services.unit("site-time.service"));
  EXPECT_EQ(rig.start(*units).front().detail, "skipped: site-time.service became active meanwhile, starting would stop it");
}

TEST(DaemonDiscovery, WhatIsNotInstalledIsAskedForOnlyNowAndThen) {
  DaemonsRig rig;
  rig.debian_ntpsec();
  const auto requests = [&rig] {
    const std::size_t before = rig.scheduler.pending();
    rig.daemons.refresh([](const core::Result<TimeDaemons::Units>&) {});
    const std::size_t asked = rig.scheduler.pending() - before;
    rig.scheduler.run_for(1s);
    return asked;
  };
  EXPECT_GE(requests(), 8U);
  EXPECT_EQ(requests(), 4U) << "ntpsec under its three names, and timesyncd";
  rig.services.add("chrony.service", true);  // installed meanwhile
  rig.scheduler.run_for(300s);
  EXPECT_EQ(rig.refresh()->size(), 2U);
}

TEST(DaemonDiscovery, NeverMoreRequestsThanTheServiceManagerTakes) {
  core::DaemonSettings settings;
  settings.unit = "own.service";
  for (int i = 0; i < 8; ++i) {
    settings.restart.push_back("r" + std::to_string(i) + ".service");
    settings.nudge.push_back("n" + std::to_string(i) + ".service");
    settings.leave.push_back("l" + std::to_string(i) + ".service");
  }
  DaemonsRig rig;
  for (int i = 0; i < 99; ++i) rig.files.files[kLib + "1.list"] += "listed" + std::to_string(i) + ".service\n";
  rig.daemons.configure(settings);
  const std::size_t before = rig.scheduler.pending();
  rig.daemons.refresh([](const core::Result<TimeDaemons::Units>&) {});
  EXPECT_LE(rig.scheduler.pending() - before, 60U);
}

}  // namespace
}  // namespace clockmend::correctors::test
