// Clocks that appear while the agent runs: when they may be read first, and descriptors of clocks that are no more.
#include <gtest/gtest.h>

#include "tests/unit/probes/ptp_rig.hpp"

namespace clockmend::probes::test {
namespace {

constexpr const char* kNic = "525400000001";

core::PtpSettings allowing_nic() {
  core::PtpSettings settings;
  settings.allow = {kNic};
  return settings;
}

// The driver e1000e of Linux 7.3 registers its clock before it can be read: a read in that moment is a kernel oops.
TEST(PtpHotplug, ANetworkCardsClockIsLeftAloneForTwoSeconds) {
  PtpRig rig(allowing_nic());
  rig.start();
  rig.scheduler.run_for(3s);
  auto& nic = rig.catalogue.add("/dev/ptp0", kNic);
  rig.probe.device_appeared(nic.node);
  rig.scheduler.run_for(1s);
  rig.probe.device_appeared("/dev/ptp7");  // another one's news do not shorten the wait
  rig.probe.measure_now();
  rig.scheduler.run_for(950ms);
  EXPECT_EQ(nic.reads, 0U);
  EXPECT_EQ(nic.opens, 0U);
  EXPECT_EQ(rig.state(), core::ProbeState::starting);
  EXPECT_TRUE(rig.why_says("time to become ready")) << rig.probe.health().why;
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.probe.health().why;
  EXPECT_EQ(rig.readings.size(), 1U);
}

TEST(PtpHotplug, AHypervisorsClockIsReadAtOnce) {
  PtpRig rig(allowing_nic());
  rig.start();
  rig.scheduler.run_for(3s);
  auto& kvm = rig.kvm();
  rig.probe.device_appeared(kvm.node);
  rig.scheduler.run_for(1ms);
  EXPECT_EQ(kvm.reads, 1U);
}

TEST(PtpHotplug, AllowedByAReloadItWaitsToo) {
  PtpRig rig;
  auto& nic = rig.catalogue.add("/dev/ptp0", kNic);
  rig.settle();
  rig.probe.configure(allowing_nic());
  rig.scheduler.run_for(1900ms);
  EXPECT_EQ(nic.reads, 0U) << "it may have appeared just now";
  rig.scheduler.run_for(3s);
  EXPECT_EQ(rig.state(), core::ProbeState::running);
}

TEST(PtpHotplug, MadeAnewUnderItsOldNumberItWaitsAgain) {
  PtpRig rig(allowing_nic());
  auto& nic = rig.catalogue.add("/dev/ptp0", kNic);
  rig.settle(8s);
  ASSERT_EQ(rig.state(), core::ProbeState::running);
  nic.plug();  // out and in between two looks: the list is as before
  rig.probe.device_gone();
  rig.probe.device_appeared(nic.node);
  rig.scheduler.run_for(1900ms);
  EXPECT_EQ(nic.opens, 1U) << "the old descriptor told that it is gone; the new clock was not touched";
  rig.scheduler.run_for(5s);
  EXPECT_EQ(nic.opens, 2U);
  EXPECT_EQ(rig.state(), core::ProbeState::running) << rig.probe.health().why;
}

TEST(PtpHotplug, AStaleDescriptorIsReplacedAtOnce) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  phc.plug("/dev/ptp4");  // and nobody tells
  rig.clock.pause(7s);
  rig.scheduler.run_for(300ms);
  EXPECT_EQ(phc.opens, 2U);
  ASSERT_EQ(rig.readings.size(), 1U);
  EXPECT_LE(magnitude({rig.readings[0].offset.value - phc.offset()}), 50us);
  EXPECT_EQ(rig.voids.size(), 1U);
}

TEST(PtpHotplug, AClockThatIsMadeAnewAllTheTimeIsOpenedLessAndLessOften) {
  PtpRig rig;
  auto& phc = rig.kvm();
  rig.settle();
  for (int i = 0; i < 4 * 600; ++i) {
    phc.plug();
    rig.scheduler.run_for(250ms);
  }
  EXPECT_LE(phc.opens, 10U) << "ten minutes: 10 20 40 80 160 300 s";
  EXPECT_EQ(rig.state(), core::ProbeState::degraded);
  EXPECT_TRUE(rig.why_says("no such device")) << rig.probe.health().why;
}

TEST(PtpHotplug, ARejectedClockIsNotNamedAnyMoreWhenItIsGone) {
  PtpRig rig(allowing_nic());
  auto& nic = rig.catalogue.add("/dev/ptp0", kNic);
  nic.rate_ppm = 1'500'000;
  rig.settle(8s);
  ASSERT_TRUE(rig.why_says("too fast")) << rig.probe.health().why;
  nic.unplug();
  rig.probe.device_gone();
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.state(), core::ProbeState::off);
  EXPECT_TRUE(rig.why_says("no PTP clock")) << rig.probe.health().why;
}

TEST(PtpHotplug, SaysHowLongAFreezeStaysUnseen) {
  PtpRig rig;
  EXPECT_EQ(rig.probe.health().sees_within, 0ns);
  auto& phc = rig.kvm();
  rig.settle();
  EXPECT_EQ(rig.probe.health().sees_within, 250ms);
  phc.unplug();
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().sees_within, 0ns);
}

}  // namespace
}  // namespace clockmend::probes::test
