#include "probes/ntp/exchange.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/fake_random.hpp"

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;
const std::string kPeer = "192.0.2.1";

struct ExchangeTest : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeNetwork network{clock, scheduler};
  fakes::FakeRandom random;
  int allowed = 100;  // further packets the budget permits
  std::vector<ExchangeResult> results;
  std::unique_ptr<Exchange> exchange;

  fakes::NtpServerScript& server() { return network.server(kPeer); }
  void start() {
    ExchangePlan plan{{kPeer, 123}, core::RealtimePoint{1704067200s}, core::RealtimePoint{4102444800s}, 1s, {}};
    plan.may_send_again = [this] { return allowed-- > 0; };
    exchange = std::make_unique<Exchange>(ExchangePorts{network, scheduler, random}, plan, [this](const ExchangeResult& r) {
      results.push_back(r);
      exchange.reset();  // the owner may do this
    });
  }
  void run(core::nanoseconds d = 5s) {
    start();
    EXPECT_TRUE(results.empty()) << "called back from the constructor";
    scheduler.run_for(d);
  }
  const Sample& sample() { return std::get<Sample>(results.at(0)); }
  const ExchangeFailure& failure() { return std::get<ExchangeFailure>(results.at(0)); }
};

TEST_F(ExchangeTest, HonestServer) {
  server().error = 0s;
  clock.step(-47s - 550ms);
  run();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_NEAR(static_cast<double>(sample().offset.value.count()), 47.55e9, 10.0);
  EXPECT_EQ(network.sent.size(), 1U);
  EXPECT_EQ(network.open_sockets(), 0U);
}

TEST_F(ExchangeTest, DeadServerFailsAfterTwoAttemptsInTwoSeconds) {
  const auto began = clock.snapshot().monotonic;
  start();
  ASSERT_TRUE(scheduler.run_while_not([&] { return !results.empty(); }, 10s));
  EXPECT_EQ(clock.snapshot().monotonic - began, 2s);
  EXPECT_EQ(failure().text, "no reply");
  EXPECT_FALSE(failure().reached);
  EXPECT_EQ(network.sent.size(), 2U);
  EXPECT_EQ(network.open_sockets(), 0U);
}

TEST_F(ExchangeTest, LostRequestIsRepeatedOnANewSocketWithNewBits) {
  server().drop_first = 1;
  run();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(sample().delay, 2ms);
  ASSERT_EQ(network.sent.size(), 2U);
  EXPECT_NE(network.sent[0].socket, network.sent[1].socket);
  EXPECT_NE(network.sent[0].bytes, network.sent[1].bytes);
}

TEST_F(ExchangeTest, NoRetryWithoutBudget) {
  allowed = 0;
  run();
  EXPECT_EQ(network.sent.size(), 1U);
  EXPECT_EQ(failure().text, "no reply");
}

TEST_F(ExchangeTest, ReplyAfterTheTimeoutBelongsToNobody) {
  server().out = 1500ms;  // the answer to the first request comes while the second waits
  allowed = 1;
  run();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(failure().text, "no reply");
}

TEST_F(ExchangeTest, IcmpErrorFailsFastButLeavesRoomForOneRetry) {
  server().icmp = core::Error{core::ErrorCode::unavailable, "connection refused"};
  const auto began = clock.snapshot().monotonic;
  start();
  ASSERT_TRUE(scheduler.run_while_not([&] { return !results.empty(); }, 10s));
  EXPECT_LT(clock.snapshot().monotonic - began, 300ms);
  EXPECT_EQ(failure().text, "connection refused");
  EXPECT_EQ(network.sent.size(), 2U);
}

TEST_F(ExchangeTest, ForgedIcmpErrorDoesNotHideTheRealReply) {
  server().out = 50ms;
  start();
  server().icmp = core::Error{core::ErrorCode::unavailable, "forged"};  // from now on; the first reply is already on its way
  scheduler.run_for(5s);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Sample>(results[0]));
}

TEST_F(ExchangeTest, FloodOfIcmpErrorsCostsOneRetry) {
  server().back = 600ms;
  start();
  for (int i = 0; i < 50; ++i) {
    network.inject_error(kPeer, {core::ErrorCode::unavailable, "forged"});
    scheduler.run_for(1ms);
  }
  EXPECT_EQ(allowed, 99);
  scheduler.run_for(300ms);
  EXPECT_EQ(network.sent.size(), 2U);  // the flood did not postpone the retry either
  scheduler.run_for(1s);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Sample>(results[0]));
}

TEST_F(ExchangeTest, NoSocketAndNoRouteAreFailuresNotCrashes) {
  network.open_error = core::Error{core::ErrorCode::unavailable, "network is unreachable"};
  run();
  EXPECT_EQ(failure().text, "network is unreachable");
  results.clear();
  network.open_error.reset();
  network.send_error = core::Error{core::ErrorCode::unavailable, "no route"};
  run();
  EXPECT_EQ(failure().text, "no route");
}

TEST_F(ExchangeTest, NetworkThatComesBackInTimeIsUsed) {
  network.send_error = core::Error{core::ErrorCode::unavailable, "no route"};
  server();
  start();
  scheduler.run_for(100ms);
  network.send_error.reset();
  scheduler.run_for(1s);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Sample>(results[0]));
}

TEST_F(ExchangeTest, WrongPacketsBeforeTheRealOneChangeNothing) {
  server().bogus = [](const fakes::Bytes& request) {
    auto packet = fakes::ntp_reply({}, request, core::RealtimePoint{2000000000s});
    fakes::put_be(packet, 24, 0, 8);
    return packet;
  };
  run();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Sample>(results[0]));
  EXPECT_LE(core::magnitude(sample().offset), 1ms);
}

TEST_F(ExchangeTest, OnlyWrongPacketsAreNamedInTheFailure) {
  server().tamper = [](auto& r) { r[24] ^= std::byte{1}; };
  run();
  EXPECT_EQ(failure().text, "no valid reply: origin timestamp is not what was sent");
  EXPECT_TRUE(failure().reached);
}

TEST_F(ExchangeTest, UnsynchronizedServerEndsTheExchangeAtOnce) {
  server().leap = 3;
  run(10ms);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(failure().text, "server is not synchronized (LI=3)");
  EXPECT_EQ(network.sent.size(), 1U);
}

TEST_F(ExchangeTest, KissCodeIsHandedOn) {
  server().stratum = 0;
  server().refid = "RATE";
  run();
  EXPECT_EQ(failure().kiss_code, "RATE");
  EXPECT_EQ(network.sent.size(), 1U);
}

TEST_F(ExchangeTest, CounterThatRanOnDuringAPauseCausesAnotherQuestion) {
  server().out = 20ms;
  start();
  scheduler.post_after(10ms, [this] { clock.pause(40s, fakes::FakeClock::Pause::counter_ran_on); });
  scheduler.run_for(60s);
  ASSERT_EQ(results.size(), 1U);
  ASSERT_TRUE(std::holds_alternative<Sample>(results[0]));
  EXPECT_LE(core::magnitude(sample().offset - clock.error()), sample().uncertainty);
}

TEST_F(ExchangeTest, OwnStepWhileTheRequestIsOutKeepsTheSample) {
  server().out = 20ms;
  clock.step(-40s);
  start();
  scheduler.run_for(10ms);
  clock.step(40s);
  exchange->own_step(clock.snapshot());
  scheduler.run_for(1s);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_LE(core::magnitude(sample().offset), 100ns + sample().uncertainty);
  EXPECT_EQ(network.sent.size(), 1U);
}

TEST_F(ExchangeTest, ReplyStampedBeforeOurStepButReadAfterItIsAskedAgain) {
  server().out = 20ms;
  clock.step(-40s);
  start();
  scheduler.run_for(10ms);
  clock.step(40s);
  auto after = clock.snapshot();
  after.raw += 15ms;  // as if the reply (at 21 ms) had been stamped before the step ended
  exchange->own_step(after);
  scheduler.run_for(1s);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Sample>(results[0]));
  EXPECT_EQ(network.sent.size(), 2U);
}

TEST_F(ExchangeTest, DestroyedExchangeIsNeverCalledBack) {
  server();
  start();
  exchange.reset();
  scheduler.run_for(5s);
  EXPECT_TRUE(results.empty());
  EXPECT_EQ(network.open_sockets(), 0U);
}

}  // namespace
}  // namespace clockmend::probes::ntp
