#include "probes/ntp/request_budget.hpp"

#include <gtest/gtest.h>

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;
const core::MonotonicPoint kStart{1000s};

TEST(NtpRequestBudget, SixteenAtOnceThenOnePer3750Ms) {
  RequestBudget b;
  for (unsigned i = 0; i < 16; ++i) {
    EXPECT_EQ(b.left(kStart), 16 - i);
    EXPECT_TRUE(b.take(kStart));
  }
  EXPECT_EQ(b.left(kStart), 0U);
  EXPECT_FALSE(b.take(kStart));
  EXPECT_EQ(b.next(kStart), kStart + 3750ms);
  EXPECT_TRUE(b.take(kStart + 3750ms));
  EXPECT_FALSE(b.take(kStart + 3750ms));
  EXPECT_EQ(b.left(kStart + 60s + 3750ms), 16U);
}

TEST(NtpRequestBudget, NeverMoreThanThirtyTwoInAnyMinute) {
  RequestBudget b;
  unsigned sent = 0;
  for (auto t = kStart; t < kStart + 60s; t += 10ms) sent += b.take(t) ? 1 : 0;
  EXPECT_LE(sent, 32U);
  unsigned later = 0;
  for (auto t = kStart + 60s; t < kStart + 120s; t += 10ms) later += b.take(t) ? 1 : 0;
  EXPECT_LE(later, 16U);
}

TEST(NtpRequestBudget, RateDoublesTheSpacingAndAnswersHalveIt) {
  RequestBudget b;
  ASSERT_TRUE(b.take(kStart));
  b.kissed("RATE", kStart);
  EXPECT_FALSE(b.take(kStart + 2s));
  ASSERT_TRUE(b.take(kStart + 2100ms));
  b.kissed("RATE", kStart + 2100ms);
  EXPECT_EQ(b.next(kStart + 2100ms), kStart + 2100ms + 4200ms);
  b.answered();
  EXPECT_EQ(b.next(kStart + 2100ms), kStart + 2100ms + 2100ms);
  EXPECT_TRUE(b.spaced());
  for (int i = 0; i < 30; ++i) b.kissed("RATE", kStart);
  EXPECT_LE(b.next(kStart + 3s) - kStart, 1024s + 2100ms);
}

TEST(NtpRequestBudget, DenyIsSilenceForAMinuteNotForEver) {
  for (const auto* code : {"DENY", "RSTR"}) {
    RequestBudget b;
    ASSERT_TRUE(b.take(kStart));
    b.kissed(code, kStart);
    EXPECT_FALSE(b.take(kStart + 63s));
    EXPECT_TRUE(b.take(kStart + 64s));
  }
}

TEST(NtpRequestBudget, UnknownKissCodesHaveNoConsequence) {
  RequestBudget b;
  ASSERT_TRUE(b.take(kStart));
  b.kissed("XYZ?", kStart);
  EXPECT_TRUE(b.take(kStart));
}

TEST(NtpRequestBudget, PatienceWhereTheServerProbablyDropsTheSecondRequest) {
  RequestBudget b;
  ASSERT_TRUE(b.take(kStart));
  EXPECT_EQ(b.patience(1s), 1s);
  b.answered();
  ASSERT_TRUE(b.take(kStart + 100ms));
  EXPECT_EQ(b.patience(1s), 2100ms);
  ASSERT_TRUE(b.take(kStart + 5s));
  EXPECT_EQ(b.patience(1s), 1s);
}

}  // namespace
}  // namespace clockmend::probes::ntp
