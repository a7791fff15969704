#include "agent/engine/guards.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine {
namespace {

using namespace std::chrono_literals;

class GuardsTest : public testing::Test {
 protected:
  GuardsTest() { policy.floor = clock.truth() - 24h; }
  core::Estimate estimate(core::nanoseconds offset, unsigned witnesses = 1, bool majority = false) {
    core::Estimate e;
    e.offset.value = offset;
    e.uncertainty = 5ms;
    e.witnesses = witnesses;
    e.ntp_majority = majority;
    return e;
  }
  bool allowed(const core::Estimate& e, bool forced = false, core::nanoseconds own_forward = {}) {
    return !forbidden(e, history, {clock.snapshot(), forced, own_forward}, policy);
  }

  fakes::FakeClock clock;
  core::Policy policy;
  StepHistory history;
};

TEST_F(GuardsTest, OneSourceForward) {
  EXPECT_TRUE(allowed(estimate(1000s)));
  EXPECT_FALSE(allowed(estimate(1000001ms)));
  EXPECT_TRUE(allowed(estimate(2035372s, 2))) << "23.5 days on two witnesses' word";
  EXPECT_TRUE(allowed(estimate(2035372s, 1, true)));
  EXPECT_TRUE(allowed(estimate(2035372s), true));
}

TEST_F(GuardsTest, OneSourceBackward) {
  EXPECT_TRUE(allowed(estimate(-1s)));
  EXPECT_FALSE(allowed(estimate(-1001ms)));
  EXPECT_TRUE(allowed(estimate(-3600s, 2)));
  EXPECT_TRUE(allowed(estimate(-3600s), true));
}

TEST_F(GuardsTest, TakingBackPartOfOurOwnStepIsNotBackward) {
  EXPECT_FALSE(allowed(estimate(-30s)));
  EXPECT_TRUE(allowed(estimate(-30s), false, 47s));
  EXPECT_FALSE(allowed(estimate(-50s), false, 47s));
}

TEST_F(GuardsTest, FloorHoldsEvenForAMajority) {
  EXPECT_FALSE(allowed(estimate(-48h, 3, true)));
  EXPECT_TRUE(allowed(estimate(-23h, 3, true)));
  policy.floor = clock.truth() + 3ms;
  EXPECT_TRUE(allowed(estimate(0s, 2))) << "within its own error of the floor";
}

TEST_F(GuardsTest, CeilingHoldsEvenWhenForced) { EXPECT_FALSE(allowed(estimate(24h * 366 * 80, 3, true), true)); }

TEST_F(GuardsTest, UncorroboratedStepsAddUp) {
  for (int i = 0; i < 9; ++i) {
    EXPECT_TRUE(allowed(estimate(100s))) << i;
    history.add(clock.snapshot().boottime, {100s}, false);
    clock.advance(60s);
  }
  EXPECT_TRUE(allowed(estimate(100s)));
  EXPECT_FALSE(allowed(estimate(101s))) << "1000 s within the hour is the limit";
  EXPECT_TRUE(allowed(estimate(101s, 2)));
  clock.advance(3600s);
  EXPECT_TRUE(allowed(estimate(1000s))) << "the window has passed";
}

TEST_F(GuardsTest, CorroboratedStepsDoNotCount) {
  history.add(clock.snapshot().boottime, {5000s}, true);
  EXPECT_TRUE(allowed(estimate(1000s)));
}

TEST_F(GuardsTest, ManySmallStepsAreNotForgotten) {
  for (int i = 0; i < 2000; ++i) history.add(clock.snapshot().boottime, {i % 2 ? 500ms : -500ms}, false);
  EXPECT_EQ(history.uncorroborated_within(clock.snapshot().boottime, 3600s), 1000s);
  EXPECT_FALSE(allowed(estimate(1s)));
}

TEST_F(GuardsTest, RefusalsSayWhoAndHowMuch) {
  auto e = estimate(2035372s);
  e.best = core::Witness::rtc;
  const auto why = forbidden(e, history, {clock.snapshot(), false, {}}, policy);
  ASSERT_TRUE(why);
  EXPECT_NE(why->find("rtc"), std::string::npos) << *why;
  EXPECT_NE(why->find("1000.000 s"), std::string::npos) << *why;
  EXPECT_NE(why->find("2035372.000 s"), std::string::npos) << *why;
}

}  // namespace
}  // namespace clockmend::engine
