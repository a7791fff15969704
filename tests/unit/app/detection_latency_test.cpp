// What status.json promises about resumes that nobody announces.
#include "agent/app/detection_latency.hpp"

#include <gtest/gtest.h>

namespace clockmend::app {
namespace {

using namespace std::chrono_literals;

core::ProbeStatus probe(const char* name, core::ProbeState state, core::nanoseconds sees_within = {}) {
  core::ProbeStatus p;
  p.name = name;
  p.health.state = state;
  p.health.sees_within = sees_within;
  return p;
}

constexpr auto kRunning = core::ProbeState::running;

TEST(DetectionLatency, WithoutWitnessItIsTheIdleRoundOfNtp) {
  EXPECT_EQ(max_detection_latency({}), 1200s);
  EXPECT_EQ(max_detection_latency({probe("ntp", kRunning), probe("tsc", kRunning), probe("vmgenid", kRunning)}), 1200s);
}

TEST(DetectionLatency, IsTheQuickestWitness) {
  const auto rtc = probe("rtc", kRunning);
  EXPECT_EQ(max_detection_latency({rtc}), 1050ms);
  EXPECT_EQ(max_detection_latency({rtc, probe("ptp", kRunning, 250ms)}), 300ms);
  EXPECT_EQ(max_detection_latency({rtc, probe("vmclock", kRunning, 100ms)}), 150ms);
  EXPECT_EQ(max_detection_latency({probe("vmclock", kRunning, 1s)}), 1050ms) << "notified: one look a second";
}

TEST(DetectionLatency, ATripwireOrOneThatDoesNotRunIsNoPromise) {
  EXPECT_EQ(max_detection_latency({probe("vmclock", kRunning)}), 1200s) << "a page without time misses plain pauses";
  EXPECT_EQ(max_detection_latency({probe("ptp", core::ProbeState::degraded, 250ms), probe("rtc", core::ProbeState::off)}), 1200s);
}

}  // namespace
}  // namespace clockmend::app
