// Programs run as transient units.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/integration/os/systemd_fixture.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;
using core::milliseconds;
using core::seconds;

struct Commands : SystemdFixture {
  std::optional<core::Result<core::CommandResult>> result;
  int results = 0;

  bool run(std::vector<std::string> argv = {"/usr/bin/tool", "-m", "two words"}, milliseconds deadline = seconds{5}) {
    result.reset();
    services->run(argv, deadline, [this](core::Result<core::CommandResult> r) {
      result = std::move(r);
      ++results;
    });
    EXPECT_FALSE(result.has_value()) << "not from inside run()";
    return fakes::run_until(io, [this] { return result.has_value(); });
  }
  bool sent(const std::string& property) const {
    return std::ranges::find(systemd->transient_properties, property) != systemd->transient_properties.end();
  }
};

TEST_F(Commands, TheProgramsOutputAndItsSuccess) {
  systemd->program.output = "200 OK\n";
  ASSERT_TRUE(run());
  ASSERT_TRUE(result->ok()) << result->error().text;
  EXPECT_EQ((*result)->exit_code, 0);
  EXPECT_EQ((*result)->output, "200 OK\n");
  EXPECT_EQ(systemd->calls.back(), "StartTransientUnit fail [/usr/bin/tool][-m][two words]") << "each word as it is, no shell";
  for (const char* property : {"TimeoutStartUSec", "LimitFSIZE", "TasksMax", "MemoryMax", "CapabilityBoundingSet", "NoNewPrivileges"})
    EXPECT_TRUE(sent(property)) << property;
  fakes::run_for(io, milliseconds{30});
  EXPECT_EQ(results, 1);
}

TEST_F(Commands, AFailureIsAResultAndLeavesNoFailedUnit) {
  systemd->program = {1, "506 Cannot talk to daemon\n", ""};
  ASSERT_TRUE(run());
  ASSERT_TRUE(result->ok()) << result->error().text;
  EXPECT_EQ((*result)->exit_code, 1);
  EXPECT_EQ((*result)->output, "506 Cannot talk to daemon\n");
  fakes::run_until(io, [this] { return systemd->calls.back() == "ResetFailedUnit"; });
  EXPECT_EQ(systemd->calls.back(), "ResetFailedUnit");
}

// capabilities(7): only a program that is there for it may set the clock, and even that one may not do everything.
TEST_F(Commands, OnlyAClockToolMaySetTheClock) {
  constexpr std::uint64_t kSysTime = 1U << 25;
  constexpr std::uint64_t kSysAdmin = 1U << 21;
  ASSERT_TRUE(run());
  EXPECT_EQ(systemd->capabilities & kSysTime, 0U);
  systemd->program.output = "adjusted\n";
  result.reset();
  services->run_clock_tool({"/usr/sbin/ntpdate", "192.0.2.1"}, seconds{5},
                           [this](core::Result<core::CommandResult> r) { result = std::move(r); });
  ASSERT_TRUE(fakes::run_until(io, [this] { return result.has_value(); }));
  ASSERT_TRUE(result->ok()) << result->error().text;
  EXPECT_EQ((*result)->output, "adjusted\n");
  EXPECT_NE(systemd->capabilities & kSysTime, 0U);
  EXPECT_EQ(systemd->capabilities & kSysAdmin, 0U);
  EXPECT_TRUE(sent("NoNewPrivileges"));
}

TEST_F(Commands, OutputIsBounded) {
  systemd->program.output = std::string(60'000, 'x');
  ASSERT_TRUE(run());
  EXPECT_EQ((*result)->output.size(), 4096U);
}

TEST_F(Commands, AMissingProgramIsNotFound) {
  systemd->program.exit_status = 203;
  ASSERT_TRUE(run());
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(result->error().code, ErrorCode::not_found);
}

TEST_F(Commands, OneThatSystemdHadToEndIsATimeout) {
  systemd->program.exit_code = CLD_KILLED;
  systemd->program.exit_status = SIGTERM;
  ASSERT_TRUE(run());
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(result->error().code, ErrorCode::timeout);
}

TEST_F(Commands, OneThatSystemdCouldNotStart) {
  systemd->program.job_result = "failed";
  systemd->program.exit_code = 0;
  ASSERT_TRUE(run());
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(result->error().code, ErrorCode::unavailable);
}

TEST_F(Commands, AFailedJobIsNoSuccessWhateverTheProgramSaid) {
  systemd->program.job_result = "failed";
  ASSERT_TRUE(run());
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(result->error().code, ErrorCode::io);
}

TEST_F(Commands, ADeadlineHoldsEvenWhenNobodyAnswers) {
  systemd->jobs = fakes::FakeSystemd::Jobs::never_finish;
  ASSERT_TRUE(run({"/usr/bin/tool"}, milliseconds{100}));
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(result->error().code, ErrorCode::timeout);
}

TEST_F(Commands, RefusalsAreErrors) {
  systemd->refuse_jobs_with = "org.freedesktop.DBus.Error.AccessDenied";
  ASSERT_TRUE(run());
  EXPECT_EQ(result->error().code, ErrorCode::not_permitted);
  ASSERT_TRUE(run({"tool"}));
  EXPECT_EQ(result->error().code, ErrorCode::invalid) << "no search path";
  ASSERT_TRUE(run({}));
  EXPECT_EQ(result->error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace clockmend::os
