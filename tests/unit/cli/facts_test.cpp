#include "agent/cli/facts.hpp"

#include <gtest/gtest.h>

#include "tests/unit/cli/world.hpp"

namespace clockmend::tests {
namespace {

TEST(Facts, ReadsTheMachine) {
  World world;
  auto& files = world.files.contents;
  files["/sys/class/rtc/rtc0/name"] = "rtc_cmos rtc_cmos\n";
  files["/sys/class/virtio-ports/vport1p1/name"] = "org.clockmend.agent.0\n";
  files["/sys/class/virtio-ports/vport1p0/number"] = "0\n";
  files["/sys/class/ptp/ptp0/clock_name"] = "KVM virtual PTP\n";
  files["/sys/class/misc/vmclock0/dev"] = "10:1\n";
  files["/sys/devices/system/clocksource/clocksource0/current_clocksource"] = "kvm-clock\n";
  files["/run/systemd/units/invocation:ntpsec.service"] = "";
  files["/run/systemd/units/log-level-max:cron.service"] = "";
  files["/proc/cpuinfo"] = "processor\t: 0\nflags\t\t: fpu sse2 hypervisor\nbugs\t:\n";
  files["/etc/adjtime"] = "0.0 0 0.0\n0\nLOCAL\n";
  const cli::Facts facts = cli::gather_facts(world.context());
  EXPECT_EQ(facts.rtcs, std::vector<std::string>{"rtc0 (rtc_cmos rtc_cmos)"});
  EXPECT_EQ(facts.ports, std::vector<std::string>{"org.clockmend.agent.0"});
  EXPECT_EQ(facts.ptp_clocks, std::vector<std::string>{"KVM virtual PTP"});
  EXPECT_TRUE(facts.vmclock);
  EXPECT_EQ(facts.clocksource, "kvm-clock");
  EXPECT_EQ(facts.units, std::vector<std::string>{"ntpsec.service"});
  EXPECT_EQ(facts.virtual_machine, true);
  EXPECT_TRUE(facts.rtc_local);
  EXPECT_EQ(facts.agent(), nullptr);
}

TEST(Facts, AnEmptyMachineHasDefaults) {
  World world;
  const cli::Facts facts = cli::gather_facts(world.context());
  EXPECT_TRUE(facts.settings);
  EXPECT_FALSE(facts.status);
  EXPECT_FALSE(facts.rtc_local);
  EXPECT_FALSE(facts.virtual_machine.has_value());
  EXPECT_FALSE(facts.control_socket);
}

TEST(Facts, AdjtimeWithoutAThirdLineMeansUtc) {
  for (const std::string text : {"", "0 0 0", "0 0 0\n0", "0 0 0\n0\n", "0 0 0\n0\nUTC\n"}) {
    World world;
    world.files.contents["/etc/adjtime"] = text;
    EXPECT_FALSE(cli::gather_facts(world.context()).rtc_local) << text;
  }
}

TEST(Facts, ABareMachineIsSeenByItsCpuFlags) {
  World world;
  world.files.contents["/proc/cpuinfo"] = "processor\t: 0\nflags\t\t: fpu hypervisorx\n";
  EXPECT_EQ(cli::gather_facts(world.context()).virtual_machine, false);
}

TEST(Facts, AStaleStatusIsNoAgent) {
  World world;
  world.publish(world.healthy());
  EXPECT_NE(cli::gather_facts(world.context()).agent(), nullptr);
  world.clock.advance(core::seconds{100});
  EXPECT_EQ(cli::gather_facts(world.context()).agent(), nullptr);
}

}  // namespace
}  // namespace clockmend::tests
