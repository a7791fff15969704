#include "agent/cli/doctor_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/cli/doctor_checks.hpp"
#include "tests/unit/cli/world.hpp"

namespace clockmend::tests {
namespace {

using cli::Facts;
using cli::Finding;
using cli::Findings;
using cli::Level;

// A guest as it should be.
Facts good_guest(World& world) {
  core::AgentStatus status = world.healthy();
  for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    core::ServerStatus server;
    server.address = address;
    server.state = "ok";
    status.servers.push_back(server);
  }
  Facts facts;
  facts.status = cli::StatusFile{"", status};
  facts.control_socket = true;
  facts.virtual_machine = true;
  facts.rtcs = {"rtc0 (rtc_cmos)"};
  facts.ports = {"org.clockmend.agent.0"};
  facts.units = {"ntpsec.service", "ssh.service"};
  facts.clocksource = "kvm-clock";
  return facts;
}

core::AgentStatus& status_of(Facts& facts) { return facts.status.value().status; }

Level worst(const Findings& findings) {
  Level level = Level::ok;
  for (const Finding& f : findings) level = std::max(level, f.level);
  return level;
}

TEST(Doctor, AGoodGuestHasNoComplaint) {
  World world;
  const cli::Output out = cli::render_findings(cli::all_findings(good_guest(world)));
  EXPECT_EQ(out.code, 0) << out.text;
  EXPECT_NE(out.text.find("0 failures, 0 warnings"), std::string::npos);
  EXPECT_EQ(out.text.find("->"), std::string::npos) << "no advice without a complaint";
}

TEST(Doctor, EveryComplaintHasAdvice) {
  World world;
  for (const Finding& f : cli::all_findings(cli::gather_facts(world.context())))
    EXPECT_EQ(f.level == Level::ok, f.advice.empty()) << f.text;
}

TEST(Doctor, AProgramThatIsConfiguredMustBeThere) {
  World world;
  world.files.contents["/etc/clockmend/clockmend.toml"] = "[step]\nbackend = \"ntpdate\"\n[rtc]\nbackend = \"hwclock\"\n";
  EXPECT_EQ(cli::gather_facts(world.context()).missing_programs, (std::vector<std::string>{"/usr/sbin/ntpdate", "/sbin/hwclock"}));
  world.files.contents["/usr/sbin/ntpdate"] = world.files.contents["/sbin/hwclock"] = "";
  EXPECT_TRUE(cli::gather_facts(world.context()).missing_programs.empty());
  Facts facts = good_guest(world);
  facts.missing_programs = {"/usr/sbin/ntpdate"};
  EXPECT_EQ(worst(cli::check_programs(facts)), Level::warn);
}

TEST(Doctor, TheAgentMustRunAndMayWork) {
  World world;
  Facts facts = good_guest(world);
  status_of(facts).can_set_clock = false;
  EXPECT_EQ(worst(check_agent(facts)), Level::fail);
  facts = good_guest(world);
  status_of(facts).state = core::ClockState::refused;
  EXPECT_EQ(worst(check_agent(facts)), Level::fail);
  facts = good_guest(world);
  status_of(facts).mode = core::Mode::observe;
  EXPECT_EQ(worst(check_agent(facts)), Level::warn);
  facts = good_guest(world);
  facts.status_void = "old";
  EXPECT_EQ(worst(check_agent(facts)), Level::fail);
  facts.status = core::Error{core::ErrorCode::not_found, ""};
  EXPECT_EQ(worst(check_agent(facts)), Level::fail);
}

TEST(Doctor, WithoutAWitnessNothingCanBeSeen) {
  World world;
  Facts facts = good_guest(world);
  status_of(facts).probes.front().health.state = core::ProbeState::degraded;
  EXPECT_EQ(worst(check_witnesses(facts)), Level::fail);
  core::ProbeStatus clocks;
  clocks.name = "clocks";
  clocks.health.state = core::ProbeState::running;
  status_of(facts).probes.push_back(clocks);
  EXPECT_EQ(worst(check_witnesses(facts)), Level::fail) << "a tripwire is no witness";
}

TEST(Doctor, RtcModes) {
  World world;
  Facts facts = good_guest(world);
  facts.rtc_local = true;
  EXPECT_EQ(worst(check_rtc(facts)), Level::warn);
  facts.rtcs.clear();
  EXPECT_EQ(worst(check_rtc(facts)), Level::warn);
}

TEST(Doctor, TheChannelsPort) {
  World world;
  Facts facts = good_guest(world);
  facts.ports.clear();
  EXPECT_EQ(worst(check_channel(facts)), Level::warn);
  facts.settings.value().channel.enabled = false;
  EXPECT_EQ(worst(check_channel(facts)), Level::ok);
  facts = good_guest(world);
  facts.settings.value().channel.port_name = "org.qemu.guest_agent.0";
  facts.ports = {"org.qemu.guest_agent.0"};
  facts.units.emplace_back("qemu-guest-agent.service");
  EXPECT_EQ(worst(check_channel(facts)), Level::fail);
}

TEST(Doctor, ServersAndLiars) {
  World world;
  Facts facts = good_guest(world);
  status_of(facts).servers.back().state = "falseticker";
  EXPECT_EQ(worst(check_servers(facts)), Level::warn) << "two cannot outvote one";
  for (auto& server : status_of(facts).servers) server.state = "unreachable";
  EXPECT_EQ(worst(check_servers(facts)), Level::warn);
  status_of(facts).servers.clear();
  EXPECT_EQ(worst(check_servers(facts)), Level::warn);
  facts.settings.value().ntp.enabled = false;
  EXPECT_TRUE(check_servers(facts).empty());
}

TEST(Doctor, TimeDaemons) {
  World world;
  Facts facts = good_guest(world);
  facts.units.emplace_back("chrony.service");
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::warn) << "two daemons fight";
  facts.units = {"busybox-ntpd.service"};
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::warn);
  facts.settings.value().daemon.unit = "busybox-ntpd.service";
  facts.units = {"busybox-ntpd.service", "ntpsec.service"};
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::ok);
  facts.settings.value().daemon.unit = "";
  facts.units = {"site-time.service"};
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::warn) << "nobody knows that it is one";
  facts.listed_daemons = {"site-time.service"};
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::ok);
  facts.list_notes = {"50-x.list:1: ignored"};
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::warn);
  facts.units.clear();
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::warn);
  facts = good_guest(world);
  core::DaemonStatus daemon;
  daemon.unit = "ntpsec.service";
  daemon.problem = "did not stop";
  status_of(facts).daemons.push_back(daemon);
  EXPECT_EQ(worst(check_time_daemon(facts)), Level::fail);
}

TEST(Doctor, OtherMasters) {
  World world;
  for (const char* unit : {"open-vm-tools.service", "virtualbox-guest-utils.service", "vboxservice.service", "google-guest-agent.service",
                           "phc2sys@eth0.service"}) {
    Facts facts = good_guest(world);
    facts.units.emplace_back(unit);
    EXPECT_EQ(worst(check_other_masters(facts)), Level::warn) << unit;
  }
  Facts facts = good_guest(world);
  facts.ptp_clocks = {"hyperv"};
  EXPECT_EQ(worst(check_other_masters(facts)), Level::warn);
  facts = good_guest(world);
  facts.units.emplace_back("qemu-guest-agent.service");
  EXPECT_EQ(worst(check_other_masters(facts)), Level::ok);
}

TEST(Doctor, TwoMastersAtOnceAreNamedWithAdvice) {
  World world;
  Facts facts = good_guest(world);
  facts.units = {"ntpsec.service", "chrony.service"};
  Findings findings = check_time_daemon(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings.front().text, "several time daemons run: ntpsec.service, chrony.service");
  EXPECT_NE(findings.front().advice.find("systemctl disable --now chrony.service"), std::string::npos) << findings.front().advice;
  facts.units = {"chrony.service", "vmtoolsd.service"};
  facts.ptp_clocks = {"hyperv"};
  findings = check_other_masters(facts);
  const auto together =
      std::find_if(findings.begin(), findings.end(), [](const Finding& f) { return f.text.starts_with("several masters"); });
  ASSERT_NE(together, findings.end());
  EXPECT_NE(together->text.find("chrony.service, vmtoolsd.service, hv_utils"), std::string::npos) << together->text;
  for (const Finding& finding : findings) EXPECT_FALSE(finding.level == Level::warn && finding.advice.empty()) << finding.text;
}

TEST(Doctor, AConfigurationMistakeIsNamed) {
  World world;
  world.files.contents["/etc/clockmend/clockmend.toml"] = "[policy]\nmodus = \"correct\"\n";
  const cli::Output out = cli::run_doctor(world.context());
  EXPECT_EQ(out.code, 2);
  EXPECT_NE(out.text.find("clockmend.toml:2"), std::string::npos) << out.text;
}

}  // namespace
}  // namespace clockmend::tests
