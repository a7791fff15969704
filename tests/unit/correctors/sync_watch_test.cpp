// A daemon at work is seen by what it does to the kernel's own account of the clock.
#include "correctors/time_daemon/sync_watch.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::correctors::test {
namespace {

using namespace std::chrono_literals;
using State = SyncWatch::State;

struct SyncWatchTest : testing::Test {
  void SetUp() override {
    clock.status.unsynchronized = true;
    clock.status.max_error = 16s;
  }
  void begin() {
    watch.begin([this] { ++ends; });
  }
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  SyncWatch watch{clock, scheduler};
  int ends = 0;
};

TEST_F(SyncWatchTest, ADaemonThatVouchesForTheClockIsSeen) {
  begin();
  scheduler.run_for(6500ms);
  EXPECT_EQ(watch.state(), State::waiting);
  clock.status.unsynchronized = false;
  clock.status.max_error = 20ms;
  scheduler.run_for(1s);
  EXPECT_EQ(watch.state(), State::again);
  EXPECT_EQ(watch.took(), 7s);
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(scheduler.pending(), 0U) << "no timer is left";
}

// chronyd without "rtcsync" never clears STA_UNSYNC.
TEST_F(SyncWatchTest, ALowerErrorAloneIsEnough) {
  begin();
  scheduler.run_for(3s);
  clock.status.max_error = 30ms;
  scheduler.run_for(1s);
  EXPECT_EQ(watch.state(), State::again);
}

TEST_F(SyncWatchTest, AnErrorThatOnlyGrowsIsNobodysWork) {
  clock.status.unsynchronized = false;  // as a daemon left it that was stopped since, without a step
  clock.status.max_error = 10ms;
  begin();
  for (int i = 0; i < 60; ++i) {
    clock.status.max_error += 500us;
    scheduler.run_for(1s);
  }
  EXPECT_EQ(watch.state(), State::waiting);
  clock.status.max_error = 11ms;
  scheduler.run_for(6s);
  EXPECT_EQ(watch.state(), State::again);
}

// chronyd and ntpd need minutes: a wake-up a second until then would be half of what the agent may cost.
TEST_F(SyncWatchTest, ASlowDaemonIsAskedAboutLessAndLess) {
  begin();
  scheduler.run_for(30s);
  const auto ran = scheduler.ran;
  scheduler.run_for(60s);
  EXPECT_LE(scheduler.ran - ran, 15U);
  clock.status.unsynchronized = false;
  scheduler.run_for(9s);
  EXPECT_EQ(watch.state(), State::again) << "late by a tenth at most";
}

TEST_F(SyncWatchTest, ItGivesUpInTheEndAndCostsLittleMeanwhile) {
  begin();
  const auto ran = scheduler.ran;
  scheduler.run_for(1h);
  EXPECT_EQ(watch.state(), State::given_up);
  EXPECT_FALSE(watch.took().has_value());
  EXPECT_EQ(ends, 1);
  EXPECT_LE(scheduler.ran - ran, 160U);
  EXPECT_EQ(scheduler.pending(), 0U);
}

TEST_F(SyncWatchTest, TheNextCorrectionBeginsAnew) {
  begin();
  scheduler.run_for(5s);
  begin();
  scheduler.run_for(2s);
  clock.status.max_error = 1ms;
  scheduler.run_for(1s);
  EXPECT_EQ(watch.took(), 3s);
  EXPECT_EQ(ends, 1);
  watch.stop();
  EXPECT_EQ(watch.state(), State::idle);
}

}  // namespace
}  // namespace clockmend::correctors::test
