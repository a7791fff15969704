#include "agent/os/device_table.hpp"

#include <gtest/gtest.h>

#include "agent/os/udev_devices.hpp"
#include "tests/fakes/real_loop.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

using core::DeviceAction;

const DeviceTable::Device kRtc{"rtc", "/dev/rtc0", "rtc_cmos 00:04"};

TEST(DeviceTable, ADeviceIsAddedOnce) {
  DeviceTable table;
  const auto first = table.seen("rtc0", kRtc);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].action, DeviceAction::add);
  EXPECT_EQ(first[0].devnode, "/dev/rtc0");
  EXPECT_TRUE(table.seen("rtc0", kRtc).empty());
}

TEST(DeviceTable, APortGetsItsNameByAChange) {
  DeviceTable table;
  ASSERT_EQ(table.seen("vport1p1", {"virtio-ports", "/dev/vport1p1", ""}).size(), 1U);
  const auto named = table.seen("vport1p1", {"virtio-ports", "/dev/vport1p1", "org.clockmend.agent.0"}, true);
  ASSERT_EQ(named.size(), 1U);
  EXPECT_EQ(named[0].action, DeviceAction::change);
  EXPECT_EQ(named[0].name, "org.clockmend.agent.0");
}

TEST(DeviceTable, ARemovalStillKnowsTheName) {
  DeviceTable table;
  (void)table.seen("rtc0", kRtc);
  const auto gone = table.removed("rtc0");
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].action, DeviceAction::remove);
  EXPECT_EQ(gone[0].name, "rtc_cmos 00:04");
  EXPECT_TRUE(table.removed("rtc0").empty());
}

TEST(DeviceTable, AListingAfterAnOverrunYieldsWhatWasMissed) {
  DeviceTable table;
  (void)table.seen("rtc0", kRtc);
  (void)table.seen("ptp0", {"ptp", "/dev/ptp0", "KVM virtual PTP"});
  const auto events = table.listed({{"rtc0", kRtc}, {"vport1p1", {"virtio-ports", "/dev/vport1p1", "a"}}});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].action, DeviceAction::remove);
  EXPECT_EQ(events[0].subsystem, "ptp");
  EXPECT_EQ(events[1].action, DeviceAction::add);
  EXPECT_EQ(events[1].devnode, "/dev/vport1p1");
}

TEST(DeviceTable, AnotherDeviceUnderTheSameNameIsARemovalAndAnAddition) {
  DeviceTable table;
  (void)table.seen("ptp0", {"ptp", "/dev/ptp0", "KVM virtual PTP", 7});
  // By its name alone, and by its instance alone (unplugged and plugged in again).
  for (const DeviceTable::Device& next :
       {DeviceTable::Device{"ptp", "/dev/ptp0", "hyperv", 0}, DeviceTable::Device{"ptp", "/dev/ptp0", "hyperv", 9},
        DeviceTable::Device{"ptp", "/dev/ptp0", "hyperv", 10}}) {
    const auto events = table.listed({{"ptp0", next}});
    if (next.instance == 9) {  // only became known
      EXPECT_TRUE(events.empty());
      continue;
    }
    ASSERT_EQ(events.size(), 2U) << next.instance;
    EXPECT_EQ(events[0].action, DeviceAction::remove);
    EXPECT_EQ(events[1].action, DeviceAction::add);
    EXPECT_EQ(events[1].name, "hyperv");
  }
}

TEST(DeviceTable, ARenumberedDeviceGoesAndComes) {
  DeviceTable table;
  (void)table.seen("ptp0", {"ptp", "/dev/ptp0", "KVM virtual PTP", 7});
  const auto events = table.listed({{"ptp1", {"ptp", "/dev/ptp1", "KVM virtual PTP", 8}}});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].devnode, "/dev/ptp0");
  EXPECT_EQ(events[0].action, DeviceAction::remove);
  EXPECT_EQ(events[1].devnode, "/dev/ptp1");
  EXPECT_EQ(events[1].action, DeviceAction::add);
}

TEST(DeviceTable, WhatWasQueuedBeforeAnOverrunIsNotBelieved) {
  DeviceTable table;
  const DeviceTable::Device ptp{"ptp", "/dev/ptp0", "KVM virtual PTP", 7};
  (void)table.seen("ptp0", ptp);
  (void)table.seen("rtc0", kRtc);
  table.overrun();
  // Queued: the removal, whose addition was lost; an addition, whose removal was lost.
  EXPECT_TRUE(table.removed("ptp0").empty());
  EXPECT_TRUE(table.seen("vport1p1", {"virtio-ports", "/dev/vport1p1", "gone"}).empty());
  EXPECT_TRUE(table.needs_listing());
  const auto events = table.listed({{"ptp0", {"ptp", "/dev/ptp0", "KVM virtual PTP", 8}}, {"rtc0", kRtc}});
  ASSERT_EQ(events.size(), 2U) << "the clock is another one, the RTC the same";
  EXPECT_EQ(events[0].action, DeviceAction::remove);
  EXPECT_EQ(events[1].action, DeviceAction::add);
  EXPECT_FALSE(table.needs_listing());
  EXPECT_EQ(table.removed("ptp0").size(), 1U) << "events count again";
}

TEST(WatchedAs, PicksTheDevicesThatMatter) {
  EXPECT_EQ(watched_as("ptp", "ptp0", ""), "ptp");
  EXPECT_EQ(watched_as("misc", "vmclock0", ""), "vmclock");
  EXPECT_EQ(watched_as("misc", "loop-control", ""), "");
  EXPECT_EQ(watched_as("acpi", "QEMUVGID:00", "vmgenid"), "vmgenid");
  EXPECT_EQ(watched_as("platform", "QEMUVGID:00", "vmgenid"), "vmgenid");
  EXPECT_EQ(watched_as("platform", "serial8250", "serial8250"), "");
  EXPECT_EQ(watched_as("acpi", "PNP0C02:00", ""), "");
}

TEST(DeviceTable, IsBounded) {
  DeviceTable table;
  for (int i = 0; i < 1000; ++i) (void)table.seen("vport" + std::to_string(i), {"virtio-ports", "/dev/x", "x"});
  EXPECT_TRUE(table.seen("one-more", kRtc).empty());
}

struct Sysfs : fakes::TempDir {
  Sysfs() {
    put("/sys/class/rtc/rtc0/name", "rtc_cmos 00:04\n");
    put("/sys/class/virtio-ports/vport1p1/name", "org.clockmend.agent.0\n");
    put("/sys/class/ptp/ptp0/clock_name", "KVM virtual PTP\n");
    put("/sys/class/misc/vmclock0/dev", "10:125\n");
    put("/sys/class/misc/loop-control/dev", "10:237\n");
    put("/sys/bus/platform/drivers/vmgenid/QEMUVGID:00/uevent", "\n");
    put("/sys/bus/platform/drivers/vmgenid/bind", "");
    put("/sys/class/net/eth0/address", "\n");
  }
};

TEST(ScanSysfs, FindsTheWatchedSubsystems) {
  const Sysfs tree;
  const auto listing = scan_sysfs(tree.path());
  ASSERT_EQ(listing.size(), 5U);
  EXPECT_EQ(listing.at("rtc0").name, kRtc.name);
  EXPECT_EQ(listing.at("rtc0").devnode, kRtc.devnode);
  EXPECT_NE(listing.at("rtc0").instance, 0U);
  EXPECT_EQ(listing.at("vport1p1").name, "org.clockmend.agent.0");
  EXPECT_EQ(listing.at("vport1p1").devnode, "/dev/vport1p1");
  EXPECT_EQ(listing.at("ptp0").name, "KVM virtual PTP");
  EXPECT_EQ(listing.at("vmclock0").subsystem, "vmclock");
  EXPECT_EQ(listing.at("vmclock0").devnode, "/dev/vmclock0");
  EXPECT_EQ(listing.at("QEMUVGID:00").subsystem, "vmgenid");
  EXPECT_EQ(listing.at("QEMUVGID:00").devnode, "");
}

TEST(UdevDevices, ReportsWhatIsThereEvenWithoutAMonitor) {
  const Sysfs tree;
  asio::io_context io;
  UdevDevices devices{io, tree.path()};
  std::vector<core::DeviceEvent> events;
  const auto status = devices.start([&](const core::DeviceEvent& e) { events.push_back(e); });
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(events.empty()) << "not from inside start()";
  EXPECT_TRUE(fakes::run_until(io, [&] { return events.size() == 5; }));
  EXPECT_EQ(devices.listings(), 1U);
}

TEST(UdevDevices, TheRealMonitorOpens) {
  asio::io_context io;
  UdevDevices devices{io};
  const auto status = devices.start([](const core::DeviceEvent&) {});
  fakes::run_for(io, std::chrono::milliseconds{20});
  EXPECT_TRUE(status.ok()) << status.error().text;
}

TEST(UdevDevices, NothingComesAfterItIsGone) {
  const Sysfs tree;
  asio::io_context io;
  int events = 0;
  {
    UdevDevices devices{io, tree.path()};
    (void)devices.start([&](const core::DeviceEvent&) { ++events; });
  }
  fakes::run_for(io, std::chrono::milliseconds{20});
  EXPECT_EQ(events, 0);
}

}  // namespace
}  // namespace clockmend::os
