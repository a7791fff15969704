// The real counter of this machine, and machines whose counter must not be used.
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <string>

#include "agent/os/tsc_counter.hpp"
#include "agent/os/tsc_reader.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

TEST(TscReader, CountsForwardWithTheClocks) {
  LinuxTsc tsc;
  const auto first = tsc.read();
  if (!first) GTEST_SKIP() << "SKIPPED: " << first.error().text;
  const auto second = tsc.read();
  ASSERT_TRUE(second.ok());
  EXPECT_GT(second->ticks, first->ticks);
  EXPECT_GT(second->at.raw, first->at.raw);
  EXPECT_GE(second->at.bracket, core::nanoseconds::zero());
  EXPECT_GT(second->at.realtime.time_since_epoch(), core::seconds{1'700'000'000});
  EXPECT_GE(second->at.boottime.time_since_epoch(), second->at.monotonic.time_since_epoch());
}

TEST(TscReader, NeedsAConstantCounter) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "SKIPPED: no time stamp counter on this machine";
#endif
  struct Row {
    const char* cpuinfo;
    bool usable;
  };
  const Row rows[] = {
      {"processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc\n\nprocessor\t: 1\n", true},
      {"processor\t: 0\nflags\t\t: fpu constant_tsc\n", true},
      {"flags\t\t: constant_tsc fpu\n", true},
      {"processor\t: 0\nflags\t\t: fpu tsc nonstop_tsc\n", false},
      {"processor\t: 0\nflags\t\t: fpu not_constant_tsc constant_tsc_adjust\n", false},
      {"processor\t: 0\nvmx flags\t: constant_tsc\nflags\t\t: fpu\n", false},
      {"processor\t: 0\nmodel name\t: constant_tsc\n", false},
      {"", false},
  };
  for (const Row& row : rows) {
    const fakes::TempDir root;
    root.put("/proc/cpuinfo", row.cpuinfo);
    LinuxTsc tsc{root.path()};
    EXPECT_EQ(tsc.read().ok(), row.usable) << row.cpuinfo;
  }
}

TEST(TscReader, AHugeCpuinfoIsReadOnlyInPart) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "SKIPPED: no time stamp counter on this machine";
#endif
  const fakes::TempDir root;
  std::string text = "processor\t: 0\nflags\t\t: fpu constant_tsc\n";
  text.append(8'000'000, 'x');
  root.put("/proc/cpuinfo", text);
  EXPECT_TRUE(tsc_usable(root.path()).ok());
}

TEST(TscReader, TheKernelsOwnJudgementIsKnown) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "SKIPPED: no time stamp counter on this machine";
#endif
  const fakes::TempDir root;
  EXPECT_TRUE(tsc_held_stable(root.path())) << "no list, no objection";
  const std::string list = "/sys/devices/system/clocksource/clocksource0/available_clocksource";
  for (const char* good : {"tsc kvm-clock \n", "kvm-clock tsc\n", "tsc"}) {
    root.put(list, good);
    EXPECT_TRUE(tsc_held_stable(root.path())) << good;
  }
  for (const char* bad : {"kvm-clock acpi_pm \n", "hyperv_clocksource_tsc_page acpi_pm\n", "\n"}) {
    root.put(list, bad);
    EXPECT_FALSE(tsc_held_stable(root.path())) << bad;
  }
}

TEST(TscReader, IsUnsupportedWithoutCpuinfo) {
  const fakes::TempDir root;
  LinuxTsc tsc{root.path()};
  const auto r = tsc.read();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, core::ErrorCode::unsupported);
}

TEST(TscReader, IsUnsupportedWhereTheProcessMayNotReadIt) {
  if (!tsc_usable()) GTEST_SKIP() << "SKIPPED: " << tsc_usable().error().text;
  // From here on rdtsc would be SIGSEGV; the vDSO's clocks must not be read either until it is allowed again.
  ASSERT_EQ(::prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0), 0);
  const auto usable = tsc_usable();
  ASSERT_EQ(::prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0), 0);
  ASSERT_FALSE(usable.ok());
  EXPECT_EQ(usable.error().code, core::ErrorCode::unsupported);
}

TEST(TscReader, KnowsAnEmulatorByItsSignature) {
  const std::string signature = hypervisor_signature();
  EXPECT_LE(signature.size(), 12U);
  EXPECT_EQ(LinuxTsc{}.emulated(), signature == "TCGTCGTCGTCG") << signature;
}

}  // namespace
}  // namespace clockmend::os
