#include "agent/host/exchange.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace clockmend::host {
namespace {

using core::nanoseconds;

constexpr std::int64_t kNow = 1'700'000'000'000'000'000;

// A guest whose clock is `behind`, 100 us away in each direction, thinking for 30 us.
wire::Quadruple round_with(std::int64_t behind, std::int64_t out = 100'000, std::int64_t back = 100'000) {
  const std::int64_t arrived = kNow + out;
  const std::int64_t answered = arrived + 30'000;
  return {kNow, arrived - behind, answered - behind, answered + back};
}

TEST(Exchange, MeasuresAGuestThatIsBehindAndOneThatIsAhead) {
  for (const std::int64_t behind : {std::int64_t{47'550'000'000}, std::int64_t{-3'000'000}, std::int64_t{0}}) {
    const wire::Quadruple q = round_with(behind);
    EXPECT_EQ(guest_offset(q).value, nanoseconds{behind});
    EXPECT_EQ(round_trip(q), nanoseconds{200'000});
    EXPECT_TRUE(plausible(q));
  }
}

TEST(Exchange, AnUnevenWayIsWrongByAtMostHalfTheRoundTrip) {
  const wire::Quadruple q = round_with(1'000'000'000, 900'000, 100'000);
  const nanoseconds error = core::magnitude(guest_offset(q) - core::Offset{nanoseconds{1'000'000'000}});
  EXPECT_LE(error, round_trip(q) / 2);
  EXPECT_GT(error, nanoseconds{0});
}

TEST(Exchange, ThrowsOutWhatNoGuestCanHaveMeasured) {
  EXPECT_FALSE(plausible({kNow, kNow, kNow + 10, kNow + 5}));  // claims more time than passed
  EXPECT_FALSE(plausible({kNow, kNow + 5, kNow, kNow + 10}));  // answered before it was asked
  EXPECT_FALSE(plausible({kNow + 10, kNow, kNow, kNow}));      // the host's clock went back
  EXPECT_FALSE(plausible({kNow, 0, 0, kNow + 10}));
  EXPECT_FALSE(plausible({kNow, -5, -5, kNow + 10}));
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t t2 : {least, most}) {
    for (const std::int64_t t3 : {least, most}) {
      const wire::Quadruple q{kNow, t2, t3, kNow + 10};
      static_cast<void>(round_trip(q));
      static_cast<void>(guest_offset(q));
      EXPECT_EQ(plausible(q), t2 == most && t3 == most);
    }
  }
}

TEST(Exchange, KeepsTheShortestRound) {
  EXPECT_FALSE(best_of({}));
  const std::vector<wire::Quadruple> rounds = {round_with(7, 900'000), round_with(7, 50'000), round_with(7, 300'000)};
  EXPECT_EQ(*best_of(rounds), rounds[1]);
}

TEST(Exchange, StopsEarlyOnlyWhenARoundWasShort) {
  std::vector<wire::Quadruple> rounds = {round_with(0, 10'000, 10'000)};
  EXPECT_FALSE(enough(rounds)) << "one round proves nothing about the next";
  rounds.push_back(round_with(0, 10'000, 10'000));
  EXPECT_TRUE(enough(rounds));
  std::vector<wire::Quadruple> slow;
  for (std::size_t i = 0; i < kExchangeRounds; ++i) {
    EXPECT_FALSE(enough(slow)) << i;
    slow.push_back(round_with(0, 5'000'000, 5'000'000));
  }
  EXPECT_TRUE(enough(slow));
}

}  // namespace
}  // namespace clockmend::host
