#include "agent/channel/exchange.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/channel/rig.hpp"

namespace clockmend::tests {
namespace {

using namespace std::chrono_literals;
using core::nanoseconds;

struct World {
  fakes::FakeClock guest;
  channel::ExchangeLedger ledger;

  wire::Quadruple round(nanoseconds there, nanoseconds inside, nanoseconds back) {
    wire::Quadruple q;
    q.t1 = guest.truth().time_since_epoch().count();
    guest.advance(there);
    const auto t2 = guest.snapshot();
    guest.advance(inside);
    const auto t3 = guest.snapshot();
    ledger.record(t2, t3);
    guest.advance(back);
    q.t2 = t2.realtime.time_since_epoch().count();
    q.t3 = t3.realtime.time_since_epoch().count();
    q.t4 = guest.truth().time_since_epoch().count();
    return q;
  }
  channel::ExchangeVerdict judge(const std::vector<wire::Quadruple>& rounds) { return ledger.judge(rounds, guest.snapshot(), 50ms); }
};

TEST(Exchange, OffsetIsHostMinusGuest) {
  World w;
  w.guest.pause(47550ms);  // the guest is behind: the correction is positive
  const auto verdict = w.judge({w.round(100us, 30us, 100us)});
  ASSERT_TRUE(verdict.reading) << verdict.why;
  EXPECT_EQ(verdict.reading->offset.value, 47550ms);
  EXPECT_EQ(verdict.reading->witness, core::Witness::host);
  EXPECT_EQ(verdict.reading->systematic, 50ms);
  EXPECT_GE(verdict.reading->uncertainty, 100us);
  EXPECT_LT(verdict.reading->uncertainty, 105us);
}

// Each host finds a fresh ledger, whatever number of rounds the ones before it left.
TEST(Exchange, EveryHostAfterTheFirstIsBelievedToo) {
  World w;
  for (std::size_t host = 1; host <= 40; ++host) {
    std::vector<wire::Quadruple> rounds;
    for (std::size_t i = 0; i < 1 + host % 12; ++i) rounds.push_back(w.round(100us, 30us, 100us));
    EXPECT_TRUE(w.judge(rounds).reading) << "host " << host;
    w.ledger.clear();
    EXPECT_FALSE(w.judge(rounds).reading) << "forgotten with host " << host;
  }
}

TEST(Exchange, GuestAheadGivesANegativeOffset) {
  World w;
  w.guest.step(3600s);
  EXPECT_EQ(w.judge({w.round(1ms, 0ns, 1ms)}).reading->offset.value, -3600s);
}

TEST(Exchange, DecadesApartDoNotOverflow) {
  World w;
  w.guest.step(-w.guest.snapshot().realtime.time_since_epoch() + 1s);  // 1970 against 2025
  const auto verdict = w.judge({w.round(1ms, 0ns, 1ms)});
  ASSERT_TRUE(verdict.reading);
  EXPECT_EQ(verdict.reading->offset.value, w.guest.error().value);
}

TEST(Exchange, TheTruthIsAlwaysWithinTheStatedError) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto up_to = [&random](nanoseconds most) {
    return nanoseconds(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most.count())));
  };
  for (int i = 0; i < 2000; ++i) {
    World w;
    w.guest.step(up_to(100s) - nanoseconds(50s));
    std::vector<wire::Quadruple> rounds;
    for (std::uint64_t n = 1 + random() % 16; n > 0; --n) rounds.push_back(w.round(up_to(20ms), up_to(5ms), up_to(20ms)));
    const auto verdict = w.judge(rounds);
    ASSERT_TRUE(verdict.reading) << verdict.why;
    const nanoseconds wrong = verdict.reading->offset.value - w.guest.error().value;
    EXPECT_LE(wrong, verdict.reading->uncertainty);
    EXPECT_GE(wrong, -verdict.reading->uncertainty);
  }
}

TEST(Exchange, TheSmallestRoundTripWins) {
  World w;
  const auto slow = w.round(9ms, 0ns, 1ms);
  const auto quick = w.round(20us, 5ms, 20us);  // time spent inside the guest does not count
  const auto slower = w.round(100ms, 0ns, 1ms);
  const auto verdict = w.judge({slow, quick, slower});
  EXPECT_LT(verdict.reading->uncertainty, 30us);
  EXPECT_EQ(verdict.host_sent, quick.t4);
}

TEST(Exchange, WhatWasNotAnsweredHereIsRejected) {
  World w;
  wire::Quadruple q = w.round(1ms, 0ns, 1ms);
  q.t3 += 1;
  EXPECT_FALSE(w.judge({q}).reading);
  EXPECT_FALSE(w.judge({{1, 2, 3, 4}}).reading);
  EXPECT_NE(w.judge({{1, 2, 3, 4}}).why.find("not answered on this connection"), std::string::npos);
}

TEST(Exchange, OnlyTheLastSixteenAnswersCount) {
  World w;
  const auto first = w.round(1ms, 0ns, 1ms);
  std::vector<wire::Quadruple> later;
  for (int i = 0; i < 16; ++i) later.push_back(w.round(1ms, 0ns, 1ms));
  EXPECT_FALSE(w.judge({first}).reading);
  EXPECT_TRUE(w.judge({later.front()}).reading);
}

TEST(Exchange, ASetClockVoidsAllThatCameBefore) {
  World w;
  const auto before = w.round(1ms, 0ns, 1ms);
  w.guest.step(2ms);
  const auto after = w.round(1ms, 0ns, 1ms);
  EXPECT_FALSE(w.judge({before}).reading);
  EXPECT_NE(w.judge({before}).why.find("set since"), std::string::npos);
  EXPECT_TRUE(w.judge({after}).reading);
  EXPECT_FALSE(w.judge({before, after}).reading);
}

TEST(Exchange, ImpossibleOrSlowRoundTripsAreRejected) {
  World w;
  const auto good = w.round(1ms, 0ns, 1ms);
  wire::Quadruple negative = good;
  negative.t4 = negative.t1 - 1;
  EXPECT_FALSE(w.judge({negative}).reading);
  wire::Quadruple shorter_than_inside = w.round(1ms, 5ms, 1ms);
  shorter_than_inside.t4 = shorter_than_inside.t1 + 1'000'000;
  EXPECT_FALSE(w.judge({shorter_than_inside}).reading);
  EXPECT_FALSE(w.judge({w.round(600ms, 0ns, 500ms)}).reading);
  EXPECT_TRUE(w.judge({w.round(500ms, 0ns, 500ms)}).reading);
  EXPECT_FALSE(w.judge({}).reading);
}

TEST(Exchange, OldRoundsAreRejected) {
  World w;
  const auto q = w.round(1ms, 0ns, 1ms);
  w.guest.advance(31s);
  EXPECT_FALSE(w.judge({q}).reading);
}

}  // namespace
}  // namespace clockmend::tests
