// The PTP clocks by sysfs, in a tree of the test's own; /dev/null plays the character device.
#include "agent/os/phc_catalogue.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

struct Tree : fakes::TempDir {
  Tree() { std::filesystem::create_directories(path() + "/dev"); }
  void device(const std::string& name, const std::string& clock_name, const std::string& number = "1:3") const {
    put("/sys/class/ptp/" + name + "/clock_name", clock_name + "\n");
    put("/sys/class/ptp/" + name + "/dev", number + "\n");
    std::filesystem::create_symlink("/dev/null", path() + "/dev/" + name);
  }
};

TEST(PhcCatalogue, ListsByClockName) {
  const Tree tree;
  tree.device("ptp0", "e1000e-0000:00:02.0");
  tree.device("ptp3", "KVM virtual PTP");
  LinuxPhcCatalogue catalogue{tree.path()};
  const auto devices = catalogue.list();
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0].node, "/dev/ptp0");
  EXPECT_EQ(devices[1].node, "/dev/ptp3");
  EXPECT_EQ(devices[1].clock_name, "KVM virtual PTP");
}

TEST(PhcCatalogue, NoneIsNoError) {
  const Tree tree;
  EXPECT_TRUE(LinuxPhcCatalogue{tree.path()}.list().empty());
}

TEST(PhcCatalogue, OpensWhatWasListed) {
  const Tree tree;
  tree.device("ptp0", "KVM virtual PTP");
  LinuxPhcCatalogue catalogue{tree.path()};
  auto phc = catalogue.open({"/dev/ptp0", "KVM virtual PTP"});
  ASSERT_TRUE(phc.ok()) << phc.error().text;
  const auto reading = (*phc)->read();  // /dev/null answers ENOTTY to each of the three
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, core::ErrorCode::unsupported);
}

TEST(PhcCatalogue, AnotherClockUnderTheSameNumberIsRefused) {
  const Tree tree;
  tree.device("ptp0", "e1000e-0000:00:02.0");
  tree.device("ptp1", "KVM virtual PTP", "250:1");
  LinuxPhcCatalogue catalogue{tree.path()};
  EXPECT_EQ(catalogue.open({"/dev/ptp0", "KVM virtual PTP"}).error().code, core::ErrorCode::not_found);
  EXPECT_EQ(catalogue.open({"/dev/ptp1", "KVM virtual PTP"}).error().code, core::ErrorCode::not_found) << "a stale node";
}

TEST(PhcCatalogue, OpensOnlyDevices) {
  const Tree tree;
  tree.put("/dev/ptp0", "no device");
  tree.put("/sys/class/ptp/ptp0/clock_name", "KVM virtual PTP\n");
  LinuxPhcCatalogue catalogue{tree.path()};
  EXPECT_FALSE(catalogue.open({"/dev/ptp0", "KVM virtual PTP"}).ok());
  EXPECT_EQ(catalogue.open({"/dev/ptp9", "KVM virtual PTP"}).error().code, core::ErrorCode::not_found);
  EXPECT_EQ(catalogue.open({"/dev/../etc/passwd", "KVM virtual PTP"}).error().code, core::ErrorCode::invalid);
}

}  // namespace
}  // namespace clockmend::os
