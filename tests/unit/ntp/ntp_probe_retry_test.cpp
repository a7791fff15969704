// When a question is asked again that nobody answered.
#include "tests/unit/ntp/probe_bench.hpp"

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;
using NtpProbeRetryTest = ProbeBench;

TEST_F(NtpProbeRetryTest, FailedIdleRoundsBackOffAndRecover) {
  start_with({"192.0.2.1"});
  std::vector<core::nanoseconds> gaps;
  auto last = scheduler.now();
  for (std::size_t i = 1; i <= 7; ++i) {
    ASSERT_TRUE(scheduler.run_while_not([&] { return failures.size() == i; }, 3000s));
    gaps.push_back(scheduler.now() - last);
    last = scheduler.now();
  }
  EXPECT_NEAR(static_cast<double>(gaps[1].count()) / 1e9, 66.0, 7.0);
  EXPECT_NEAR(static_cast<double>(gaps[2].count()) / 1e9, 130.0, 14.0);
  EXPECT_NEAR(static_cast<double>(gaps[6].count()) / 1e9, 1022.0, 103.0);
  server(1);
  ASSERT_TRUE(scheduler.run_while_not([&] { return readings.size() == 1; }, 3000s));
  EXPECT_EQ(probe->health().state, core::ProbeState::running);
}

// A guest's network often comes back seconds after the guest.
TEST_F(NtpProbeRetryTest, AFailedRequestIsRepeatedSoon) {
  start_with({"192.0.2.1"});
  measure();
  const auto failed = scheduler.now();
  ASSERT_EQ(failures.size(), 1U);
  server(1);
  ASSERT_TRUE(scheduler.run_while_not([&] { return readings.size() == 1; }, 3000s));
  EXPECT_NEAR(static_cast<double>((scheduler.now() - failed).count()) / 1e9, 8.0, 1.0);
}

// The truth is not to be had from them sooner by asking more.
TEST_F(NtpProbeRetryTest, ServersThatDisagreeAreNotAskedAgainSoon) {
  start_with({"192.0.2.1", "192.0.2.2"});
  server(1);
  server(2).error = 500s;
  measure();
  ASSERT_EQ(failures.size(), 1U);
  const auto failed = scheduler.now();
  ASSERT_TRUE(scheduler.run_while_not([&] { return failures.size() == 2; }, 3000s));
  EXPECT_GE(scheduler.now() - failed, 57s);
}

}  // namespace
}  // namespace clockmend::probes
