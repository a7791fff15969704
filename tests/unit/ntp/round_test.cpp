#include "probes/ntp/round.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/fake_random.hpp"

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;

struct RoundTest : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeNetwork network{clock, scheduler};
  fakes::FakeRandom random;
  std::map<std::string, std::shared_ptr<Server>> servers;
  std::optional<RoundResult> result;
  std::unique_ptr<Round> round;
  RoundPlan plan{core::RealtimePoint{1704067200s}, core::RealtimePoint{4102444800s}, 1s, 4500ms, 10ms};

  static std::string address(int n) { return "192.0.2." + std::to_string(n); }
  fakes::NtpServerScript& honest(int n) { return network.server(address(n)); }
  void dead(int n) { network.server(address(n)).dead = true; }
  std::shared_ptr<Server> server(int n) {
    auto& s = servers[address(n)];
    if (!s) s = std::make_shared<Server>();
    s->endpoint = {address(n), 123};
    return s;
  }
  void start(int count) {
    result.reset();
    round = std::make_unique<Round>(ExchangePorts{network, scheduler, random}, plan, [this](const RoundResult& r) {
      result = r;
      round.reset();
    });
    for (int n = 1; n <= count; ++n) round->add(server(n));
  }
  core::nanoseconds run(int count) {
    start(count);
    EXPECT_TRUE(scheduler.run_while_not([&] { return result.has_value(); }, 20s));
    return result->took;
  }
};

TEST_F(RoundTest, FourHonestAndThreeDeadAreAsFastAsFourHonest) {
  for (int n = 1; n <= 4; ++n) honest(n);
  const auto alone = run(4);
  clock.advance(120s);
  for (int n = 5; n <= 7; ++n) dead(n);
  const auto with_dead = run(7);
  EXPECT_EQ(alone, with_dead);
  EXPECT_LT(with_dead, 5ms);
  EXPECT_EQ(result->selection.agreeing, 4U);
  EXPECT_EQ(network.open_sockets(), 0U);
}

TEST_F(RoundTest, OneLiarAmongFour) {
  for (int n = 1; n <= 4; ++n) honest(n);
  honest(1).error = 3600s;
  honest(1).out = honest(1).back = 100us;  // and he is the first to answer
  clock.step(-40s);
  run(4);
  EXPECT_TRUE(result->selection.usable);
  EXPECT_EQ(result->selection.agreeing, 3U);
  EXPECT_LE(core::magnitude(result->selection.offset - core::Offset{40s}), 2ms);
  EXPECT_FALSE(result->answers[0].truechimer);
  EXPECT_TRUE(result->answers[1].truechimer);
}

TEST_F(RoundTest, ASingleServerEndsTheRoundWithItsFirstAnswer) {
  honest(1);
  EXPECT_LT(run(1), 3ms);
  EXPECT_EQ(network.sent.size(), 1U);
  EXPECT_EQ(result->selection.agreeing, 1U);
  EXPECT_EQ(result->selection.answered, 1U);
}

TEST_F(RoundTest, OneOfTwoDeadWaitsForItsRetryThenTakesTheOther) {
  honest(1);
  dead(2);
  EXPECT_EQ(run(2), 2s);
  EXPECT_TRUE(result->selection.usable);
  EXPECT_EQ(result->selection.answered, 1U);
  EXPECT_EQ(result->answers[1].failure.text, "no reply");
}

TEST_F(RoundTest, TwoThatDisagreeGiveNothing) {
  honest(1);
  honest(2).error = 5s;
  run(2);
  EXPECT_FALSE(result->selection.usable);
}

TEST_F(RoundTest, AllDeadEndsAfterTheRetries) {
  for (int n = 1; n <= 3; ++n) dead(n);
  EXPECT_EQ(run(3), 2s);
  EXPECT_EQ(result->selection.answered, 0U);
}

TEST_F(RoundTest, RoundWithoutServersEndsAtOnce) { EXPECT_EQ(run(0), 0s); }

TEST_F(RoundTest, UnexactMajorityWaitsOnlyAMomentForMore) {
  for (int n = 1; n <= 3; ++n) honest(n).root_dispersion = 40ms;  // can never be within 10 ms
  dead(4);
  const auto took = run(4);
  EXPECT_GE(took, 100ms);
  EXPECT_LT(took, 300ms);
  EXPECT_EQ(network.sent_to(address(1)).size(), 1U);  // asking again cannot help
}

TEST_F(RoundTest, LongPathIsSampledAgainAndTheShortestKept) {
  honest(1).out = 200ms;
  unsigned asked = 0;
  honest(1).tamper = [&](auto&) { honest(1).out = ++asked == 1 ? 3ms : 150ms; };  // the second request finds a free path
  run(1);
  EXPECT_GE(network.sent.size(), 2U);
  EXPECT_LE(result->answers[0].sample->delay, 5ms);
}

TEST_F(RoundTest, ExtraSamplesThatAreLostDoNotHoldUpTheRound) {
  honest(1).out = 30ms;
  honest(1).tamper = [&](auto&) { honest(1).dead = true; };
  EXPECT_LT(run(1), 500ms);
  EXPECT_TRUE(result->selection.usable);
}

TEST_F(RoundTest, SlowResolverCountsAsAServerThatMayStillAnswer) {
  honest(1);
  honest(2);
  start(1);
  round->set_pending_names(1);
  scheduler.run_for(100ms);
  EXPECT_FALSE(result.has_value());
  round->add(server(2));
  round->set_pending_names(0);
  scheduler.run_for(5ms);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->selection.agreeing, 2U);
}

TEST_F(RoundTest, DeadlineEndsWhatNothingElseEnds) {
  start(0);
  round->set_pending_names(1);
  scheduler.run_for(10s);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->took, plan.deadline);
}

TEST_F(RoundTest, RateLimitingServerIsAskedAgainAfterItsHeadwayInTheSameRound) {
  honest(1).stratum = 0;
  honest(1).refid = "RATE";
  start(1);
  scheduler.run_for(100ms);
  EXPECT_FALSE(result.has_value());
  honest(1).stratum = 2;
  scheduler.run_for(2200ms);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->selection.usable);
  ASSERT_EQ(network.sent.size(), 2U);
  EXPECT_GE(network.sent[1].at.monotonic - network.sent[0].at.monotonic, 2100ms);
}

TEST_F(RoundTest, RateOfOneServerDoesNotDelayTheOthers) {
  for (int n = 1; n <= 3; ++n) honest(n);
  honest(3).stratum = 0;
  honest(3).refid = "RATE";
  EXPECT_LT(run(3), 5ms);
  EXPECT_EQ(result->selection.agreeing, 2U);
}

TEST_F(RoundTest, ServersWithoutBudgetAreNotWaitedForNorCounted) {
  for (int n = 1; n <= 3; ++n) honest(n);
  for (unsigned i = 0; i < RequestBudget::kBurst; ++i) ASSERT_TRUE(server(3)->budget.take(scheduler.now()));
  EXPECT_LT(run(3), 5ms);
  EXPECT_FALSE(result->answers[2].asked);
  EXPECT_EQ(result->answers[2].failure.text, "asked too often, next in 4 s");
  EXPECT_EQ(result->selection.agreeing, 2U);
}

TEST_F(RoundTest, OwnStepDropsSamplesTakenBeforeIt) {
  plan.wanted_error = 50ms;
  honest(1).back = 1ms;
  honest(2).back = 30ms;
  honest(3).dead = true;
  clock.step(-40s);
  start(3);
  scheduler.run_for(10ms);  // server 1 has answered
  clock.step(40s);
  round->own_step(clock.snapshot());
  scheduler.run_for(100ms);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->selection.agreeing, 2U);
  EXPECT_LE(core::magnitude(result->selection.offset), result->selection.uncertainty);
  EXPECT_EQ(network.sent_to(address(1)).size(), 2U);
  EXPECT_EQ(network.sent_to(address(2)).size(), 1U);
}

TEST_F(RoundTest, DestroyedRoundLeavesNothingBehind) {
  for (int n = 1; n <= 3; ++n) honest(n);
  start(3);
  round.reset();
  scheduler.run_for(10s);
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(network.open_sockets(), 0U);
}

}  // namespace
}  // namespace clockmend::probes::ntp
