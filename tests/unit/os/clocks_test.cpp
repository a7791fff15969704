// Clocks: reading them, and being refused to set them. Nothing here may set the clock of the machine that runs it: where the
// process would be allowed to, the test does not try.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "agent/os/clock_adjuster.hpp"
#include "agent/os/clock_reader.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

using core::nanoseconds;
using core::seconds;

bool may_set_the_clock() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capget, &header, data) != 0) return true;
  return (data[CAP_TO_INDEX(CAP_SYS_TIME)].effective & CAP_TO_MASK(CAP_SYS_TIME)) != 0;
}

TEST(LinuxClockReader, ReadsFourClocksInOneBracket) {
  LinuxClockReader clocks;
  const core::ClockSnapshot a = clocks.snapshot();
  const core::ClockSnapshot b = clocks.snapshot();
  EXPECT_GT(a.realtime.time_since_epoch(), seconds{1'600'000'000});
  EXPECT_GE(a.boottime.time_since_epoch(), a.monotonic.time_since_epoch());
  EXPECT_GE(a.bracket, nanoseconds::zero());
  EXPECT_LT(a.bracket, seconds{1});
  EXPECT_GE(b.raw, a.raw);
  EXPECT_GE(b.monotonic, a.monotonic);
  // Nobody sets the clock between two readings, so the difference of the clocks is good to the brackets.
  const nanoseconds moved = core::realtime_minus_monotonic(b) - core::realtime_minus_monotonic(a);
  EXPECT_LE(std::chrono::abs(moved), a.bracket + b.bracket + core::microseconds{1});
}

TEST(LinuxClockReader, TellsTheKernelsOpinion) {
  LinuxClockReader clocks;
  const core::KernelClockStatus status = clocks.kernel_status();
  timex t{};
  ASSERT_GE(::clock_adjtime(CLOCK_REALTIME, &t), 0);
  EXPECT_EQ(status.unsynchronized, (t.status & STA_UNSYNC) != 0);
  EXPECT_EQ(status.tai_offset_s, t.tai);
  EXPECT_LE(std::abs(status.frequency_ppm), 500.0);
  EXPECT_GE(status.max_error, nanoseconds::zero());
}

TEST(LinuxClockReader, ReadsTheClocksourceUnderItsRoot) {
  const fakes::TempDir tree;
  LinuxClockReader clocks{tree.path()};
  EXPECT_EQ(clocks.clocksource(), "unknown");
  tree.put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock\n");
  EXPECT_EQ(clocks.clocksource(), "kvm-clock");
}

TEST(SplitOffset, NanosecondsAreNeverNegative) {
  struct Row {
    nanoseconds offset;
    long secs;
    long nanos;
  };
  const Row rows[] = {{nanoseconds{0}, 0, 0},
                      {nanoseconds{1}, 0, 1},
                      {nanoseconds{-1}, -1, 999'999'999},
                      {core::milliseconds{-300}, -1, 700'000'000},
                      {seconds{-2}, -2, 0},
                      {core::milliseconds{47'550}, 47, 550'000'000},
                      {seconds{-2'035'372} - nanoseconds{5}, -2'035'373, 999'999'995}};
  for (const Row& row : rows) {
    const SplitOffset split = split_offset({row.offset});
    EXPECT_EQ(split.secs, row.secs) << row.offset.count();
    EXPECT_EQ(split.nanos, row.nanos) << row.offset.count();
  }
}

TEST(LinuxClockAdjuster, IsRefusedWithoutTheCapability) {
  if (may_set_the_clock()) GTEST_SKIP() << "this process may set the clock, so the test does not try; run it by tests/run.sh";
  LinuxClockReader clocks;
  LinuxClockAdjuster adjuster{clocks};
  const core::Status permitted = adjuster.permitted();
  ASSERT_FALSE(permitted.ok());
  EXPECT_EQ(permitted.error().code, core::ErrorCode::not_permitted) << permitted.error().text;

  const auto step = adjuster.step({core::microseconds{1}});
  ASSERT_FALSE(step.ok());
  EXPECT_EQ(step.error().code, core::ErrorCode::not_permitted) << step.error().text;

  const auto slew = adjuster.slew({core::microseconds{1}});
  ASSERT_FALSE(slew.ok());
  EXPECT_EQ(slew.error().code, core::ErrorCode::not_permitted) << slew.error().text;
}

}  // namespace
}  // namespace clockmend::os
