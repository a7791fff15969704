// Hooks and the dead-man timer as systemd sees them.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/integration/os/systemd_fixture.hpp"

namespace clockmend::os {
namespace {

using core::milliseconds;
using core::seconds;

struct HookUnits : SystemdFixture {
  bool sent(const std::string& property) const {
    return std::ranges::find(systemd->transient_properties, property) != systemd->transient_properties.end();
  }
};

TEST_F(HookUnits, AHookHasItsEnvironmentAndMayDoAllButSetTheClock) {
  systemd->program.output = "held\n";
  std::optional<core::Result<core::CommandResult>> result;
  services->run_hook("/etc/clockmend/hooks.d/pre-step/10-hold", {"CLOCKMEND_HOOK=pre-step"}, seconds{2},
                     [&](core::Result<core::CommandResult> r) { result = std::move(r); });
  ASSERT_TRUE(fakes::run_until(io, [&] { return result.has_value(); }));
  ASSERT_TRUE(result->ok()) << result->error().text;
  EXPECT_EQ((*result)->output, "held\n");
  EXPECT_EQ(systemd->calls.back(), "StartTransientUnit fail [/etc/clockmend/hooks.d/pre-step/10-hold]");
  for (const char* property : {"Environment", "TimeoutStartUSec", "TimeoutStopUSec", "TasksMax", "MemoryMax", "LimitFSIZE"})
    EXPECT_TRUE(sent(property)) << property;
  EXPECT_EQ(systemd->capabilities & (std::uint64_t{1} << 25U), 0U) << "CAP_SYS_TIME";
  EXPECT_NE(systemd->capabilities & (std::uint64_t{1} << 5U), 0U) << "CAP_KILL: it may signal the application";
}

TEST_F(HookUnits, TheDeadManIsATimerAndIsStopped) {
  std::optional<core::Status> armed;
  services->arm({"/usr/sbin/clockmendd", "--recover"}, seconds{75}, [&](core::Status s) { armed = std::move(s); });
  ASSERT_TRUE(fakes::run_until(io, [&] { return armed.has_value(); }));
  EXPECT_TRUE(armed->ok()) << armed->error().text;
  for (const char* property : {"TimersMonotonic", "AccuracyUSec", "RemainAfterElapse", "CollectMode"})
    EXPECT_TRUE(sent(property)) << property;
  EXPECT_EQ(systemd->calls.back(), "StartTransientUnit fail ");
  services->disarm();
  const auto stop = [this] {
    return std::ranges::any_of(systemd->calls, [](const std::string& c) {
      return c.starts_with("StopUnit clockmend-dead-man-") && c.find(".timer") != std::string::npos;
    });
  };
  EXPECT_TRUE(fakes::run_until(io, stop));
  const std::size_t calls = systemd->calls.size();
  services->disarm();
  fakes::run_for(io, milliseconds{30});
  EXPECT_LE(systemd->calls.size(), calls + 1) << "disarmed once";
}

TEST_F(HookUnits, WithoutATimerThatIsSaid) {
  systemd->refuse_jobs_with = "org.freedesktop.DBus.Error.AccessDenied";
  std::optional<core::Status> armed;
  services->arm({"/usr/sbin/clockmendd", "--recover"}, seconds{75}, [&](core::Status s) { armed = std::move(s); });
  ASSERT_TRUE(fakes::run_until(io, [&] { return armed.has_value(); }));
  EXPECT_FALSE(armed->ok());
}

}  // namespace
}  // namespace clockmend::os
