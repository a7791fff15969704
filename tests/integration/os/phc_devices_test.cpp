// The device monitor when more events come than its socket holds: real ones, of the kernel's synthetic kind (a write of
// "change" to a device's uevent file, which changes nothing).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "agent/os/files.hpp"
#include "agent/os/udev_devices.hpp"
#include "agent/os/unique_fd.hpp"
#include "tests/fakes/real_loop.hpp"

namespace clockmend::os {
namespace {

// Far more than the buffer holds.
constexpr int kFlood = 5000;

bool flood() {
  for (const std::string& name : PosixFileReader{}.list("/sys/class/misc")) {
    const UniqueFd fd{::open(("/sys/class/misc/" + name + "/uevent").c_str(), O_WRONLY | O_CLOEXEC)};
    if (!fd) continue;
    int sent = 0;
    while (sent < kFlood && ::write(fd.get(), "change", 6) == 6) ++sent;
    return sent == kFlood;
  }
  return false;
}

TEST(RealDeviceMonitor, ListsEverythingAgainAfterAnOverrun) {
  asio::io_context io;
  UdevDevices devices{io};
  const auto status = devices.start([](const core::DeviceEvent&) {});
  if (!status) GTEST_SKIP() << "SKIPPED: no device monitor here: " << status.error().text;
  ASSERT_TRUE(fakes::run_until(io, [&] { return devices.listings() == 1; }));
  if (::access("/run/udev/control", F_OK) == 0) GTEST_SKIP() << "SKIPPED: events would go through this machine's udevd";
  if (!flood()) GTEST_SKIP() << "SKIPPED: no device here whose uevent file may be written";
  EXPECT_TRUE(fakes::run_until(io, [&] { return devices.listings() >= 2; }));
  const unsigned after = devices.listings();
  fakes::run_for(io, std::chrono::milliseconds{50});
  EXPECT_EQ(devices.listings(), after) << "once per overrun";
  // And it listens on.
  ASSERT_TRUE(flood());
  EXPECT_TRUE(fakes::run_until(io, [&] { return devices.listings() > after; }));
}

}  // namespace
}  // namespace clockmend::os
