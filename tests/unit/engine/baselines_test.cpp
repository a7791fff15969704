#include "agent/engine/baselines.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine {
namespace {

using namespace std::chrono_literals;
using core::Offset;
using core::OffsetReading;
using core::Witness;

class BaselinesTest : public testing::Test {
 protected:
  // The RTC runs with true time, a constant phase away.
  OffsetReading rtc(core::nanoseconds uncertainty = 2ms) {
    OffsetReading r;
    r.witness = Witness::rtc;
    r.offset.value = clock.error().value + phase;
    r.uncertainty = uncertainty;
    r.at = clock.snapshot();
    return r;
  }
  static bool around(const std::optional<core::OffsetInterval>& i, core::nanoseconds value, core::nanoseconds half_width) {
    return i && i->contains({value}) && i->half_width() <= half_width;
  }

  fakes::FakeClock clock;
  core::nanoseconds phase{-670ms};
  Baselines baselines;
};

TEST_F(BaselinesTest, NothingIsKnownWithoutABaseline) {
  EXPECT_FALSE(baselines.gap(rtc()));
  EXPECT_FALSE(baselines.needed(rtc()));
}

TEST_F(BaselinesTest, PauseIsBothAGapAndNeeded) {
  baselines.relearn(rtc(), true);
  clock.advance(1s);
  clock.pause(47550ms);
  EXPECT_TRUE(around(baselines.gap(rtc()), 47550ms, 5ms));
  EXPECT_TRUE(around(baselines.needed(rtc()), 47550ms, 5ms)) << "the phase of -0.67 s cancels";
}

TEST_F(BaselinesTest, StepIsNeededBackButNoGap) {
  baselines.relearn(rtc(), true);
  clock.step(3600s);
  EXPECT_TRUE(around(baselines.gap(rtc()), 0s, 5ms));
  EXPECT_TRUE(around(baselines.needed(rtc()), -3600s, 5ms));
}

TEST_F(BaselinesTest, SlewIsNoGap) {
  baselines.relearn(rtc(), true);
  clock.drift_ppm = 83'000;  // chronyd's largest
  clock.advance(10s);
  EXPECT_TRUE(around(baselines.gap(rtc()), 0s, 7ms));
  EXPECT_TRUE(around(baselines.needed(rtc()), -830ms, 7ms));
}

TEST_F(BaselinesTest, CounterThatRanOnIsNoGap) {
  baselines.relearn(rtc(), true);
  clock.pause(30s, fakes::FakeClock::Pause::counter_ran_on);
  const auto gap = baselines.gap(rtc());
  ASSERT_TRUE(gap);
  EXPECT_TRUE(gap->contains({0s}));
}

TEST_F(BaselinesTest, AgeWidensBoth) {
  baselines.relearn(rtc(), true);
  clock.advance(1000s);
  EXPECT_GE(baselines.gap(rtc())->half_width(), 200ms);
  EXPECT_LE(baselines.gap(rtc())->half_width(), 210ms);
}

TEST_F(BaselinesTest, ExactBaselineSurvivesACoarseReading) {
  baselines.learn(rtc(), true);
  clock.advance(1s);
  baselines.learn(rtc(505ms), true);
  EXPECT_EQ(baselines.of(Witness::rtc)->reading.uncertainty, 2ms);
  clock.advance(16s);
  baselines.learn(rtc(3ms), true);
  EXPECT_EQ(baselines.of(Witness::rtc)->reading.uncertainty, 3ms) << "16 s of drift made the old one the worse";
}

TEST_F(BaselinesTest, CoarseBaselineGivesWayToAnExactOne) {
  baselines.learn(rtc(505ms), false);
  EXPECT_TRUE(baselines.of(Witness::rtc));
  baselines.learn(rtc(4ms), false);
  EXPECT_EQ(baselines.of(Witness::rtc)->reading.uncertainty, 4ms);
}

TEST_F(BaselinesTest, DisciplineIsWorthALittleExactness) {
  baselines.learn(rtc(1ms), false);
  baselines.learn(rtc(505ms), true);
  EXPECT_FALSE(baselines.of(Witness::rtc)->disciplined) << "a whole second is not worth an edge";
  baselines.learn(rtc(8ms), true);
  EXPECT_TRUE(baselines.of(Witness::rtc)->disciplined);
}

TEST_F(BaselinesTest, AcceptedStepMovesWhatIsRight) {
  baselines.relearn(rtc(), true);
  clock.step(-3600s);
  baselines.accept_step({-3600s});
  EXPECT_TRUE(around(baselines.needed(rtc()), 0s, 5ms));
  EXPECT_TRUE(around(baselines.gap(rtc()), 0s, 5ms));
  clock.pause(10s);
  EXPECT_TRUE(around(baselines.gap(rtc()), 10s, 5ms));
}

TEST_F(BaselinesTest, ForgottenIsUnknown) {
  baselines.relearn(rtc(), true);
  baselines.forget(Witness::rtc);
  EXPECT_FALSE(baselines.gap(rtc()));
}

}  // namespace
}  // namespace clockmend::engine
