// vmclock without a time in the page, as QEMU's device is: what changed, how it is woken, what failures do.
#include <gtest/gtest.h>

#include "tests/unit/probes/vmclock_rig.hpp"

namespace clockmend::probes::test {
namespace {

constexpr std::uint64_t kSoon = 1U << 1;
constexpr std::uint64_t kImminent = 1U << 2;

TEST(VmclockTripwire, SaysNothingFromStartAndNothingAboutTheFirstPage) {
  VmclockRig rig;
  rig.device.page.disruption_marker = 7;
  rig.start();
  EXPECT_EQ(rig.device.reads, 0U);
  rig.scheduler.run_for(10s);
  EXPECT_TRUE(rig.disruptions.empty());
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
  EXPECT_NE(rig.why().find("marker 7"), std::string::npos) << rig.why();
  EXPECT_NE(rig.why().find("counter invalid"), std::string::npos) << rig.why();
}

TEST(VmclockTripwire, TellsAChangedMarkerOnceWithinOnePeriod) {
  VmclockRig rig;
  rig.settle();
  rig.device.page.disruption_marker = 2;
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(rig.disruptions.size(), 1U);
  EXPECT_EQ(rig.disruptions[0].tripwire, core::Tripwire::vmclock);
  EXPECT_TRUE(rig.disruptions[0].moved);
  EXPECT_FALSE(rig.disruptions[0].gap.has_value());
  EXPECT_NE(rig.disruptions[0].why.find("marker 1 -> 2"), std::string::npos) << rig.disruptions[0].why;
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.disruptions.size(), 1U);
}

TEST(VmclockTripwire, TellsASnapshotLoadByTheGenerationCounter) {
  VmclockRig rig;
  rig.device.page.vm_generation_counter = 5;
  rig.settle();
  rig.device.page.vm_generation_counter = 6;
  rig.device.page.disruption_marker = 9;
  rig.scheduler.run_for(250ms);
  ASSERT_EQ(rig.disruptions.size(), 1U);
  EXPECT_NE(rig.disruptions[0].why.find("marker 1 -> 9"), std::string::npos);
  EXPECT_NE(rig.disruptions[0].why.find("generation counter 5 -> 6: loaded from a snapshot"), std::string::npos);
}

TEST(VmclockTripwire, AGenerationCounterThatAppearsIsNoEvent) {
  VmclockRig rig;
  rig.settle();
  rig.device.page.vm_generation_counter = 6;  // the flag came later
  rig.scheduler.run_for(1s);
  EXPECT_TRUE(rig.disruptions.empty());
}

TEST(VmclockTripwire, TellsAnAnnouncementOncePerEdge) {
  VmclockRig rig;
  rig.settle();
  rig.device.page.flags = kSoon;
  rig.scheduler.run_for(10s);
  ASSERT_EQ(rig.expected.size(), 1U);
  EXPECT_NE(rig.expected[0].find("soon"), std::string::npos);
  rig.device.page.flags = kSoon | kImminent;
  rig.scheduler.run_for(10s);
  ASSERT_EQ(rig.expected.size(), 2U);
  EXPECT_NE(rig.expected[1].find("imminent"), std::string::npos);
  rig.device.page.flags = 0;
  rig.scheduler.run_for(10s);
  rig.device.page.flags = kImminent;
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.expected.size(), 3U);
}

TEST(VmclockTripwire, AnAnnouncementAlreadyThereAtStartIsTold) {
  VmclockRig rig;
  rig.device.page.flags = kImminent;
  rig.start();
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.expected.size(), 1U);
}

TEST(VmclockTripwire, CostsFourReadsASecondWithoutNotificationOnTheCommonTick) {
  VmclockRig rig;
  rig.clock.advance(17ms);  // start between two ticks
  rig.settle();
  const unsigned before = rig.device.reads;
  std::vector<core::MonotonicPoint> woken;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(rig.scheduler.run_next());
    woken.push_back(rig.scheduler.now());
  }
  EXPECT_EQ(rig.device.reads - before, 8U);
  for (const auto at : woken) EXPECT_EQ(at.time_since_epoch() % 250ms, 0ns);
  EXPECT_EQ(rig.device.watches, 1U) << "a device without notification is asked for it once";
}

TEST(VmclockTripwire, HasNoTimerAtAllWhereThePageNotifies) {
  VmclockRig rig;
  rig.device.notifies = true;
  rig.settle();
  EXPECT_EQ(rig.scheduler.pending(), 0U);
  const unsigned reads = rig.device.reads;
  rig.scheduler.run_for(1h);
  EXPECT_EQ(rig.device.reads, reads);
  rig.device.page.disruption_marker = 2;
  rig.device.changed();
  ASSERT_EQ(rig.disruptions.size(), 1U) << "at once";
  EXPECT_TRUE(rig.device.watched()) << "armed again";
  rig.device.page.disruption_marker = 3;
  rig.device.changed();
  EXPECT_EQ(rig.disruptions.size(), 2U);
}

TEST(VmclockTripwire, AFloodOfNotificationsIsServedAtTheTickAndLosesNothing) {
  VmclockRig rig;
  rig.device.notifies = true;
  rig.settle();
  const unsigned before = rig.device.reads;
  for (int i = 0; i < 10'000; ++i) {
    ++rig.device.page.disruption_marker;
    rig.device.changed();  // who does not watch is not called
    rig.scheduler.run_for(1ms);
  }
  rig.scheduler.run_for(1s);
  EXPECT_LE(rig.device.reads - before, 100U) << "10 s: at most four at once and four ticks a second";
  ASSERT_FALSE(rig.disruptions.empty());
  EXPECT_NE(rig.disruptions.back().why.find("-> 10001"), std::string::npos) << rig.disruptions.back().why;
}

TEST(VmclockTripwire, IsOffWithoutDeviceAndCostsNothing) {
  VmclockRig rig;
  rig.device.there = false;
  rig.start();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::off);
  EXPECT_EQ(rig.why(), "no /dev/vmclock0");
  EXPECT_EQ(rig.scheduler.pending(), 0U);
  rig.probe.measure_now();
  ASSERT_EQ(rig.failures.size(), 1U);
  EXPECT_EQ(rig.failures[0], "no /dev/vmclock0");
}

TEST(VmclockTripwire, ComesWithTheDeviceAndGoesWithIt) {
  VmclockRig rig;
  rig.device.there = false;
  rig.start();
  rig.device.there = true;
  rig.probe.device_appeared();
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
  const unsigned reopened = rig.device.reopened;
  rig.probe.device_appeared();  // known already
  EXPECT_EQ(rig.device.reopened, reopened);

  rig.device.there = false;
  rig.probe.device_gone();
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::off);
  EXPECT_EQ(rig.scheduler.pending(), 0U);
  EXPECT_EQ(rig.device.reopened, reopened + 1) << "closed";

  rig.device.there = true;
  rig.device.page.disruption_marker = 40;  // another device counts for itself
  rig.probe.device_appeared();
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
  EXPECT_TRUE(rig.disruptions.empty());
  EXPECT_TRUE(rig.voids.empty()) << "there was no baseline";
}

TEST(VmclockTripwire, AnotherOnesGoingIsNothing) {
  VmclockRig rig;
  rig.settle();
  const unsigned reopened = rig.device.reopened;
  rig.probe.device_gone("/dev/vmclock1");
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.device.reopened, reopened);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
}

TEST(VmclockTripwire, WhereAnotherOneIsLeftItTakesThatAndItsMarker) {
  VmclockRig rig;
  rig.device.tell_time();
  rig.settle();
  // The device's port names what is open, then what would be opened.
  rig.device.node = "/dev/vmclock0";
  rig.device.page.disruption_marker = 70;
  rig.probe.device_gone("/dev/vmclock0");
  EXPECT_NE(rig.probe.health().state, core::ProbeState::off);
  rig.device.node = "/dev/vmclock1";
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running) << rig.why();
  EXPECT_NE(rig.why().find("/dev/vmclock1: marker 70"), std::string::npos) << rig.why();
  EXPECT_TRUE(rig.disruptions.empty()) << "another device counts for itself";
  EXPECT_EQ(rig.voids.size(), 1U);
  EXPECT_EQ(rig.readings.size(), 1U);
}

TEST(VmclockTripwire, AnErrorOfARemovedDeviceIsNotTheEndWhereAnotherOneIs) {
  VmclockRig rig;
  rig.settle();
  rig.device.error = core::Error{core::ErrorCode::not_found, "/dev/vmclock0: No such device"};
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded) << rig.why();
  rig.device.error.reset();
  rig.scheduler.run_for(6s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
}

TEST(VmclockTripwire, SaysHowLongAFreezeStaysUnseen) {
  VmclockRig rig;
  rig.settle();
  EXPECT_EQ(rig.probe.health().sees_within, 0ns) << "without a time it misses plain pauses";
  rig.device.tell_time();
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().sees_within, 250ms);
  VmclockRig notified;
  notified.device.notifies = true;
  notified.device.tell_time();
  notified.settle();
  EXPECT_EQ(notified.probe.health().sees_within, 1s);
}

TEST(VmclockTripwire, AnUnpluggedDeviceNobodyAnnouncedTurnsItOff) {
  VmclockRig rig;
  rig.settle();
  rig.device.there = false;
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::off);
  EXPECT_EQ(rig.scheduler.pending(), 0U);
}

TEST(VmclockTripwire, FailuresBackOffFromFiveSecondsToFiveMinutesAndEnd) {
  VmclockRig rig;
  rig.device.error = core::Error{core::ErrorCode::not_permitted, "/dev/vmclock0: Operation not permitted"};
  rig.start();
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  EXPECT_EQ(rig.why(), "/dev/vmclock0: Operation not permitted");
  EXPECT_EQ(rig.device.reads, 1U);
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.device.reads, 2U);
  rig.scheduler.run_for(8s);
  EXPECT_EQ(rig.device.reads, 2U);
  rig.scheduler.run_for(1h);
  EXPECT_GE(rig.device.reads, 15U);
  EXPECT_LE(rig.device.reads, 18U) << "5 10 20 40 80 160 300 300 ... s";
  for (int i = 0; i < 50; ++i) rig.probe.measure_now();
  EXPECT_EQ(rig.failures.size(), 50U);
  rig.device.error.reset();
  rig.scheduler.run_for(301s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
}

TEST(VmclockTripwire, BeingAskedDoesNotLengthenTheBackOff) {
  VmclockRig rig;
  rig.device.error = core::Error{core::ErrorCode::io, "/dev/vmclock0: Input/output error"};
  rig.start();
  rig.scheduler.run_for(1s);
  for (int i = 0; i < 50; ++i) rig.probe.measure_now();
  rig.device.error.reset();
  rig.scheduler.run_for(5s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
}

TEST(VmclockTripwire, AMarkerThatChangedDuringFailuresIsTold) {
  VmclockRig rig;
  rig.settle();
  rig.device.error = core::Error{core::ErrorCode::invalid, "not a vmclock page: wrong magic number"};
  rig.scheduler.run_for(2s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  rig.device.error.reset();
  rig.device.page.disruption_marker = 2;
  rig.scheduler.run_for(10s);
  EXPECT_EQ(rig.disruptions.size(), 1U);
}

TEST(VmclockTripwire, AnUpdateUnderWayIsLookedAtAgainAtTheNextTick) {
  VmclockRig rig;
  rig.settle();
  rig.device.error = core::Error{core::ErrorCode::timeout, "mid-update"};
  rig.scheduler.run_for(500ms);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::running);
  rig.device.error.reset();
  rig.device.page.disruption_marker = 2;
  rig.scheduler.run_for(250ms);
  EXPECT_EQ(rig.disruptions.size(), 1U);
}

TEST(VmclockTripwire, AnUpdateThatNeverEndsIsAFailure) {
  VmclockRig rig;
  rig.device.notifies = true;
  rig.settle();
  const unsigned before = rig.device.reads;
  rig.device.error = core::Error{core::ErrorCode::timeout, "mid-update"};
  rig.device.changed();
  rig.scheduler.run_for(60s);
  EXPECT_EQ(rig.probe.health().state, core::ProbeState::degraded);
  EXPECT_LE(rig.device.reads - before, 8U);
}

TEST(VmclockTripwire, MayBeAskedFromWithinItsOwnWord) {
  VmclockRig rig;
  rig.settle();
  rig.also = [&rig](const core::Observation& o) {
    if (std::holds_alternative<core::Disruption>(o)) rig.probe.measure_now();
  };
  rig.device.page.disruption_marker = 2;
  rig.scheduler.run_for(1s);
  EXPECT_EQ(rig.disruptions.size(), 1U);
  ASSERT_EQ(rig.failures.size(), 1U);
  EXPECT_EQ(rig.failures[0], "the page carries no time (counter invalid)");
}

}  // namespace
}  // namespace clockmend::probes::test
