#include "probes/ntp/timestamp.hpp"

#include <gtest/gtest.h>

#include <random>

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;
using core::RealtimePoint;

RealtimePoint utc(int y, unsigned m, unsigned d) {
  const std::chrono::sys_days days{std::chrono::year{y} / static_cast<int>(m) / static_cast<int>(d)};
  return RealtimePoint{days.time_since_epoch()};
}

TEST(NtpTimestamp, KnownValues) {
  EXPECT_EQ(to_ntp(RealtimePoint{}).value, 2208988800ULL << 32U);
  EXPECT_EQ(to_ntp(RealtimePoint{500ms}).value, (2208988800ULL << 32U) | 0x80000000U);
  // RFC 5905 figure 4: era 1 begins on 2036-02-07 06:28:16.
  EXPECT_EQ(to_ntp(utc(2036, 2, 7) + 6h + 28min + 16s).value, 0U);
  EXPECT_EQ(to_ntp(utc(2036, 2, 7) + 6h + 28min + 15s).value, 0xFFFFFFFFULL << 32U);
}

TEST(NtpTimestamp, EraFollowsThePivot) {
  const auto pivot = utc(2025, 1, 1);
  for (const int year : {2025, 2035, 2036, 2037, 2038, 2060, 2100, 2150}) {
    const auto t = utc(year, 7, 1) + 123456789ns;
    const auto back = to_realtime(to_ntp(t), pivot);
    EXPECT_LE(std::chrono::abs(back - t), 1ns) << year;
  }
  EXPECT_EQ(to_realtime(to_ntp(utc(2035, 12, 31)), utc(2099, 1, 1)).time_since_epoch().count() > 0, true);
  EXPECT_EQ(to_realtime(to_ntp(utc(2100, 1, 1)), utc(2099, 1, 1)), utc(2100, 1, 1));
}

TEST(NtpTimestamp, SecondBoundaryOfTheEraIsContinuous) {
  const auto turn = utc(2036, 2, 7) + 6h + 28min + 16s;
  const auto before = to_realtime(to_ntp(turn - 1ms), utc(2025, 1, 1));
  const auto after = to_realtime(to_ntp(turn + 1ms), utc(2025, 1, 1));
  EXPECT_NEAR(static_cast<double>((after - before).count()), 2e6, 2.0);
}

TEST(NtpTimestamp, JustBeforeThePivotIsThePastNotTheNextEra) {
  const auto pivot = utc(2025, 1, 1);
  EXPECT_EQ(to_realtime(to_ntp(pivot - 1s), pivot), pivot - 1s);
  EXPECT_EQ(to_realtime(to_ntp(utc(2018, 1, 1)), pivot), utc(2018, 1, 1));
}

TEST(NtpTimestamp, EpochPivotStillReadsToday) { EXPECT_EQ(to_realtime(to_ntp(utc(2026, 3, 1)), RealtimePoint{}), utc(2026, 3, 1)); }

TEST(NtpTimestamp, RoundTripIsExactToOneNanosecond) {
  const unsigned seed = 20260101;
  std::mt19937_64 random(seed);
  const auto pivot = utc(2024, 1, 1);
  for (int i = 0; i < 20000; ++i) {
    const RealtimePoint t{
        core::nanoseconds{static_cast<std::int64_t>(random() % 2'398'377'600'000'000'000ULL) + pivot.time_since_epoch().count()}};
    ASSERT_LE(std::chrono::abs(to_realtime(to_ntp(t), pivot) - t), 1ns) << "seed " << seed << " i " << i;
  }
}

TEST(NtpTimestamp, ShortFormatAndPrecision) {
  EXPECT_EQ(short_to_ns(0x00010000), 1s);
  EXPECT_EQ(short_to_ns(0x00008000), 500ms);
  EXPECT_EQ(short_to_ns(0xFFFFFFFF) > 65535s, true);
  EXPECT_EQ(precision_to_ns(0), 1s);
  EXPECT_EQ(precision_to_ns(-1), 500ms);
  EXPECT_EQ(precision_to_ns(-20), 953ns);
  EXPECT_EQ(precision_to_ns(-128), 0ns);
  EXPECT_EQ(precision_to_ns(127), 16s);
}

}  // namespace
}  // namespace clockmend::probes::ntp
