#include "agent/os/init_system.hpp"

#include <gtest/gtest.h>
#include <utmpx.h>

#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

TEST(InitSystem, IsWhatBootedTheMachine) {
  const fakes::TempDir tree;
  EXPECT_EQ(init_system(tree.path()), InitSystem::systemd) << "nothing else is there";
  tree.put("/etc/init.d/ntp", "");
  EXPECT_EQ(init_system(tree.path()), InitSystem::sysv);
  tree.put("/run/openrc/softlevel", "default\n");
  EXPECT_EQ(init_system(tree.path()), InitSystem::openrc);
  tree.put("/run/systemd/system/x", "");
  EXPECT_EQ(init_system(tree.path()), InitSystem::systemd);
}

TEST(InitSystem, RcServiceIsFoundWhereItIs) {
  const fakes::TempDir tree;
  EXPECT_EQ(rc_service(tree.path()), "/sbin/rc-service");
  tree.put("/usr/bin/rc-service", "");
  EXPECT_EQ(rc_service(tree.path()), "/usr/bin/rc-service");
}

std::string utmp_record(short type, int pid) {
  utmpx r{};
  r.ut_type = type;
  r.ut_pid = pid;
  return {reinterpret_cast<const char*>(&r), sizeof r};
}

TEST(InitSystem, ShutdownIsSeen) {
  const fakes::TempDir tree;
  EXPECT_FALSE(going_down(InitSystem::sysv, tree.path()));
  tree.put("/run/utmp", utmp_record(BOOT_TIME, 0) + utmp_record(RUN_LVL, '2' + 256 * 'N') + utmp_record(USER_PROCESS, '6'));
  EXPECT_FALSE(going_down(InitSystem::sysv, tree.path()));
  for (const char level : {'0', '6'}) {
    tree.put("/run/utmp", utmp_record(RUN_LVL, '2') + utmp_record(RUN_LVL, level + 256 * '2') + "torn");
    EXPECT_TRUE(going_down(InitSystem::sysv, tree.path()));
  }
  EXPECT_FALSE(going_down(InitSystem::openrc, tree.path()));
  tree.put("/run/openrc/rc.stopping", "");
  EXPECT_TRUE(going_down(InitSystem::openrc, tree.path()));
}

}  // namespace
}  // namespace clockmend::os
