// The NTP probe against chronyd and ntpsec's ntpd, near and over bad roads. Servers and client read one clock, so the offset is
// zero, whatever the road: what is judged is whether zero lies inside the uncertainty that the probe states.
// The roads are a relay's (udp_relay.hpp), for want of netem in the kernels these tests meet.
#include <iostream>
#include <numeric>
#include <random>

#include "tests/integration/ntp/hostile_fixture.hpp"
#include "tests/integration/ntp/real_servers.hpp"
#include "tests/integration/ntp/udp_relay.hpp"

namespace clockmend::tests {
namespace {

constexpr auto kChronyd = "127.0.0.21";
constexpr auto kNtpd = "127.0.0.1";  // it listens on addresses that an interface has, no others of 127/8

struct NtpReal : NtpHostile {
  static inline std::string unpacking;
  RealServers daemons;
  std::vector<std::unique_ptr<UdpRelay>> relays;

  static void SetUpTestSuite() { unpacking = RealServers::unpack(); }  // before the first test leaves this machine's network
  void SetUp() override {
    if (!unpacking.empty()) GTEST_SKIP() << unpacking;
    if (!shared.empty()) GTEST_SKIP() << "SKIPPED: " << shared;
    port = 123;
    wanted_error = 10ms;
    timeout = 1500ms;
  }
  void start_both() {
    ASSERT_EQ(daemons.chronyd(kChronyd, 3), "");
    ASSERT_EQ(daemons.ntpd(kNtpd, 4), "");
  }
  void road(const std::string& server, Road road) {
    const auto address = "127.0.0." + std::to_string(31 + addresses.size());
    relays.push_back(std::make_unique<UdpRelay>(address, server, port, std::move(road)));
    ASSERT_TRUE(relays.back()->ok()) << address;
    addresses.push_back(address);
  }
  void forget_roads() {
    forget();
    relays.clear();
  }
  /// A right answer, whose uncertainty admits at least `at_least`; the road's part of it.
  void expect_right(core::nanoseconds at_least = {}) {
    measure();
    ASSERT_EQ(readings.size(), 1U) << failures.at(0).why;
    EXPECT_LE(core::magnitude(readings[0].offset), readings[0].uncertainty) << readings[0].detail;
    EXPECT_GE(readings[0].uncertainty, at_least) << readings[0].detail;
    std::cout << readings[0].detail << "\n";
  }
};

TEST_F(NtpReal, ChronydAndNtpdAnswer) {
  start_both();
  addresses = {kChronyd, kNtpd};
  expect_right();
  EXPECT_EQ(readings.at(0).agreeing, 2U);
  ASSERT_EQ(probe->servers().size(), 2U);
  for (const auto& server : probe->servers()) EXPECT_EQ(server.stratum, server.address == kChronyd ? 3 : 4);
  forget();
  if (HostileServer("::1", 0, {}).port() == 0) GTEST_SKIP() << "SKIPPED: no IPv6 loopback on this machine";
  addresses = {"::1"};  // ntpd listens there without being told to
  expect_right();
}

TEST_F(NtpReal, DelayIsInsideTheStatedUncertainty) {
  start_both();
  for (const auto delay : {5ms, 40ms, 150ms}) {
    for (const auto* server : {kChronyd, kNtpd, kChronyd, kNtpd}) road(server, {delay, delay, {}});
    expect_right(delay);
    forget_roads();
  }
}

TEST_F(NtpReal, AsymmetryIsInsideTheStatedUncertainty) {
  start_both();
  for (const auto* server : {kChronyd, kNtpd}) {
    for (const auto& [out, back] : {std::pair{0ms, 80ms}, std::pair{80ms, 0ms}, std::pair{10ms, 200ms}}) {
      road(server, {out, back, {}});
      expect_right((out + back) / 2);
      forget_roads();
    }
  }
  // All of them at once, each wrong in its own way.
  road(kChronyd, {0ms, 80ms, {}});
  road(kChronyd, {60ms, 0ms, {}});
  road(kNtpd, {5ms, 100ms, {}});
  road(kNtpd, {120ms, 20ms, {}});
  expect_right(30ms);
  EXPECT_GE(readings.at(0).agreeing, 3U);
}

TEST_F(NtpReal, LossDoesNotPreventAnAnswer) {
  start_both();
  const auto first_request = [](unsigned n, bool to_server) { return to_server && n == 1; };
  const auto first_reply = [](unsigned n, bool to_server) { return !to_server && n == 1; };
  for (const std::function<bool(unsigned, bool)>& loses : {std::function<bool(unsigned, bool)>{first_request}, {first_reply}}) {
    for (const auto* server : {kChronyd, kNtpd, kChronyd, kNtpd}) road(server, {10ms, 10ms, loses});
    expect_right(10ms);
    for (const auto& relay : relays) EXPECT_GE(relay->lost(), 1U);
    forget_roads();
  }
  // One of four answers nothing at all.
  for (const auto* server : {kChronyd, kNtpd, kChronyd}) road(server, {10ms, 10ms, {}});
  road(kNtpd, {10ms, 10ms, [](unsigned, bool) { return true; }});
  expect_right(10ms);
}

TEST_F(NtpReal, TenPercentLossInRoundAfterRound) {
  start_both();
  // A fixed seed for each road: which datagrams are lost depends on nothing but their number.
  std::uint32_t seed = 20'261;
  for (const auto* server : {kChronyd, kNtpd, kChronyd, kNtpd, kChronyd})
    road(server, {10ms, 30ms, [random = std::minstd_rand(++seed)](unsigned, bool) mutable { return random() % 10 == 0; }});
  for (int round = 0; round < 6; ++round) {
    readings.clear();
    expect_right(20ms);
  }
  const auto lost = [](unsigned sum, const auto& relay) { return sum + relay->lost(); };
  EXPECT_GT(std::accumulate(relays.begin(), relays.end(), 0U, lost), 0U);
  EXPECT_TRUE(failures.empty());
}

}  // namespace
}  // namespace clockmend::tests
