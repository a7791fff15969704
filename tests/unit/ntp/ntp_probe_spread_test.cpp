// When a question that is not urgent is asked.
#include <set>

#include "tests/unit/ntp/probe_bench.hpp"

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;
using NtpProbeSpreadTest = ProbeBench;

// Guests that were resumed together shall not ask together where nothing waits for the answer.
TEST_F(NtpProbeSpreadTest, AskedWithinASpreadItBeginsAtARandomMomentOfIt) {
  server(1);
  start_with({"192.0.2.1"});
  scheduler.run_for(1s);
  std::set<core::nanoseconds> moments;
  for (int i = 0; i < 8; ++i) {
    scheduler.run_for(20s);
    const auto before = readings.size();
    const auto asked = scheduler.now();
    probe->measure_within(300ms);
    scheduler.run_while_not([&] { return readings.size() > before; }, 20s);
    moments.insert(scheduler.now() - asked);
  }
  EXPECT_LE(*moments.rbegin(), 310ms);
  EXPECT_GE(*moments.rbegin() - *moments.begin(), 50ms);
  EXPECT_GE(moments.size(), 6U);
}

TEST_F(NtpProbeSpreadTest, AskedAtOnceItDoesNotWaitForAnEarlierSpread) {
  server(1);
  start_with({"192.0.2.1"});
  scheduler.run_for(1s);
  probe->measure_within(5s);
  EXPECT_LT(measure(), 5ms);
  const auto sent = network.sent.size();
  scheduler.run_for(3s);
  EXPECT_EQ(network.sent.size(), sent) << "the earlier question is answered";
}

}  // namespace
}  // namespace clockmend::probes
