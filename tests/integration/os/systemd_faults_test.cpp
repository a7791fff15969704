// Stopping and starting units when systemd, the bus or the policy stands in the way: each gives one clear answer in time.
#include <gtest/gtest.h>

#include "tests/integration/os/systemd_fixture.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;
using core::milliseconds;
using core::seconds;
using Jobs = fakes::FakeSystemd::Jobs;
using SystemdFaults = SystemdFixture;

TEST_F(SystemdFaults, AJobThatNeverEndsMissesTheDeadline) {
  systemd->jobs = Jobs::never_finish;
  services->stop("ntpsec.service", milliseconds{300}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::timeout);
  EXPECT_NE(answer->error().text.find("the job did not end within 300 ms"), std::string::npos) << answer->error().text;
  expect_one_answer();
}

TEST_F(SystemdFaults, AUnitThatNeverSettlesMissesTheDeadline) {
  systemd->settle_after = seconds{60};
  services->stop("ntpsec.service", milliseconds{300}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::timeout);
  EXPECT_NE(answer->error().text.find("did not settle"), std::string::npos) << answer->error().text;
}

TEST_F(SystemdFaults, ASilentManagerMissesTheDeadline) {
  systemd->jobs = Jobs::never_reply;
  services->start("ntpsec.service", milliseconds{200}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::timeout);
  EXPECT_NE(answer->error().text.find("no answer from systemd"), std::string::npos) << answer->error().text;
}

TEST_F(SystemdFaults, RefusalsHaveTheirOwnCode) {
  const std::pair<const char*, ErrorCode> rows[] = {
      {"org.freedesktop.DBus.Error.AccessDenied", ErrorCode::not_permitted},
      {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ErrorCode::not_permitted},
      {"org.freedesktop.systemd1.NoSuchUnit", ErrorCode::not_found},
      {"org.freedesktop.systemd1.UnitMasked", ErrorCode::invalid},
      {"org.freedesktop.systemd1.TransactionIsDestructive", ErrorCode::io},
  };
  for (const auto& [name, code] : rows) {
    systemd->refuse_jobs_with = name;
    answer.reset();
    services->stop("ntpsec.service", seconds{5}, reply());
    ASSERT_TRUE(until_answered());
    ASSERT_FALSE(answer->ok()) << name;
    EXPECT_EQ(answer->error().code, code) << name;
    EXPECT_NE(answer->error().text.find("stopping ntpsec.service: refused by the test"), std::string::npos) << answer->error().text;
  }
}

TEST_F(SystemdFaults, AMaskedUnitIsNotStarted) {
  systemd->units["ntpsec.service"].load_state = "masked";
  services->start("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::invalid);
  EXPECT_NE(answer->error().text.find("masked"), std::string::npos);
}

TEST_F(SystemdFaults, AnotherJobInOurPlaceIsCancelled) {
  systemd->jobs = Jobs::canceled;
  services->stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::cancelled);
}

TEST_F(SystemdFaults, AFailedDependencyIsUnavailable) {
  systemd->jobs = Jobs::dependency;
  services->start("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::unavailable);
}

TEST_F(SystemdFaults, TheBusDyingInTheMiddleIsAnswered) {
  systemd->jobs = Jobs::never_finish;
  systemd->before_reply = [this] { bus.kill(); };
  services->stop("ntpsec.service", seconds{30}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::unavailable) << answer->error().text;
  expect_one_answer();
}

TEST_F(SystemdFaults, TheBusDyingWhileAJobIsWaitedForIsAnswered) {
  systemd->jobs = Jobs::never_finish;
  services->stop("ntpsec.service", seconds{30}, reply());
  ASSERT_TRUE(fakes::run_until(io, [&] { return !systemd->calls.empty(); }));
  fakes::run_for(io, milliseconds{50});
  bus.kill();
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::unavailable) << answer->error().text;
  expect_one_answer();
}

TEST_F(SystemdFaults, ReconnectsAfterTheBusCameBack) {
  services->query("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok());
  systemd.reset();
  bus.kill();
  fakes::run_for(io, milliseconds{50});

  answer.reset();
  services->query("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::unavailable) << answer->error().text;

  bus.start();
  ASSERT_TRUE(bus.running());
  systemd = std::make_unique<fakes::FakeSystemd>(io, bus.address());
  systemd->units["ntpsec.service"] = {.id = "ntpsec.service"};
  answer.reset();
  services->stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_TRUE(answer->ok()) << answer->error().text;
}

TEST_F(SystemdFaults, ABusWithoutSystemdIsUnavailable) {
  systemd.reset();
  services->query("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::unavailable) << answer->error().text;
}

TEST_F(SystemdFaults, NoBusAtAllIsUnavailable) {
  SystemdServices lonely{io, {"unix:path=/nonexistent/bus", "", seconds{10}}};
  lonely.query("ntpsec.service", seconds{5}, reply());
  EXPECT_FALSE(answer.has_value()) << "not from inside query()";
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::unavailable) << answer->error().text;
  expect_one_answer();
}

TEST_F(SystemdFaults, NothingIsAnsweredAfterTheEnd) {
  services->stop("ntpsec.service", milliseconds{20}, reply());
  services.reset();
  fakes::run_for(io, milliseconds{80});
  EXPECT_EQ(answers, 0);
}

TEST_F(SystemdFaults, TooManyRequestsAtOnceAreRefused) {
  systemd->jobs = Jobs::never_finish;
  for (int i = 0; i < 64; ++i) services->stop("ntpsec.service", seconds{30}, [](const Answer&) {});
  services->stop("ntpsec.service", seconds{30}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_EQ(answer->error().code, ErrorCode::busy);
}

}  // namespace
}  // namespace clockmend::os
