// UTC, TAI, smeared, before 1970: clocks whose numbers do not mean what they seem to.
#include <gtest/gtest.h>

#include "tests/unit/probes/ptp_rig.hpp"

namespace clockmend::probes::test {
namespace {

TEST(PtpScale, AVmclockInTai) {
  PtpRig rig;
  auto& phc = rig.catalogue.add("/dev/ptp0", "vmclock0");
  phc.ahead = 37s;
  rig.start();
  rig.scheduler.run_for(5s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude(rig.readings[0].offset), 20us);
  EXPECT_NE(rig.readings[0].detail.find("TAI-UTC 37 s"), std::string::npos) << rig.readings[0].detail;
  EXPECT_TRUE(rig.why_says("TAI")) << rig.probe.health().why;
  // Decided once: a freeze of 37 s changes nothing.
  rig.clear();
  rig.clock.pause(37s);
  rig.scheduler.run_for(300ms);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(magnitude({rig.readings[0].offset.value - 37s}), 20us);
}

TEST(PtpScale, AVmclockInUtc) {
  PtpRig rig;
  rig.catalogue.add("/dev/ptp0", "vmclock0");
  rig.settle();
  rig.clock.pause(37s);
  rig.scheduler.run_for(300ms);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(magnitude({rig.readings[0].offset.value - 37s}), 20us);
}

// A hot upgrade that takes 37 s and makes the device anew: what the clock was before says that this is no TAI.
TEST(PtpScale, MadeAnewAfterThirtySevenSecondsItIsNotTakenForTai) {
  PtpRig rig;
  auto& phc = rig.catalogue.add("/dev/ptp0", "vmclock0");
  rig.settle();
  rig.clock.pause(37s);
  phc.plug("/dev/ptp1");
  rig.scheduler.run_for(1min);
  EXPECT_TRUE(rig.readings.empty());
  EXPECT_TRUE(rig.why_says("it is 37.000 s ahead of the system clock, and was in UTC before")) << rig.probe.health().why;
  rig.clock.step(37s);  // NTP, or the host's notice
  rig.scheduler.run_for(6s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude(rig.readings[0].offset), 20us);
}

TEST(PtpScale, MadeAnewItIsStillTai) {
  PtpRig rig;
  auto& phc = rig.catalogue.add("/dev/ptp0", "vmclock0");
  phc.ahead = 37s;
  rig.settle();
  phc.plug("/dev/ptp1");
  rig.scheduler.run_for(20s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude(rig.readings[0].offset), 20us);
}

TEST(PtpScale, UndecidableIsSilentUntilTheClockIsRight) {
  PtpRig rig;
  rig.catalogue.add("/dev/ptp0", "vmclock0");
  rig.clock.pause(10s);  // before the agent started
  rig.start();
  rig.scheduler.run_for(1min);
  EXPECT_TRUE(rig.silent());
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.why_says("the time scale (UTC or TAI) cannot be decided: it is 10.000 s ahead of the system clock"))
      << rig.probe.health().why;
  rig.probe.measure_now();
  ASSERT_EQ(rig.failures.size(), 1U);
  EXPECT_LE(rig.counting.wakeups, 25U);
  rig.clock.step(10s);  // NTP
  rig.scheduler.run_for(6s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude(rig.readings[0].offset), 20us);
}

TEST(PtpScale, ThirtySevenSecondsProveNothingWhileTheKernelIsNotSynchronised) {
  PtpRig rig;
  rig.clock.status.unsynchronized = true;
  rig.catalogue.add("/dev/ptp0", "vmclock0").ahead = 37s;
  rig.start();
  rig.scheduler.run_for(20s);
  EXPECT_TRUE(rig.silent());
  rig.clock.status.unsynchronized = false;
  rig.scheduler.run_for(10s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude(rig.readings[0].offset), 20us);
}

TEST(PtpScale, TheConfigurationDecides) {
  core::PtpSettings settings;
  settings.timescale = core::Timescale::tai;
  PtpRig rig(settings);
  rig.catalogue.add("/dev/ptp0", "vmclock0").ahead = 37s;
  rig.clock.pause(1000s);
  rig.start();
  rig.scheduler.run_for(1s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude({rig.readings[0].offset.value - 1000s}), 20us);
}

TEST(PtpScale, AReloadOfTheScaleDecidesToo) {
  PtpRig rig;
  rig.catalogue.add("/dev/ptp0", "vmclock0").ahead = 37s;
  rig.clock.pause(1000s);
  rig.start();
  rig.scheduler.run_for(12s);
  EXPECT_TRUE(rig.silent());
  core::PtpSettings settings;
  settings.timescale = core::Timescale::tai;
  rig.probe.configure(settings);
  rig.scheduler.run_for(1s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude({rig.readings[0].offset.value - 1000s}), 20us);
}

TEST(PtpScale, AnUndecidableOneGivesWay) {
  PtpRig rig;
  rig.catalogue.add("/dev/ptp0", "vmclock0").ahead = 5s;
  rig.catalogue.add("/dev/ptp1", "Virtio PTP type 0/variant 0");
  rig.start();
  rig.scheduler.run_for(5s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_NE(rig.readings[0].detail.find("Virtio PTP type 0"), std::string::npos);
  EXPECT_TRUE(rig.why_says("vmclock0): the time scale")) << rig.probe.health().why;
}

TEST(PtpScale, ALeapSecondTheKernelKnowsOfIsFollowed) {
  PtpRig rig;
  rig.clock.status.tai_offset_s = 37;
  auto& phc = rig.catalogue.add("/dev/ptp0", "vmclock0");
  phc.ahead = 37s;
  rig.settle();
  rig.clock.step(-1s);
  rig.clock.status.tai_offset_s = 38;
  phc.rate_ppm = 0;
  rig.scheduler.run_for(20s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude(rig.readings.back().offset), 20us);
}

TEST(PtpScale, ASmearedClockIsATripwireOnly) {
  PtpRig rig;
  auto& phc = rig.catalogue.add("/dev/ptp0", "Virtio PTP type 3/variant 1");
  phc.ahead = 400ms;
  phc.rate_ppm = 11.6;  // a day's smear
  rig.start();
  rig.scheduler.run_for(10min);
  EXPECT_TRUE(rig.silent());
  EXPECT_EQ(rig.state(), core::ProbeState::running);
  EXPECT_TRUE(rig.why_says("smeared, tripwire only")) << rig.probe.health().why;
  rig.probe.measure_now();
  EXPECT_EQ(rig.failures.size(), 1U);
  rig.clock.pause(3s);
  rig.scheduler.run_for(300ms);
  EXPECT_TRUE(rig.readings.empty());
  ASSERT_EQ(rig.disruptions.size(), 1U);
  EXPECT_EQ(rig.disruptions[0].tripwire, core::Tripwire::ptp);
  ASSERT_TRUE(rig.disruptions[0].gap.has_value());
  EXPECT_LE(magnitude({*rig.disruptions[0].gap - 3s}), rig.disruptions[0].gap_uncertainty + 1ms);
  rig.scheduler.run_for(1min);
  EXPECT_EQ(rig.disruptions.size(), 1U);
}

TEST(PtpScale, ASmearedClockGivesWayToABetterOne) {
  PtpRig rig;
  rig.catalogue.add("/dev/ptp0", "Virtio PTP type 3/variant 1");
  rig.settle();
  rig.catalogue.add("/dev/ptp1", "KVM virtual PTP");
  rig.probe.device_appeared();
  rig.scheduler.run_for(1s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_NE(rig.readings[0].detail.find("KVM"), std::string::npos);
}

TEST(PtpScale, TimesBefore1970) {
  PtpRig rig;
  auto& phc = rig.kvm();
  phc.ahead = -rig.clock.truth().time_since_epoch() - 86400s - 300ms;
  rig.start();
  rig.scheduler.run_for(5s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_LE(magnitude({rig.readings[0].offset.value - phc.offset()}), 20us);
  rig.clear();
  rig.clock.pause(2s);
  rig.scheduler.run_for(300ms);
  ASSERT_EQ(rig.readings.size(), 1U);
}

}  // namespace
}  // namespace clockmend::probes::test
