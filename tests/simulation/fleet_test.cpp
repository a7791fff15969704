// A small fleet in every run; the one of 10,000 guests is a case of --full (see README.md).
#include "tests/simulation/fleet.hpp"

#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

constexpr FleetSpec kSmall{.hosts = 5, .guests_per_host = 40};

TEST(Fleet, WithALocalWitnessNobodyWaitsForTheNetwork) {
  const FleetResult ptp = run_fleet(Fleet::ptp, kSmall, 1);
  EXPECT_EQ(ptp.still_wrong, 0U);
  EXPECT_EQ(ptp.right.size(), 200U);
  EXPECT_LE(percentile(ptp.right, 100), 330ms) << "poll_interval, the turn on the host's processors";
  const FleetResult told = run_fleet(Fleet::host_exchange, kSmall, 1);
  EXPECT_EQ(told.still_wrong, 0U);
  EXPECT_LE(percentile(told.right, 100), 120ms);
}

TEST(Fleet, EveryGuestEndsRightAndAsksABoundedNumberOfTimes) {
  for (const Fleet kind : kFleets) {
    const FleetResult r = run_fleet(kind, kSmall, 2);
    EXPECT_EQ(r.still_wrong, 0U) << describe(kind);
    EXPECT_LE(r.packets.size(), 200U * 4 * 16) << describe(kind);
  }
}

}  // namespace
}  // namespace clockmend::sim
