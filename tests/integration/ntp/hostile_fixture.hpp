// The NTP probe on real sockets and the agent's own event loop, and the hostile servers it asks, in a network namespace of the
// test's own where one can be made. The client only measures: the offset to a server of this machine's clock is zero.
#pragma once

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "agent/os/clock_reader.hpp"
#include "agent/os/files.hpp"
#include "agent/os/random.hpp"
#include "agent/os/resolver_cares.hpp"
#include "agent/os/scheduler.hpp"
#include "agent/os/udp_socket.hpp"
#include "probes/ntp/ntp_probe.hpp"
#include "tests/integration/ntp/hostile_server.hpp"
#include "tests/integration/ntp/sockets.hpp"

namespace clockmend::tests {

using namespace std::chrono_literals;

struct NtpHostile : testing::Test {
  std::string shared = enter_own_network();  // why the network is shared with the machine's; empty where it is not
  asio::io_context io;
  os::LinuxClockReader clocks;
  os::UdpFactory sockets{io, clocks};
  core::DatagramFactory* network = &sockets;
  os::AsioScheduler scheduler{io};
  os::KernelRandom random;
  os::CaresResolver resolver{io};
  os::PosixFileReader files{"/nonexistent"};
  std::vector<std::unique_ptr<HostileServer>> servers;
  std::uint16_t port = 0;
  std::vector<std::string> addresses;
  /// Long where an answer comes: a busy machine must not turn it into a retry. Short where the test waits for nothing.
  core::milliseconds timeout{2500};
  /// Generous: a server whose answers take long on a busy machine would be asked for better ones.
  core::milliseconds wanted_error{10'000};
  core::RealtimePoint floor{1704067200s};  // 2024
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
  void forget() {
    probe.reset();
    servers.clear();
    addresses.clear();
    readings.clear();
    failures.clear();
  }
  void begin() {
    core::NtpSettings settings;
    settings.servers = addresses;
    settings.port = port;
    settings.server_timeout = timeout;
    settings.wanted_error = wanted_error;
    probe = std::make_unique<probes::NtpProbe>(probes::NtpPorts{*network, resolver, scheduler, random, files}, settings, floor);
    probe->start([this](core::Observation o) {
      if (auto* reading = std::get_if<core::OffsetReading>(&o)) readings.push_back(*reading);
      if (auto* failure = std::get_if<core::MeasurementFailed>(&o)) failures.push_back(*failure);
    });
  }
  /// Asks the servers the probe knows and waits for its answer, good or bad.
  void ask() {
    const auto began = scheduler.now();
    const auto before = readings.size() + failures.size();
    probe->measure_now();
    while (readings.size() + failures.size() == before && scheduler.now() < began + 30s) io.run_one_for(100ms);
    io.run_for(20ms);  // late arrivals
    took += scheduler.now() - began;
  }
  void measure() {
    begin();
    ask();
  }
  /// One, and one more for each second in which the machine kept client or server waiting: then the client rightly asks again.
  [[nodiscard]] unsigned requests_allowed() const { return 1U + static_cast<unsigned>(took / 1s); }
  void expect_no_offset(unsigned agreeing, unsigned answered) {
    ASSERT_EQ(readings.size(), 1U) << (failures.empty() ? "" : failures[0].why);
    EXPECT_LE(core::magnitude(readings[0].offset), readings[0].uncertainty);
    EXPECT_EQ(readings[0].agreeing, agreeing);
    EXPECT_EQ(readings[0].answered, answered);
  }
  /// Each plan plays one server; none is believed, and each one's state says why.
  void expect_refused(const std::vector<std::pair<HostilePlan, std::string>>& bad) {
    timeout = 1s;
    for (const auto& [plan, why] : bad) add(plan);
    measure();
    EXPECT_TRUE(readings.empty());
    ASSERT_EQ(failures.size(), 1U);
    ASSERT_EQ(probe->servers().size(), bad.size());
    for (std::size_t i = 0; i < bad.size(); ++i) {
      const auto state = probe->servers()[i].state;
      EXPECT_TRUE(state.starts_with("bad reply: ")) << i << " " << state;
      EXPECT_NE(state.find(bad[i].second), std::string::npos) << i << " " << state;
    }
    forget();
  }
  /// A server whose reply gets its last touch from `tamper`.
  static HostilePlan tampered(std::function<void(fakes::Bytes&)> tamper) {
    HostilePlan plan;
    plan.script.tamper = std::move(tamper);
    return plan;
  }
};

}  // namespace clockmend::tests
