// PTP clocks that run wrong, cannot be read, come and go.
#include <gtest/gtest.h>

#include "tests/unit/probes/ptp_rig.hpp"

namespace clockmend::probes::test {
namespace {

core::PtpSettings allowing(const char* name) {
  core::PtpSettings settings;
  settings.allow = {name};
  return settings;
}

TEST(PtpFaults, NoClockIsOffAndSaysSo) {
  PtpRig rig;
  rig.catalogue.add("/dev/ptp0", "e1000e-0000:00:02.0");
  rig.start();
  rig.scheduler.run_for(1h);
  EXPECT_EQ(rig.state(), core::ProbeState::off);
  EXPECT_TRUE(rig.why_says("no PTP clock of a hypervisor")) << rig.probe.health().why;
  EXPECT_TRUE(rig.why_says("/dev/ptp0 (e1000e-0000:00:02.0): no hypervisor's clock")) << rig.probe.health().why;
  EXPECT_TRUE(rig.silent());
  EXPECT_LE(rig.counting.wakeups, 20U) << "an hour";
  rig.probe.measure_now();
  ASSERT_EQ(rig.failures.size(), 1U);
  EXPECT_EQ(rig.catalogue.devices[0]->opens, 0U);
}

TEST(PtpFaults, AFastClockIsRejectedWithItsRate) {
  PtpRig rig(allowing("e1000e"));
  auto& phc = rig.catalogue.add("/dev/ptp0", "e1000e");
  phc.rate_ppm = 1'500'000;  // QEMU's e1000e: 2.5 times too fast
  rig.start();
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.why_says("/dev/ptp0 (e1000e): it runs 1")) << rig.probe.health().why;
  EXPECT_TRUE(rig.why_says("ppm too fast against CLOCK_MONOTONIC_RAW")) << rig.probe.health().why;
  EXPECT_TRUE(rig.silent()) << "never a word";
  rig.probe.measure_now();
  ASSERT_EQ(rig.failures.size(), 1U);
  EXPECT_NE(rig.failures[0].find("too fast"), std::string::npos);
  // Looked at again, ever more rarely.
  rig.scheduler.run_for(1h);
  EXPECT_TRUE(rig.readings.empty());
  EXPECT_GE(phc.opens, 10U);
  EXPECT_LE(phc.opens, 20U);
  EXPECT_TRUE(rig.why_says("ppm too fast")) << "an hour later, too: " << rig.probe.health().why;
  // Repaired: believed once that is proved.
  phc.run_at(0);
  phc.ahead = 0ns;
  rig.scheduler.run_for(6min);
  EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.probe.health().why;
  EXPECT_FALSE(rig.readings.empty());
}

TEST(PtpFaults, ALittleTooFastIsFoundOut) {
  PtpRig rig;
  auto& phc = rig.kvm();
  phc.rate_ppm = -700;
  rig.start();
  rig.scheduler.run_for(3s);
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.why_says(" ppm too slow")) << rig.probe.health().why;
  EXPECT_EQ(rig.voids.size(), 1U) << "a hypervisor's clock had spoken already";
}

TEST(PtpFaults, WhatDifferentOscillatorsDoIsRight) {
  for (const double ppm : {-450.0, 450.0}) {
    PtpRig rig;
    rig.kvm().rate_ppm = ppm;
    rig.start();
    rig.scheduler.run_for(10min);
    EXPECT_EQ(rig.state(), core::ProbeState::running);
    EXPECT_LE(rig.readings.size(), 39U) << "no event";
    EXPECT_TRUE(rig.voids.empty());
  }
}

TEST(PtpFaults, AClockThatGoesWrongLaterIsRejectedAfterAFewWords) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle(20s);
  phc.run_at(1'500'000);
  rig.scheduler.run_for(5s);
  EXPECT_LE(rig.readings.size(), 2U);
  EXPECT_EQ(rig.voids.size(), 1U);
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
}

TEST(PtpFaults, AJumpWhileLearningIsNoRate) {
  for (const char* name : {"KVM virtual PTP", "igb"}) {
    PtpRig rig(allowing("igb"));
    auto& phc = rig.catalogue.add("/dev/ptp0", name);
    rig.start();
    rig.scheduler.run_for(3s);
    rig.clock.pause(40s);
    rig.scheduler.run_for(2s);
    EXPECT_EQ(rig.state(), core::ProbeState::running) << name << ": " << rig.probe.health().why;
    ASSERT_FALSE(rig.readings.empty());
    EXPECT_LE(magnitude({rig.readings.back().offset.value - phc.offset()}), 50us) << "and it is told";
    EXPECT_TRUE(rig.voids.empty());
  }
}

TEST(PtpFaults, TwoFreezesInARowAreTold) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  for (int i = 0; i < 4; ++i) {  // four within a second: the last may wait, none is lost
    rig.clock.pause(1s);
    rig.scheduler.run_for(250ms);
  }
  rig.scheduler.run_for(3s);
  ASSERT_GE(rig.readings.size(), 3U);
  EXPECT_LE(magnitude({rig.readings.back().offset.value - phc.offset()}), 50us);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
}

TEST(PtpFaults, AnErraticClockIsRejected) {
  PtpRig rig(allowing("igb"));
  auto& phc = rig.catalogue.add("/dev/ptp0", "igb");
  rig.start();
  for (int i = 0; i < 40; ++i) {
    phc.ahead += i % 2 == 0 ? 30ms * i : -20ms * i;
    rig.scheduler.run_for(250ms);
  }
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.readings.empty());
}

TEST(PtpFaults, UnpluggedAndPluggedInUnderAnotherNumber) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  phc.unplug();  // no word from udev: the descriptor tells
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.why_says("no such device")) << rig.probe.health().why;
  rig.probe.measure_now();
  EXPECT_EQ(rig.failures.size(), 1U);
  EXPECT_TRUE(rig.readings.empty() && rig.voids.empty());

  phc.plug("/dev/ptp3");
  rig.probe.device_appeared();
  rig.scheduler.run_for(3s);
  EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.probe.health().why;
  ASSERT_EQ(rig.voids.size(), 1U) << "its baseline is another's";
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_NE(rig.readings[0].detail.find("/dev/ptp3"), std::string::npos);
}

TEST(PtpFaults, WithoutUdevItIsFoundAgain) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  phc.unplug();
  rig.scheduler.run_for(5s);
  phc.plug();
  rig.scheduler.run_for(30s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
}

TEST(PtpFaults, AStaleDescriptorIsReplaced) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  phc.plug();  // gone and back between two ticks
  rig.probe.device_gone();
  rig.probe.device_appeared();
  rig.scheduler.run_for(15s);
  EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.probe.health().why;
  EXPECT_EQ(rig.voids.size(), 1U);
}

TEST(PtpFaults, AnotherClockUnderItsNumber) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  phc.unplug();
  auto& nic = rig.catalogue.add("/dev/ptp0", "igb");
  rig.probe.device_gone();
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.why_says("was removed")) << rig.probe.health().why;
  EXPECT_EQ(nic.opens, 0U);
  EXPECT_EQ(nic.reads, 0U);
}

TEST(PtpFaults, AnotherDevicesGoingIsNothing) {
  PtpRig rig;
  rig.kvm();
  auto& nic = rig.catalogue.add("/dev/ptp1", "igb");
  rig.settle();
  nic.unplug();
  rig.probe.device_gone();
  rig.probe.device_appeared();
  rig.scheduler.run_for(1s);
  EXPECT_TRUE(rig.silent());
  EXPECT_EQ(rig.catalogue.devices[0]->opens, 1U);
}

TEST(PtpFaults, AClockThatMayNotBeOpened) {
  PtpRig rig;
  auto& phc = rig.kvm();
  phc.open_error = core::Error{core::ErrorCode::not_permitted, "/dev/ptp0: Permission denied"};
  rig.start();
  rig.scheduler.run_for(10min);
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.why_says("Permission denied")) << rig.probe.health().why;
  EXPECT_LE(phc.opens, 9U);
  phc.open_error.reset();
  rig.probe.device_appeared();
  rig.scheduler.run_for(3s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
}

TEST(PtpFaults, ReadErrorsAreToleratedTwice) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  phc.error = core::Error{core::ErrorCode::io, "/dev/ptp0: Input/output error"};
  rig.scheduler.run_for(500ms);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
  rig.probe.measure_now();
  EXPECT_EQ(rig.failures.size(), 1U) << "answered, though";
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  phc.error.reset();
  rig.scheduler.run_for(15s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
}

TEST(PtpFaults, TheNextBestStandsIn) {
  PtpRig rig;
  auto& kvm = rig.kvm();
  rig.catalogue.add("/dev/ptp1", "hyperv");
  rig.settle();
  EXPECT_TRUE(rig.why_says("/dev/ptp0 (KVM virtual PTP)"));
  EXPECT_TRUE(rig.why_says("not taken: /dev/ptp1 (hyperv): one is enough")) << rig.probe.health().why;
  kvm.error = core::Error{core::ErrorCode::io, "/dev/ptp0: Input/output error"};
  rig.scheduler.run_for(2s);
  ASSERT_FALSE(rig.readings.empty());
  EXPECT_NE(rig.readings[0].detail.find("hyperv"), std::string::npos);
  EXPECT_EQ(rig.voids.size(), 1U);
  rig.scheduler.run_for(3s);
  EXPECT_TRUE(rig.why_says("not taken: /dev/ptp0 (KVM virtual PTP): /dev/ptp0: Input/output error")) << rig.probe.health().why;
}

TEST(PtpFaults, ANicIsTakenOnlyWhenAllowedAndFirstProved) {
  PtpRig rig(allowing("igb-0000:00:02.0"));
  auto& nic = rig.catalogue.add("/dev/ptp1", "igb-0000:00:02.0");
  auto& other = rig.catalogue.add("/dev/ptp0", "igb-0000:00:03.0");
  rig.start();
  rig.scheduler.run_for(3s);
  EXPECT_TRUE(rig.silent());
  rig.probe.measure_now();
  ASSERT_EQ(rig.failures.size(), 1U);
  EXPECT_NE(rig.failures[0].find("rate is still being learned"), std::string::npos);
  rig.scheduler.run_for(2s);
  EXPECT_EQ(rig.readings.size(), 1U);
  EXPECT_EQ(nic.opens, 1U);
  EXPECT_EQ(other.opens, 0U);
}

TEST(PtpFaults, AReloadAllowsForbidsAndSwitchesOff) {
  PtpRig rig;
  auto& nic = rig.catalogue.add("/dev/ptp0", "525400000001");
  rig.start();
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.state(), core::ProbeState::off);
  EXPECT_TRUE(rig.why_says("525400000001")) << rig.probe.health().why;

  rig.probe.configure(allowing("525400000001"));
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
  EXPECT_EQ(rig.readings.size(), 1U);

  core::PtpSettings both = allowing("525400000001");
  both.allow.emplace_back("000000000000");
  rig.probe.configure(both);
  rig.scheduler.run_for(1s);
  EXPECT_EQ(nic.opens, 1U) << "kept";
  EXPECT_EQ(rig.state(), core::ProbeState::running);

  rig.probe.configure({});
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.state(), core::ProbeState::off) << rig.probe.health().why;
  EXPECT_TRUE(rig.why_says("not allowed by name")) << rig.probe.health().why;

  core::PtpSettings off = both;
  off.enabled = false;
  rig.probe.configure(off);
  rig.counting.wakeups = 0;
  rig.probe.device_appeared();
  rig.scheduler.run_for(1h);
  EXPECT_EQ(rig.counting.wakeups, 0U);
  EXPECT_TRUE(rig.why_says("switched off")) << rig.probe.health().why;

  rig.probe.configure(both);
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
  EXPECT_EQ(rig.voids.size(), 1U);
}

TEST(PtpFaults, TheGoodNicIsFoundBesideTheBadOne) {
  core::PtpSettings settings = allowing("525400000001");
  settings.allow.emplace_back("000000000000");
  PtpRig rig(settings);
  rig.catalogue.add("/dev/ptp0", "000000000000").rate_ppm = 1'500'000;
  rig.start();
  rig.scheduler.run_for(4s);
  rig.catalogue.add("/dev/ptp1", "525400000001");
  rig.probe.device_appeared();
  rig.scheduler.run_for(6s);
  EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.probe.health().why;
  EXPECT_TRUE(rig.why_says("/dev/ptp1 (525400000001): UTC")) << rig.probe.health().why;
  EXPECT_TRUE(rig.why_says("not taken: /dev/ptp0 (000000000000): it runs")) << rig.probe.health().why;
}

}  // namespace
}  // namespace clockmend::probes::test
