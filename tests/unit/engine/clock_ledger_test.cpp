#include "agent/engine/clock_ledger.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine {
namespace {

using namespace std::chrono_literals;
using core::Offset;

class ClockLedgerTest : public testing::Test {
 protected:
  fakes::FakeClock clock;
  ClockLedger ledger{clock.snapshot()};
};

TEST_F(ClockLedgerTest, TimeAndPausesAreNoChange) {
  clock.advance(3600s);
  clock.pause(47550ms);
  const ForeignChange c = ledger.compare(clock.snapshot());
  EXPECT_EQ(c.step, 0ns);
  EXPECT_EQ(c.suspended, 0ns);
}

TEST_F(ClockLedgerTest, ForeignStepIsReportedOnceWithItsValue) {
  clock.step(-90s);
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, -90s);
  clock.advance(1s);
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, 0ns);
}

TEST_F(ClockLedgerTest, OwnStepIsNobodyElses) {
  clock.step(47550ms);
  ledger.own_step(Offset{47550ms});
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, 0ns);
}

TEST_F(ClockLedgerTest, ForeignStepThatCoincidesWithOursIsSeenInFull) {
  clock.step(10s);
  ledger.own_step(Offset{10s});
  clock.step(-3s);
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, -3s);
}

TEST_F(ClockLedgerTest, ForeignStepOfTheSameSizeIsStillOneStep) {
  clock.step(10s);
  clock.step(10s);
  ledger.own_step(Offset{10s});
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, 10s);
}

TEST_F(ClockLedgerTest, TinyStepsAddUpUntilTheyAreNoticed) {
  core::nanoseconds seen{};
  for (int i = 0; i < 10; ++i) {
    clock.step(200us);
    seen += ledger.compare(clock.snapshot()).step;
  }
  EXPECT_GE(seen, 1500us);
  EXPECT_LE(seen, 2ms);
}

TEST_F(ClockLedgerTest, AWideReadingBracketIsNoStep) {
  clock.bracket = 4ms;
  clock.step(4ms);
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, 0ns);
  clock.bracket = 0ns;
  clock.step(2ms);
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, 6ms) << "the wide reading closed no books";
}

TEST_F(ClockLedgerTest, SuspendIsNoStep) {
  clock.suspend(30s);
  const ForeignChange c = ledger.compare(clock.snapshot());
  EXPECT_EQ(c.suspended, 30s);
  EXPECT_EQ(c.step, 0ns);
}

TEST_F(ClockLedgerTest, StepDuringASuspendIsOnlyItsOwnPart) {
  clock.suspend(30s);
  clock.step(5s);
  const ForeignChange c = ledger.compare(clock.snapshot());
  EXPECT_EQ(c.suspended, 30s);
  EXPECT_EQ(c.step, 5s);
  EXPECT_EQ(ledger.compare(clock.snapshot()).step, 0ns);
}

}  // namespace
}  // namespace clockmend::engine
