#include "correctors/clock_stepper.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <vector>

#include "tests/fakes/fake_clock.hpp"

namespace clockmend::correctors {
namespace {

using namespace std::chrono_literals;

class RecordingAdjuster final : public core::ClockAdjuster {
 public:
  explicit RecordingAdjuster(fakes::FakeClock& c) : clock(c) {}
  core::Result<core::ClockSnapshot> step(core::Offset offset) override {
    clock.step(offset.value);
    steps.push_back(offset);
    return clock.snapshot();
  }
  core::Status slew(core::Offset offset) override {
    slews.push_back(offset);
    return core::success();
  }
  core::Status permitted() override { return core::success(); }
  fakes::FakeClock& clock;
  std::vector<core::Offset> steps;
  std::vector<core::Offset> slews;
};

struct ClockStepperTest : testing::Test {
  fakes::FakeClock clock;
  RecordingAdjuster adjuster{clock};
  ClockStepper stepper{adjuster, clock};
  TimeBounds bounds{clock.truth() - 24h, clock.truth() + 24h};
};

TEST_F(ClockStepperTest, StepsWithinTheBoundsGoThrough) {
  for (const core::nanoseconds amount : {core::nanoseconds{47550ms}, core::nanoseconds{-3h}, core::nanoseconds{-21h + 1s}}) {
    const auto result = stepper.step({amount}, bounds);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->realtime, clock.snapshot().realtime);
  }
  EXPECT_EQ(adjuster.steps.size(), 3U);
}

TEST_F(ClockStepperTest, NoDateOutsideIsEverSet) {
  constexpr auto kMost = core::nanoseconds::max();
  for (const core::nanoseconds amount : {core::nanoseconds{25h}, core::nanoseconds{-25h}, kMost, core::nanoseconds::min()}) {
    const auto result = stepper.step({amount}, bounds);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, core::ErrorCode::invalid);
    EXPECT_NE(result.error().text.find("refused"), std::string::npos);
  }
  EXPECT_TRUE(adjuster.steps.empty());
}

TEST_F(ClockStepperTest, AClockAlreadyOutsideCanComeBackIn) {
  clock.step(-240h);
  EXPECT_FALSE(stepper.step({1h}, bounds).ok());
  EXPECT_TRUE(stepper.step({240h}, bounds).ok());
}

TEST_F(ClockStepperTest, SlewsAreBounded) {
  EXPECT_TRUE(stepper.slew({400ms}).ok());
  EXPECT_TRUE(stepper.slew({-400ms}).ok());
  EXPECT_FALSE(stepper.slew({2001s}).ok());
  EXPECT_FALSE(stepper.slew({core::nanoseconds::min()}).ok());
  EXPECT_EQ(adjuster.slews.size(), 2U);
}

}  // namespace
}  // namespace clockmend::correctors
