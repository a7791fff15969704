// vmclock with a time in the page: when it speaks, and how right it is.
#include <gtest/gtest.h>

#include "tests/unit/probes/vmclock_rig.hpp"

namespace clockmend::probes::test {
namespace {

/// Settled with a page that tells the time.
struct WitnessRig : VmclockRig {
  WitnessRig() { device.tell_time(); }
};

TEST(VmclockWitness, SpeaksFirstThenEverySixteenSeconds) {
  WitnessRig rig;
  rig.start();
  rig.scheduler.run_for(100ms);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_EQ(rig.readings[0].offset.value, 0ns);
  rig.scheduler.run_for(64s);
  EXPECT_EQ(rig.readings.size(), 5U);
  ASSERT_TRUE(rig.probe.health().last.has_value());
  EXPECT_NE(rig.why().find("tells the time"), std::string::npos) << rig.why();
}

TEST(VmclockWitness, TellsAPauseWithinOnePeriodAndExactly) {
  WitnessRig rig;
  rig.settle();
  rig.clock.pause(47'550ms);
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(core::magnitude(rig.readings[0].offset - core::Offset{47'550ms}), 50us);
  EXPECT_LE(rig.readings[0].uncertainty, 60us);
  EXPECT_TRUE(rig.disruptions.empty()) << "no marker changed: it is a witness here";
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.readings.size(), 1U) << "once";
}

TEST(VmclockWitness, IsSilentAboutStepsAndSlewsOfRealtime) {
  WitnessRig rig;
  rig.settle();
  rig.clock.step(3s);
  rig.clock.slew_ppm = 500;
  rig.scheduler.run_for(10s);
  EXPECT_TRUE(rig.readings.empty()) << "compared with RAW, which neither moves";
  rig.probe.measure_now();
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(core::magnitude(rig.readings[0].offset - rig.clock.error()), 50us);
}

TEST(VmclockWitness, IsSilentBelowFiveMilliseconds) {
  WitnessRig rig;
  rig.settle();
  rig.clock.pause(4ms);
  rig.scheduler.run_for(2s);
  EXPECT_TRUE(rig.readings.empty());
  rig.clock.pause(2ms);
  rig.scheduler.run_for(250ms);
  EXPECT_EQ(rig.readings.size(), 1U) << "small gaps add up against the last one told";
}

TEST(VmclockWitness, SpeaksWithAChangedMarkerAtOnce) {
  WitnessRig rig;
  rig.settle();
  std::vector<bool> order;
  rig.also = [&order](const core::Observation& o) { order.push_back(std::holds_alternative<core::Disruption>(o)); };
  rig.device.page.disruption_marker = 2;
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(order.size(), 2U);
  EXPECT_TRUE(order[0]) << "what happened before what time it is";
  EXPECT_EQ(rig.readings.size(), 1U);
}

TEST(VmclockWitness, NeedsOneWakeUpASecondWhereThePageNotifies) {
  WitnessRig rig;
  rig.device.notifies = true;
  rig.settle();
  const unsigned before = rig.device.reads;
  rig.scheduler.run_for(60s);
  EXPECT_LE(rig.device.reads - before, 60U);
  rig.clear();
  rig.clock.pause(10s);
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.readings.size(), 1U) << "a plain pause is not notified";
}

TEST(VmclockWitness, ATimeThatVanishesLeavesATripwire) {
  WitnessRig rig;
  rig.settle();
  rig.device.page.clock_status = 4;
  rig.scheduler.run_for(30s);
  EXPECT_TRUE(rig.readings.empty());
  EXPECT_NE(rig.why().find("tripwire only: the page carries no time (status unreliable)"), std::string::npos) << rig.why();
  rig.probe.measure_now();
  EXPECT_EQ(rig.failures.size(), 1U);
  rig.clock.pause(8s);
  rig.device.page.clock_status = 2;
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(rig.readings.size(), 1U) << "what happened meanwhile is seen when it is back";
}

TEST(VmclockWitness, AnotherTimeScaleVoidsTheBaseline) {
  WitnessRig rig;
  rig.settle();
  rig.device.page.time_type = 1;
  rig.device.page.tai_offset_s = -37;
  rig.device.page.flags |= 1U << 0;
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(rig.voids.size(), 1U);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(core::magnitude(rig.readings[0].offset), 1us) << "TAI, brought back to UTC";
}

TEST(VmclockWitness, ARemovedDeviceVoidsTheBaseline) {
  WitnessRig rig;
  rig.settle();
  rig.probe.device_gone();
  ASSERT_EQ(rig.voids.size(), 1U);
  rig.probe.device_gone();
  EXPECT_EQ(rig.voids.size(), 1U);
}

TEST(VmclockWitness, ATimeAtAWrongRateIsNotBelievedForAWhile) {
  WitnessRig rig;
  rig.device.rate = 2.5;
  rig.start();
  rig.scheduler.run_for(10s);
  const std::size_t said = rig.readings.size();
  EXPECT_LE(said, 9U);
  EXPECT_NE(rig.why().find("does not run as the clock does"), std::string::npos) << rig.why();
  rig.probe.measure_now();
  EXPECT_EQ(rig.readings.size(), said);
  EXPECT_EQ(rig.failures.size(), 1U);
  rig.device.page.disruption_marker = 2;  // another host
  rig.device.rate = 1.0;
  rig.scheduler.run_for(2s);
  EXPECT_GT(rig.readings.size(), said);
}

TEST(VmclockWitness, DriftOfTheCounterIsNoEvent) {
  WitnessRig rig;
  rig.device.rate = 1.0 + 200e-6;  // RAW is never disciplined
  rig.settle();
  rig.scheduler.run_for(14s);
  EXPECT_TRUE(rig.readings.empty());
}

}  // namespace
}  // namespace clockmend::probes::test
