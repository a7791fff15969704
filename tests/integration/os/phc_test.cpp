// The PTP clocks of this machine, if it has any.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "agent/os/phc_catalogue.hpp"
#include "agent/os/phc_device.hpp"

namespace clockmend::os {
namespace {

TEST(RealPhc, ReadsWithFiveSystemCallsAtMost) {
  LinuxPhcCatalogue catalogue;
  const auto devices = catalogue.list();
  unsigned read = 0;
  for (const core::PhcDevice& device : devices) {
    UniqueFd fd{::open(device.node.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!fd) continue;
    unsigned calls = 0;
    const PhcCalls real = linux_phc_calls();
    LinuxPhc phc{std::move(fd),
                 device.node,
                 {[&](int f, unsigned long request, void* argument) { return ++calls, real.ioctl(f, request, argument); },
                  [&](clockid_t id) { return ++calls, real.clock(id); }}};
    ASSERT_TRUE(phc.read().ok()) << device.node;  // finds the way
    calls = 0;
    const auto reading = phc.read();
    ASSERT_TRUE(reading.ok()) << reading.error().text;
    const bool preempted = reading->at.bracket > std::chrono::milliseconds{5};  // then it read twice
    EXPECT_LE(calls, preempted ? 10U : 5U) << device.clock_name;
    EXPECT_GE(reading->bracket, core::nanoseconds::zero());
    ++read;
  }
  if (read == 0) GTEST_SKIP() << "SKIPPED: no PTP clock that can be opened on this machine (" << devices.size() << " listed)";
}

TEST(RealPhc, TheCatalogueOpensWhatItLists) {
  LinuxPhcCatalogue catalogue;
  unsigned opened = 0;
  for (const core::PhcDevice& device : catalogue.list()) {
    auto phc = catalogue.open(device);
    if (!phc && phc.error().code == core::ErrorCode::not_permitted) continue;
    ASSERT_TRUE(phc.ok()) << phc.error().text;
    const auto first = (*phc)->read();
    const auto second = (*phc)->read();
    ASSERT_TRUE(first.ok() && second.ok()) << device.node;
    EXPECT_GT(second->at.raw, first->at.raw);
    ++opened;
  }
  if (opened == 0) GTEST_SKIP() << "SKIPPED: no PTP clock that can be opened on this machine";
}

}  // namespace
}  // namespace clockmend::os
