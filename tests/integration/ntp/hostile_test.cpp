// The NTP probe over real sockets, against servers that do everything wrong. The client only measures: the offset to a server
// that serves this machine's own clock is zero.
#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <set>

#include "agent/os/clock_reader.hpp"
#include "agent/os/files.hpp"
#include "agent/os/random.hpp"
#include "agent/os/resolver_cares.hpp"
#include "agent/os/scheduler.hpp"
#include "agent/os/udp_socket.hpp"
#include "probes/ntp/ntp_probe.hpp"
#include "tests/integration/ntp/hostile_server.hpp"

namespace clockmend::tests {
namespace {

using namespace std::chrono_literals;

struct NtpHostile : testing::Test {
  asio::io_context io;
  os::LinuxClockReader clocks;
  os::UdpFactory network{io, clocks};
  os::AsioScheduler scheduler{io};
  os::KernelRandom random;
  os::CaresResolver resolver{io};
  os::PosixFileReader files{"/nonexistent"};
  std::vector<std::unique_ptr<HostileServer>> servers;
  std::uint16_t port = 0;
  std::vector<std::string> addresses;
  /// Long where an answer comes: a busy machine must not turn it into a retry. Short where the test waits for nothing.
  core::milliseconds timeout{2500};
  std::unique_ptr<probes::NtpProbe> probe;
  std::vector<core::OffsetReading> readings;
  std::vector<core::MeasurementFailed> failures;
  core::nanoseconds took{0};

  /// One more server, on an address of its own and the port all share.
  HostileServer& add(HostilePlan plan = {}, std::string address = {}) {
    if (address.empty()) address = "127.0.0." + std::to_string(11 + addresses.size());
    servers.push_back(std::make_unique<HostileServer>(address, port, std::move(plan)));
    if (port == 0) port = servers.back()->port();
    EXPECT_EQ(servers.back()->port(), port) << address << " cannot be bound";
    addresses.push_back(address);
    return *servers.back();
  }
  void measure() {
    core::NtpSettings settings;
    settings.servers = addresses;
    settings.port = port;
    settings.server_timeout = timeout;
    settings.wanted_error = 10s;  // a server whose answers take long on a busy machine would be asked for better ones
    probe = std::make_unique<probes::NtpProbe>(probes::NtpPorts{network, resolver, scheduler, random, files}, settings,
                                               core::RealtimePoint{1704067200s});
    probe->start([this](core::Observation o) {
      if (auto* reading = std::get_if<core::OffsetReading>(&o)) readings.push_back(*reading);
      if (auto* failure = std::get_if<core::MeasurementFailed>(&o)) failures.push_back(*failure);
    });
    const auto began = scheduler.now();
    probe->measure_now();
    while (readings.empty() && failures.empty() && scheduler.now() < began + 20s) io.run_one_for(100ms);
    io.run_for(20ms);  // late arrivals
    took = scheduler.now() - began;
  }
  /// One, and one more for each second in which the machine kept client or server waiting: then the client rightly asks again.
  [[nodiscard]] unsigned requests_allowed() const { return 1U + static_cast<unsigned>(took / 1s); }
  void expect_no_offset(unsigned agreeing, unsigned answered) {
    ASSERT_EQ(readings.size(), 1U) << (failures.empty() ? "" : failures[0].why);
    EXPECT_LE(core::magnitude(readings[0].offset), readings[0].uncertainty);
    EXPECT_EQ(readings[0].agreeing, agreeing);
    EXPECT_EQ(readings[0].answered, answered);
  }
};

TEST_F(NtpHostile, HonestServerOverIpv4) {
  auto& server = add();
  measure();
  expect_no_offset(1, 1);
  EXPECT_LE(server.requests(), requests_allowed());
}

TEST_F(NtpHostile, HonestServerOverIpv6) {
  if (HostileServer("::1", 0, {}).port() == 0) GTEST_SKIP() << "SKIPPED: no IPv6 loopback on this machine";
  add({}, "::1");
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, ReplyFromAnotherPortIsNeverSeen) {
  HostilePlan plan;
  plan.from_stranger = true;
  add(plan);
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, OnlyStrangersAnswer) {
  timeout = 300ms;
  HostilePlan plan;
  plan.from_stranger = true;
  plan.silent = true;
  add(plan);
  measure();
  EXPECT_TRUE(readings.empty());
  EXPECT_NE(failures.at(0).why.find("no reply"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, GarbageBeforeTheReply) {
  HostilePlan plan;
  plan.garbage = 40;
  add(plan);
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, ReplaysAndFloodsAreOneAnswer) {
  HostilePlan plan;
  plan.script.copies = 100;
  auto& server = add(plan);
  measure();
  expect_no_offset(1, 1);
  EXPECT_LE(server.requests(), requests_allowed());
}

TEST_F(NtpHostile, ForgedOriginBeforeTheReply) {
  HostilePlan plan;
  plan.script.bogus = [](const fakes::Bytes& request) {
    fakes::NtpServerScript lie;
    auto packet = fakes::ntp_reply(lie, request, core::RealtimePoint{1900000000s});
    packet[25] ^= std::byte{4};
    return packet;
  };
  add(plan);
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, ZeroTimestampsWrongModeStratumSixteenShortAndOversize) {
  timeout = 300ms;
  const std::vector<std::function<void(fakes::NtpServerScript&)>> faults = {
      [](auto& s) { s.tamper = [](auto& r) { fakes::put_be(r, 24, 0, 8); }; },
      [](auto& s) { s.tamper = [](auto& r) { fakes::put_be(r, 32, 0, 8); }; },
      [](auto& s) { s.tamper = [](auto& r) { fakes::put_be(r, 40, 0, 8); }; },
      [](auto& s) { s.mode = 5; },
      [](auto& s) { s.stratum = 16; },
      [](auto& s) { s.leap = 3; },
      [](auto& s) { s.length = 20; },
      [](auto& s) { s.length = 4000; },  // longer than the receive buffer: MSG_TRUNC
  };
  for (const auto& fault : faults) {
    HostilePlan plan;
    fault(plan.script);
    add(plan);
  }
  measure();
  EXPECT_TRUE(readings.empty());
  ASSERT_EQ(failures.size(), 1U);
  for (const auto& server : probe->servers()) EXPECT_TRUE(server.state.starts_with("bad reply: ")) << server.address << " " << server.state;
}

TEST_F(NtpHostile, KissOfDeath) {
  HostilePlan plan;
  plan.script.stratum = 0;
  plan.script.leap = 3;
  plan.script.refid = "DENY";
  add(plan);
  add();
  measure();
  expect_no_offset(1, 1);
  EXPECT_EQ(probe->servers().at(0).state, "kod: DENY");
}

TEST_F(NtpHostile, OneLiarOfFour) {
  HostilePlan liar;
  liar.script.error = 3600s;
  add(liar);
  for (int i = 0; i < 3; ++i) add();
  measure();
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].agreeing, 3U);
  EXPECT_LE(core::magnitude(readings[0].offset), readings[0].uncertainty);
}

TEST_F(NtpHostile, TwoThatDisagree) {
  HostilePlan liar;
  liar.script.error = -3600s;
  add(liar);
  add();
  measure();
  EXPECT_TRUE(readings.empty());
  EXPECT_NE(failures.at(0).why.find("no majority among 2 NTP servers"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, FourHonestAndThreeDeadDoNotWaitForTheDead) {
  for (int i = 0; i < 4; ++i) add();
  HostilePlan dead;
  dead.silent = true;
  for (int i = 0; i < 3; ++i) add(dead);
  measure();
  expect_no_offset(4, 4);
  for (std::size_t i = 4; i < 7; ++i) EXPECT_LE(servers[i]->requests(), requests_allowed());  // the round was over before any retry
}

TEST_F(NtpHostile, NobodyListens) {
  auto& server = add();
  server.stop();
  addresses = {"127.0.0.201", "127.0.0.202"};  // nothing is bound there: ICMP port unreachable
  measure();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_NE(failures[0].why.find("127.0.0.201: "), std::string::npos) << failures[0].why;
  EXPECT_NE(failures[0].why.find("refused"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, RetryComesFromAnotherPort) {
  timeout = 300ms;
  HostilePlan dead;
  dead.silent = true;
  auto& server = add(dead);
  measure();
  const auto ports = server.client_ports();
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_NE(ports[0], ports[1]);
}

}  // namespace
}  // namespace clockmend::tests
