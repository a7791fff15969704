#include "probes/raw_alarm.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;

TEST(RawAlarm, KeepsToRawWhileMonotonicIsSlewed) {
  for (const long slew : {83'333L, -83'333L}) {
    fakes::FakeClock clock;
    fakes::FakeScheduler scheduler(clock);
    RawAlarm alarm(scheduler, clock);
    clock.slew_ppm = slew;
    for (int i = 0; i < 5; ++i) {
      const auto due = clock.snapshot().raw + 1s;
      bool rang = false;
      alarm.set(due, [&] { rang = true; });
      ASSERT_TRUE(scheduler.run_while_not([&] { return rang; }, 3s));
      const core::nanoseconds error = clock.snapshot().raw - due;
      EXPECT_GE(error, -3ms);
      if (i > 0) {
        EXPECT_LE(error, 1ms);  // the first wait cannot know the rate yet
      }
    }
  }
}

TEST(RawAlarm, ReplacesAndCancels) {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler(clock);
  RawAlarm alarm(scheduler, clock);
  int first = 0;
  int second = 0;
  alarm.set_after(1s, [&] { ++first; });
  alarm.set_after(2s, [&] { ++second; });
  scheduler.run_for(3s);
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
  alarm.set_after(1s, [&] { ++first; });
  alarm.cancel();
  scheduler.run_for(3s);
  EXPECT_EQ(first, 0);
}

}  // namespace
}  // namespace clockmend::probes
