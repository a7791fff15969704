// The arithmetic of the page's time, and every reason not to believe it.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "probes/vmclock_time.hpp"

namespace clockmend::probes::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;  // of a second, in time_frac_s
constexpr std::int64_t kNow = 1735689600;                // 2025-01-01

/// 2^31 Hz, read 3 s after the page's instant, which was kNow - 3 s; REALTIME is right.
core::VmclockPage good_page() {
  core::VmclockPage p;
  p.counter_id = 1;
  p.clock_status = 2;
  p.has_time = true;
  p.flags = 1U << 6;
  p.time_maxerror_ns = 40'000;
  p.counter_period_frac_s = std::uint64_t{1} << 33;
  p.counter_value = 5'000;
  p.counter_now = 5'000 + 3 * (std::uint64_t{1} << 31);
  p.time_s = kNow - 3;
  p.at.realtime = core::RealtimePoint{core::seconds{kNow}};
  p.at.bracket = 900ns;
  return p;
}

std::string refusal(const core::VmclockPage& p) {
  const auto r = vmclock_reading(p);
  return r ? "it told the time: " + std::to_string(r->offset.value.count()) : r.error().text;
}

TEST(VmclockTime, IsThePagesInstantPlusTheCountedTicks) {
  const auto r = vmclock_reading(good_page());
  ASSERT_TRUE(r.ok()) << r.error().text;
  EXPECT_EQ(r->witness, core::Witness::vmclock);
  EXPECT_EQ(r->offset.value, 0ns);
  EXPECT_EQ(r->systematic, 40us);
  EXPECT_EQ(r->uncertainty, 900ns + 150us) << "the bracket, and 50 ppm of 3 s";
}

TEST(VmclockTime, AddsTheFractionAndCarries) {
  core::VmclockPage p = good_page();
  p.time_frac_s = kHalf;
  p.counter_now = *p.counter_now + (std::uint64_t{1} << 30) + 1;  // another half second and 0.47 ns
  EXPECT_EQ(vmclock_reading(p)->offset.value, 1s);
  p.at.realtime += 250ms;
  EXPECT_EQ(vmclock_reading(p)->offset.value, 750ms);
}

TEST(VmclockTime, HonoursThePeriodShift) {
  // 2.5 GHz is 0.4 ns a tick: with shift 30 the period needs all 64 bits, and 7 h of ticks must not overflow.
  core::VmclockPage p = good_page();
  p.period_shift = 30;
  p.counter_period_frac_s = static_cast<std::uint64_t>(std::ldexp(0.4e-9L, 94));
  p.counter_value = 0;
  p.counter_now = std::uint64_t{2'500'000'000} * 25'200;
  p.time_s = kNow - 25'200;
  const auto r = vmclock_reading(p);
  ASSERT_TRUE(r.ok()) << r.error().text;
  EXPECT_LE(std::abs(r->offset.value.count()), 2);
}

TEST(VmclockTime, WrapsWithTheCounter) {
  core::VmclockPage p = good_page();
  p.counter_value = ~std::uint64_t{0} - 99;
  p.counter_now = 3 * (std::uint64_t{1} << 31) - 100;
  EXPECT_EQ(vmclock_reading(p)->offset.value, 0ns);
}

TEST(VmclockTime, ACounterALittleBeforeThePagesIsAnotherCpus) {
  core::VmclockPage p = good_page();
  p.counter_value = *p.counter_now + (std::uint64_t{1} << 21);  // 1/1024 s
  p.time_s = kNow;
  const auto r = vmclock_reading(p);
  ASSERT_TRUE(r.ok()) << r.error().text;
  EXPECT_NEAR(static_cast<double>(r->offset.value.count()), -1e9 / 1024, 2);
}

TEST(VmclockTime, TakesTaiByItsOffset) {
  core::VmclockPage p = good_page();
  p.time_type = 1;
  p.time_s += 37;
  p.tai_offset_s = -37;
  EXPECT_EQ(refusal(p), "the page carries no time (TAI without its offset to UTC)");
  p.flags |= kVmclockTaiOffsetValid;
  const auto r = vmclock_reading(p);
  ASSERT_TRUE(r.ok()) << r.error().text;
  EXPECT_EQ(r->offset.value, 0ns);
}

TEST(VmclockTime, AUtcPageIsNotShiftedByItsTaiOffset) {
  core::VmclockPage p = good_page();
  p.tai_offset_s = -37;
  p.flags |= kVmclockTaiOffsetValid;
  EXPECT_EQ(vmclock_reading(p)->offset.value, 0ns);
}

TEST(VmclockTime, UsesThePagesOwnPeriodErrorWhereItStatesOne) {
  core::VmclockPage p = good_page();
  p.period_maxerror_frac_s = (std::uint64_t{1} << 33) / 1'000'000;  // 1 ppm
  const auto r = vmclock_reading(p);
  EXPECT_NEAR(static_cast<double>((r->uncertainty - 900ns).count()), 3000, 3);
}

TEST(VmclockTime, AnUnstatedErrorIsTenMilliseconds) {
  core::VmclockPage p = good_page();
  p.time_maxerror_ns.reset();
  EXPECT_EQ(vmclock_reading(p)->systematic, 10ms);
}

TEST(VmclockTime, FreerunningNeedsAStatedError) {
  core::VmclockPage p = good_page();
  p.clock_status = 3;
  p.time_maxerror_ns = 2'000'000;
  EXPECT_EQ(vmclock_reading(p)->systematic, 2ms);
  p.time_maxerror_ns.reset();
  EXPECT_EQ(refusal(p), "the page carries no time (freerunning, with unknown error)");
}

TEST(VmclockTime, EveryReasonNotToBelieveItIsNamed) {
  struct Row {
    const char* why;
    std::function<void(core::VmclockPage&)> spoil;
  };
  const Row rows[] = {
      {"counter invalid", [](auto& p) { p.counter_id = 0xff; }},
      {"counter 0 is not this machine's", [](auto& p) { p.counter_id = 0; }},
      {"the page ends before it", [](auto& p) { p.has_time = false; }},
      {"this machine's counter cannot be used", [](auto& p) { p.counter_now.reset(); }},
      {"status unknown", [](auto& p) { p.clock_status = 0; }},
      {"status initializing", [](auto& p) { p.clock_status = 1; }},
      {"status unreliable", [](auto& p) { p.clock_status = 4; }},
      {"status out of range", [](auto& p) { p.clock_status = 77; }},
      {"a monotonic time scale", [](auto& p) { p.time_type = 2; }},
      {"a smeared or unknown time scale", [](auto& p) { p.time_type = 3; }},
      {"a smeared or unknown time scale", [](auto& p) { p.time_type = 4; }},
      {"a smeared or unknown time scale", [](auto& p) { p.time_type = 200; }},
      {"a leap second is under way", [](auto& p) { p.leap_indicator = 3; }},
      {"its counter's period is 0", [](auto& p) { p.counter_period_frac_s = 0; }},
      {"the counter is before the page's", [](auto& p) { p.counter_value = *p.counter_now + (std::uint64_t{1} << 32); }},
      {"the page is older than a day", [](auto& p) { p.counter_now = *p.counter_now + 86'401 * (std::uint64_t{1} << 31); }},
      {"absurd: 0 s since 1970", [](auto& p) { p.time_s = 0; }},
      {"absurd: 18446744073709551615 s since 1970", [](auto& p) { p.time_s = ~std::uint64_t{0}; }},
      {"it may be wrong by more than 10 s", [](auto& p) { p.time_maxerror_ns = ~std::uint64_t{0}; }},
      {"it may be wrong by more than 10 s", [](auto& p) { p.period_maxerror_frac_s = ~std::uint64_t{0}; }},
  };
  for (const Row& row : rows) {
    core::VmclockPage p = good_page();
    row.spoil(p);
    EXPECT_EQ(refusal(p), std::string("the page carries no time (") + row.why + ")");
  }
}

TEST(VmclockTime, NoNumberInThePageOverflows) {
  const std::uint64_t extremes[] = {0, 1, kHalf - 1, kHalf, ~std::uint64_t{0}};
  for (const auto period : extremes) {
    for (const auto counter : extremes) {
      for (const auto fraction : extremes) {
        for (const int shift : {0, 63, 64, 127, 128, 255}) {
          core::VmclockPage p = good_page();
          p.counter_period_frac_s = period;
          p.counter_value = counter;
          p.time_frac_s = fraction;
          p.period_shift = static_cast<std::uint8_t>(shift);
          p.period_maxerror_frac_s = period;
          const auto r = vmclock_reading(p);
          if (r) {
            EXPECT_LE(r->uncertainty + r->systematic, 10s);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace clockmend::probes::test
