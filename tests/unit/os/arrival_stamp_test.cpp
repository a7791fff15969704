#include "agent/os/arrival_stamp.hpp"

#include <gtest/gtest.h>

namespace clockmend::os {
namespace {

using core::microseconds;
using core::milliseconds;
using core::nanoseconds;
using core::seconds;

core::ClockSnapshot at(seconds realtime, nanoseconds up) {
  core::ClockSnapshot s;
  s.realtime = core::RealtimePoint{realtime + up};
  s.monotonic = core::MonotonicPoint{up};
  s.raw = core::RawPoint{up};
  s.boottime = core::BoottimePoint{up + seconds{9}};
  s.bracket = nanoseconds{200};
  return s;
}

constexpr seconds kEpoch{1'795'000'000};

TEST(ArrivalClocks, AKernelStampMovesAllClocksBackByItsAge) {
  const auto sent = at(kEpoch, milliseconds{1000});
  const auto wake = at(kEpoch, milliseconds{1010});
  const auto got = arrival_clocks(wake, wake.realtime - milliseconds{4}, sent);
  EXPECT_EQ(got.realtime, wake.realtime - milliseconds{4});
  EXPECT_EQ(got.monotonic, wake.monotonic - milliseconds{4});
  EXPECT_EQ(got.raw, wake.raw - milliseconds{4});
  EXPECT_EQ(got.boottime, wake.boottime - milliseconds{4});
}

TEST(ArrivalClocks, ImplausibleStampsAreNotUsed) {
  const auto sent = at(kEpoch, milliseconds{1000});
  const auto wake = at(kEpoch, milliseconds{2500});
  const nanoseconds ages[] = {nanoseconds{-1}, milliseconds{-500}, milliseconds{1001}, seconds{86400}};
  for (const nanoseconds age : ages) {
    EXPECT_EQ(arrival_clocks(wake, wake.realtime - age, sent).realtime, wake.realtime) << age.count();
  }
  EXPECT_EQ(arrival_clocks(wake, std::nullopt, sent).realtime, wake.realtime);
}

TEST(ArrivalClocks, AStampFromBeforeAStepIsNotUsed) {
  const auto sent = at(kEpoch, milliseconds{1000});
  // Stepped by 300 ms between the request and the wake-up: the stamp's age of 304 ms looks plausible and is not.
  auto wake = at(kEpoch, milliseconds{1010});
  wake.realtime += milliseconds{300};
  const auto stamp = wake.realtime - milliseconds{304};
  EXPECT_EQ(arrival_clocks(wake, stamp, sent).realtime, wake.realtime);
}

TEST(ArrivalClocks, ReadingNoiseIsNoStep) {
  const auto sent = at(kEpoch, milliseconds{1000});
  auto wake = at(kEpoch, milliseconds{1010});
  wake.realtime += nanoseconds{900};
  const auto stamp = wake.realtime - microseconds{70};
  EXPECT_EQ(arrival_clocks(wake, stamp, sent).realtime, stamp);
}

}  // namespace
}  // namespace clockmend::os
