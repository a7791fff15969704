#include "tests/unit/ntp/probe_bench.hpp"

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;
using NtpProbeTest = ProbeBench;

TEST_F(NtpProbeTest, SaysNothingFromInsideStart) {
  server(1);
  start_with({"192.0.2.1"});
  EXPECT_TRUE(readings.empty());
  EXPECT_EQ(probe->health().state, core::ProbeState::starting);
  EXPECT_EQ(probe->name(), "ntp");
}

TEST_F(NtpProbeTest, FirstVerificationAboutTenSecondsAfterStartThenEveryIdleInterval) {
  server(1);
  start_with({"192.0.2.1"});
  scheduler.run_for(8s);
  EXPECT_TRUE(network.sent.empty());
  scheduler.run_for(4s);
  ASSERT_EQ(readings.size(), 1U);
  for (int i = 0; i < 20; ++i) {
    const auto before = scheduler.now();
    ASSERT_TRUE(scheduler.run_while_not([&] { return readings.size() == 2U + static_cast<unsigned>(i); }, 2000s));
    EXPECT_GE(scheduler.now() - before, 917s);
    EXPECT_LE(scheduler.now() - before, 1123s);
  }
}

TEST_F(NtpProbeTest, MeasureNowAnswersInOneRoundTrip) {
  for (int n = 1; n <= 4; ++n) server(n);
  start_with({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"});
  clock.pause(47s + 550ms);
  EXPECT_LT(measure(), 5ms);
  ASSERT_EQ(readings.size(), 1U);
  const auto& r = readings[0];
  EXPECT_EQ(r.witness, core::Witness::ntp);
  EXPECT_LE(core::magnitude(r.offset - core::Offset{47s + 550ms}), r.uncertainty);
  EXPECT_EQ(r.systematic, 0ns);
  EXPECT_EQ(r.agreeing, 3U);  // the fourth was not needed
  EXPECT_TRUE(r.detail.starts_with("3/3 servers: 192.0.2.1 +4755")) << r.detail;
  EXPECT_EQ(probe->health().state, core::ProbeState::running);
}

TEST_F(NtpProbeTest, PauseInTheMiddleOfAnIdleRoundIsNotAnsweredFromBeforeIt) {
  server(1).back = 20ms;
  start_with({"192.0.2.1"});
  ASSERT_TRUE(scheduler.run_while_not([&] { return !network.sent.empty(); }, 20s));
  clock.pause(40s);  // the reply of before is on its way and will show a short round trip
  measure();
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_LE(core::magnitude(readings[0].offset - core::Offset{40s}), readings[0].uncertainty);
}

TEST_F(NtpProbeTest, PauseInTheMiddleOfARequestedRoundIsNotAnsweredFromBeforeIt) {
  server(1).back = 20ms;
  start_with({"192.0.2.1"});
  probe->measure_now();  // "pausing"
  scheduler.run_for(6ms);
  clock.pause(40s);
  measure();  // "resumed"
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_LE(core::magnitude(readings[0].offset - core::Offset{40s}), readings[0].uncertainty);
}

TEST_F(NtpProbeTest, PauseIsNotMissedWithAServerThatLimitsItsClients) {
  server(1).stratum = 0;
  server(1).refid = "RATE";
  start_with({"192.0.2.1"});
  probe->measure_now();
  scheduler.run_for(100ms);
  server(1).stratum = 2;
  server(1).back = 20ms;
  ASSERT_TRUE(scheduler.run_while_not([&] { return network.sent.size() == 2; }, 5s));
  scheduler.run_for(6ms);
  clock.pause(40s);
  EXPECT_GT(measure(), 2s);  // it must be left alone for so long
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_LE(core::magnitude(readings[0].offset - core::Offset{40s}), readings[0].uncertainty);
}

TEST_F(NtpProbeTest, RequestsOfOneLoopTurnShareARound) {
  server(1);
  start_with({"192.0.2.1"});
  probe->measure_now();
  probe->measure_now();
  measure();
  EXPECT_EQ(network.sent.size(), 1U);
  EXPECT_EQ(readings.size(), 1U);
}

TEST_F(NtpProbeTest, FloodOfRequestsStillGetsAnAnswerWithinTheBudget) {
  server(1).back = 50ms;
  start_with({"192.0.2.1"});
  for (int i = 0; i < 1000; ++i) {
    probe->measure_now();
    scheduler.run_for(10ms);
  }
  EXPECT_GE(readings.size() + failures.size(), 1U);
  EXPECT_GE(readings.size(), 1U);
  EXPECT_LE(network.sent.size(), 20U);
}

// Whoever waits for the answer must know that it comes, and that no server has failed to give one.
TEST_F(NtpProbeTest, RequestThatOurOwnLimitForbidsIsMadeAsSoonAsItAllows) {
  server(1);
  start_with({"192.0.2.1"});
  while (failures.empty()) measure();
  EXPECT_TRUE(failures[0].deferred);
  const std::size_t before = readings.size();
  scheduler.run_for(4s);
  EXPECT_EQ(failures.size(), 1U);
  EXPECT_EQ(readings.size(), before + 1);
}

TEST_F(NtpProbeTest, ServerThatDoesNotAnswerIsNotDeferred) {
  server(1).dead = true;
  start_with({"192.0.2.1"});
  measure();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_FALSE(failures[0].deferred);
}

TEST_F(NtpProbeTest, SinkMayAskAgainAtOnce) {
  server(1);
  start_with({"192.0.2.1"});
  on_observation = [&] {
    if (readings.size() >= 3) return;
    step(-clock.error().value + 2 * clock.error().value);
    probe->measure_now();
  };
  clock.pause(40s);
  probe->measure_now();
  scheduler.run_for(1s);
  ASSERT_EQ(readings.size(), 3U);
  EXPECT_LE(core::magnitude(readings[2].offset), readings[2].uncertainty);
}

TEST_F(NtpProbeTest, OwnStepInTheMiddleLeavesTheReadingRight) {
  server(1).back = 5ms;
  server(2).back = 40ms;
  start_with({"192.0.2.1", "192.0.2.2"});
  clock.pause(40s);
  probe->measure_now();
  scheduler.run_for(20ms);  // one has answered, one has not
  step(39s);
  scheduler.run_for(1s);
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].agreeing, 2U);
  EXPECT_LE(core::magnitude(readings[0].offset - core::Offset{1s}), readings[0].uncertainty);
  EXPECT_LE(core::magnitude(clock.error() - readings[0].offset), readings[0].uncertainty);
}

TEST_F(NtpProbeTest, RtcWritesMeanNothingToNtp) {
  server(1).back = 15ms;
  start_with({"192.0.2.1"});
  probe->measure_now();
  scheduler.run_for(10ms);
  probe->own_change({core::OwnChange::What::rtc_write, {1s}, clock.snapshot()});
  scheduler.run_for(1s);
  EXPECT_EQ(readings.size(), 1U);
  EXPECT_EQ(network.sent.size(), 1U);
}

TEST_F(NtpProbeTest, UnreachableServersAreNamed) {
  start_with({"192.0.2.1", "192.0.2.2"});
  server(2).icmp = core::Error{core::ErrorCode::unavailable, "connection refused"};
  EXPECT_EQ(measure(), 2s);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].why, "no NTP server answered within 2.0 s: 192.0.2.1: no reply, 192.0.2.2: connection refused");
  EXPECT_EQ(probe->health().state, core::ProbeState::degraded);
  EXPECT_EQ(probe->health().why, failures[0].why);
  EXPECT_EQ(probe->servers()[0].state, "unreachable: no reply");
}

TEST_F(NtpProbeTest, NoServerConfiguredTellsWhereItLooked) {
  start();
  measure();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_TRUE(failures[0].why.starts_with("no NTP server configured: looked at /run/ntp.conf.dhcp, /etc/ntp.conf")) << failures[0].why;
}

TEST_F(NtpProbeTest, DiscoveryOffAndNoServers) {
  settings.discover = false;
  files.files["/etc/ntp.conf"] = "server 192.0.2.1\n";
  start();
  measure();
  EXPECT_EQ(failures.at(0).why, "no NTP server configured and discovery is off");
  EXPECT_TRUE(network.sent.empty());
}

TEST_F(NtpProbeTest, ServersAreDiscoveredFromTheActiveDaemon) {
  files.files["/etc/ntp.conf"] = "server 192.0.2.1\n";
  files.files["/etc/chrony/chrony.conf"] = "server 192.0.2.2\n";
  server(1);
  server(2);
  start();
  probe->set_active_daemon("chrony.service");
  measure();
  EXPECT_EQ(readings.at(0).detail.substr(0, 22), "1/1 servers: 192.0.2.2");
  probe->set_active_daemon("");  // we have stopped it ourselves
  measure();
  EXPECT_EQ(readings.at(1).detail.substr(0, 22), "1/1 servers: 192.0.2.2");
  EXPECT_EQ(probe->health().why, "1 servers from /etc/chrony/chrony.conf");
}

TEST_F(NtpProbeTest, ConfigurationThatAppearsLaterIsFound) {
  start();
  measure();
  EXPECT_EQ(failures.size(), 1U);
  files.files["/etc/ntp.conf"] = "server 192.0.2.1\n";
  server(1);
  measure();
  EXPECT_EQ(readings.size(), 1U);
}

TEST_F(NtpProbeTest, OneGlobalNameGivesManyServers) {
  resolver.set("time.corp.example", {"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  for (int n = 1; n <= 3; ++n) server(n);
  start_with({"time.corp.example"});
  scheduler.run_for(1s);  // resolved in advance
  EXPECT_TRUE(network.sent.empty());
  EXPECT_LT(measure(), 5ms);
  EXPECT_GE(readings.at(0).agreeing, 2U);
  EXPECT_EQ(probe->servers().at(0).name, "time.corp.example");
}

TEST_F(NtpProbeTest, ResolverDownMeansLastGoodAddressesAtOnce) {
  resolver.set("time.corp.example", {"192.0.2.1"});
  server(1);
  start_with({"time.corp.example"});
  scheduler.run_for(1s);
  resolver.hang("time.corp.example");
  measure();
  EXPECT_EQ(readings.size(), 1U);
  EXPECT_EQ(network.sent.front().at.monotonic, core::MonotonicPoint{1001s});  // not a moment later than asked
}

TEST_F(NtpProbeTest, FreshAddressesJoinTheRunningRound) {
  resolver.set("time.corp.example", {"192.0.2.1"});
  start_with({"time.corp.example"});
  scheduler.run_for(1s);
  resolver.set("time.corp.example", {"192.0.2.2", "192.0.2.3"});  // the site's view changed; .1 is gone and dead
  server(2);
  server(3);
  EXPECT_LT(measure(), 20ms);
  EXPECT_EQ(readings.at(0).agreeing, 2U);
}

TEST_F(NtpProbeTest, NameThatDoesNotResolve) {
  start_with({"nowhere.example"});
  measure();
  EXPECT_EQ(failures.at(0).why, "no NTP server has a usable address: nowhere.example: no such name");
}

TEST_F(NtpProbeTest, ServerCountIsBounded) {
  settings.max_servers = 3;
  std::vector<std::string> many;
  for (int n = 1; n <= 20; ++n) many.push_back("192.0.2." + std::to_string(n));
  start_with(many);
  measure();
  std::set<std::string> asked;
  for (const auto& s : network.sent) asked.insert(s.peer.text);
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_EQ(probe->servers().size(), 3U);
}

TEST_F(NtpProbeTest, ReloadChangesServersAtOnce) {
  server(1);
  server(2);
  start_with({"192.0.2.1"});
  measure();
  auto changed = settings;
  changed.servers = {"192.0.2.2"};
  probe->configure(changed);
  measure();
  EXPECT_EQ(network.sent.back().peer.text, "192.0.2.2");
  EXPECT_EQ(probe->servers().size(), 1U);
}

TEST_F(NtpProbeTest, ReloadDuringAMeasurementStillAnswers) {
  server(2);
  start_with({"192.0.2.1"});
  probe->measure_now();
  auto changed = settings;
  changed.servers = {"192.0.2.2"};
  probe->configure(changed);
  scheduler.run_for(1s);
  EXPECT_EQ(readings.size(), 1U);
}

TEST_F(NtpProbeTest, SwitchedOffItAnswersThatItIsOffAndSendsNothing) {
  settings.enabled = false;
  start_with({"192.0.2.1"});
  scheduler.run_for(7200s);
  EXPECT_TRUE(network.sent.empty());
  measure();
  EXPECT_EQ(failures.at(0).why, "NTP is off by configuration");
  EXPECT_EQ(probe->health().state, core::ProbeState::off);
}

TEST_F(NtpProbeTest, StatusTellsWhatBecameOfEachServer) {
  for (int n = 1; n <= 6; ++n) server(n);
  server(1).error = 60s;
  server(2).stratum = 16;
  server(3).dead = true;
  server(4).stratum = 0;
  server(4).refid = "DENY";
  settings.wanted_error = core::milliseconds{0};  // wait for everybody
  start_with({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"});
  measure();
  const auto s = probe->servers();
  ASSERT_EQ(s.size(), 6U);
  EXPECT_EQ(s[0].state, "falseticker");
  EXPECT_EQ(s[1].state, "bad reply: stratum 16");
  EXPECT_EQ(s[2].state, "unreachable: no reply");
  EXPECT_EQ(s[3].state, "kod: DENY");
  EXPECT_EQ(s[4].state, "ok");
  EXPECT_EQ(s[4].stratum, 2);
  ASSERT_TRUE(s[4].last.has_value());
  EXPECT_FALSE(s[2].last.has_value());
  EXPECT_NE(readings.at(0).detail.find("falsetickers: 192.0.2.1 says +60000"), std::string::npos) << readings[0].detail;
}

TEST_F(NtpProbeTest, ServersNobodyWaitedForKeepTheirState) {
  for (int n = 1; n <= 4; ++n) server(n);
  server(3).back = 30ms;
  server(4).dead = true;
  start_with({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"});
  scheduler.run_for(20s);  // the idle round heard everybody out
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].answered, 3U);
  EXPECT_EQ(probe->servers()[3].state, "unreachable: no reply");
  server(4).dead = false;
  server(4).back = 30ms;
  server(3).back = 1ms;
  EXPECT_LT(measure(), 5ms);
  EXPECT_EQ(probe->servers()[2].state, "ok");
  EXPECT_EQ(probe->servers()[3].state, "unreachable: no reply");  // still: its answer was not needed
}

TEST_F(NtpProbeTest, WorksTheThousandthTimeToo) {
  for (int n = 1; n <= 3; ++n) server(n);
  start_with({"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  for (int i = 0; i < 1000; ++i) {
    clock.pause(30s);
    measure();
    ASSERT_EQ(readings.size(), 1U) << i;
    ASSERT_LE(core::magnitude(readings[0].offset - clock.error()), readings[0].uncertainty) << i;
    step(readings[0].offset.value);
    readings.clear();
    scheduler.run_for(20s);
    readings.clear();
  }
  EXPECT_TRUE(failures.empty());
  EXPECT_EQ(network.open_sockets(), 0U);
  EXPECT_LE(scheduler.pending(), 4U);
}

TEST_F(NtpProbeTest, LeapSecondIsARemarkOnlyWithAMajority) {
  for (int n = 1; n <= 3; ++n) server(n);
  server(1).leap = 1;
  settings.wanted_error = core::milliseconds{0};
  start_with({"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  measure();
  EXPECT_EQ(readings.at(0).detail.find("leap second"), std::string::npos);
  server(2).leap = 1;
  measure();
  EXPECT_NE(readings.at(1).detail.find("leap second announced by 2 of 3"), std::string::npos) << readings[1].detail;
}

}  // namespace
}  // namespace clockmend::probes
