// What the network and the machine itself do to an exchange: IPv6, ICMP, a clock that is stepped meanwhile.
#include <atomic>

#include "tests/integration/ntp/hostile_fixture.hpp"

namespace clockmend::tests {
namespace {

/// This machine's clock, stepped by as much as the test says. Nothing is set.
class SteppedClock final : public core::ClockReader {
 public:
  std::atomic<std::int64_t> step_ns{0};

  core::ClockSnapshot snapshot() override {
    auto s = real_.snapshot();
    s.realtime += core::nanoseconds{step_ns};
    return s;
  }
  core::KernelClockStatus kernel_status() override { return real_.kernel_status(); }
  std::string clocksource() override { return real_.clocksource(); }

 private:
  os::LinuxClockReader real_;
};

TEST_F(NtpHostile, HonestServerOverIpv6) {
  if (HostileServer("::1", 0, {}).port() == 0) GTEST_SKIP() << "SKIPPED: no IPv6 loopback on this machine";
  add({}, "::1");
  measure();
  expect_no_offset(1, 1);
}

TEST_F(NtpHostile, LinkLocalServerNeedsItsScope) {
  if (HostileServer("fe80::1%lo", 0, {}).port() == 0)
    GTEST_SKIP() << "SKIPPED: no link-local address on the loopback interface here (" << shared << ")";
  add({}, "fe80::1%lo");
  measure();
  expect_no_offset(1, 1);
  EXPECT_EQ(probe->servers().at(0).address, "fe80::1%lo");
  readings.clear();
  addresses = {"fe80::1", "fe80::1%nowhere0"};
  measure();
  EXPECT_TRUE(readings.empty());
  ASSERT_EQ(failures.size(), 1U);
  for (const auto& server : probe->servers()) EXPECT_TRUE(server.state.starts_with("unreachable: ")) << server.state;
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

TEST_F(NtpHostile, NobodyListensOnIpv6) {
  if (HostileServer("::1", 0, {}).port() == 0) GTEST_SKIP() << "SKIPPED: no IPv6 loopback on this machine";
  addresses = {"::1"};
  port = 9;  // nobody's
  measure();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_NE(failures[0].why.find("::1: "), std::string::npos) << failures[0].why;
  EXPECT_NE(failures[0].why.find("refused"), std::string::npos) << failures[0].why;
}

TEST_F(NtpHostile, ServerThatComesUpAfterAnIcmpError) {
  port = HostileServer("127.0.0.77", 0, {}).port();
  addresses = {"127.0.0.77"};
  begin();
  const auto later =
      scheduler.after(50ms, [this] { servers.push_back(std::make_unique<HostileServer>("127.0.0.77", port, HostilePlan{})); });
  ask();
  expect_no_offset(1, 1);  // the retry found it
}

TEST_F(NtpHostile, ForgedIcmpErrorBeforeTheReply) {
  if (!shared.empty()) GTEST_SKIP() << "SKIPPED: " << shared;
  HostilePlan plan;
  plan.forge_icmp = true;
  auto& server = add(plan);
  measure();
  expect_no_offset(1, 1);
  EXPECT_LE(server.requests(), requests_allowed());  // it was not asked again
}

TEST_F(NtpHostile, ForgedIcmpErrorsAlone) {
  if (!shared.empty()) GTEST_SKIP() << "SKIPPED: " << shared;
  HostilePlan plan;
  plan.forge_icmp = true;
  plan.silent = true;
  auto& server = add(plan);
  measure();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_NE(failures[0].why.find("refused"), std::string::npos) << failures[0].why;  // so the forgery does arrive
  EXPECT_EQ(server.seen().size(), 2U);
}

TEST_F(NtpHostile, ClockSteppedWhileTheRequestIsOut) {
  for (const core::nanoseconds step : {core::nanoseconds{300ms}, core::nanoseconds{40s}, core::nanoseconds{-1000s}}) {
    SteppedClock stepped;
    os::UdpFactory stepped_sockets{io, stepped};
    network = &stepped_sockets;
    HostilePlan plan;
    plan.before = [&stepped, step](const fakes::Bytes&, unsigned) {
      stepped.step_ns = step.count();
      return std::vector<fakes::Bytes>{};
    };
    add(plan);
    measure();
    ASSERT_EQ(readings.size(), 1U) << failures.at(0).why;
    EXPECT_LE(core::magnitude({readings[0].offset.value + step}), readings[0].uncertainty) << step.count();
    forget();
    network = &sockets;
  }
}

}  // namespace
}  // namespace clockmend::tests
