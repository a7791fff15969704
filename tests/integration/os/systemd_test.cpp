// Stopping, starting and asking about units, when systemd does what it should.
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

#include "tests/integration/os/systemd_fixture.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;
using core::milliseconds;
using core::seconds;
using Systemd = SystemdFixture;

TEST_F(Systemd, QueryTellsTheStateUnderThePrimaryName) {
  services->query("ntp.service", seconds{5}, reply());
  EXPECT_FALSE(answer.has_value()) << "not from inside query()";
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ((*answer)->id, "ntpsec.service");
  EXPECT_EQ((*answer)->load_state, "loaded");
  EXPECT_TRUE((*answer)->running());
  EXPECT_EQ((*answer)->result, "success");
  EXPECT_EQ((*answer)->invocation_id, "30313233343536373839616263646566");
  expect_one_answer();
}

TEST_F(Systemd, QueryOfAnUnknownUnitIsNotFound) {
  services->query("chrony.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::not_found);
  EXPECT_NE(answer->error().text.find("chrony.service"), std::string::npos);
}

TEST_F(Systemd, QueryOfAMaskedUnitSaysSo) {
  systemd->units["chrony.service"] = {.id = "chrony.service", .load_state = "masked", .active_state = "inactive", .sub_state = "dead"};
  services->query("chrony.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok());
  EXPECT_EQ((*answer)->load_state, "masked");
}

TEST_F(Systemd, StopWaitsForTheEndOfTheJob) {
  services->stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ((*answer)->active_state, "inactive");
  EXPECT_EQ(systemd->calls.at(0), "StopUnit ntpsec.service replace");
  expect_one_answer();
}

TEST_F(Systemd, StopSeesAJobThatEndedBeforeItsReply) {
  systemd->jobs = fakes::FakeSystemd::Jobs::finish_before_reply;
  services->stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ((*answer)->active_state, "inactive");
  expect_one_answer();
}

TEST_F(Systemd, StopAnswersOnlyWhenTheUnitIsReallyDown) {
  systemd->settle_after = milliseconds{250};
  services->stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ((*answer)->active_state, "inactive");
}

TEST_F(Systemd, StopEndsAsFailedWhenTheDaemonDiedBadly) {
  systemd->jobs = fakes::FakeSystemd::Jobs::fail;
  services->stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ((*answer)->active_state, "failed");
  EXPECT_EQ((*answer)->result, "exit-code");
}

TEST_F(Systemd, StartTellsTheStateAfterTheJob) {
  auto& unit = systemd->units["ntpsec.service"];
  unit.active_state = "inactive";
  unit.sub_state = "dead";
  services->start("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_TRUE((*answer)->running());
  EXPECT_EQ((*answer)->invocation_id, "66656463626139383736353433323130") << "a new start has a new id";
  EXPECT_EQ(systemd->calls.at(0), "StartUnit ntpsec.service replace");
}

TEST_F(Systemd, StartThatFailsIsAStateNotAnError) {
  systemd->jobs = fakes::FakeSystemd::Jobs::fail;
  services->start("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_FALSE((*answer)->running());
  EXPECT_EQ((*answer)->active_state, "failed");
  EXPECT_EQ((*answer)->result, "exit-code");
}

TEST_F(Systemd, TwoJobsAtOnceAreToldApart) {
  systemd->units["chrony.service"] = {.id = "chrony.service"};
  std::optional<Answer> other;
  services->stop("ntpsec.service", seconds{5}, reply());
  services->stop("chrony.service", seconds{5}, [&](Answer a) { other = std::move(a); });
  ASSERT_TRUE(fakes::run_until(io, [&] { return answer && other; }));
  ASSERT_TRUE(answer->ok() && other->ok());
  EXPECT_EQ((*answer)->id, "ntpsec.service");
  EXPECT_EQ((*other)->id, "chrony.service");
}

TEST_F(Systemd, AReplyMayAskAgain) {
  int stage = 0;
  services->stop("ntpsec.service", seconds{5}, [&](const Answer& stopped) {
    ASSERT_TRUE(stopped.ok());
    stage = 1;
    services->start("ntpsec.service", seconds{5}, [&](const Answer& started) {
      ASSERT_TRUE(started.ok());
      stage = (*started).running() ? 2 : -1;
    });
  });
  EXPECT_TRUE(fakes::run_until(io, [&] { return stage == 2; })) << stage;
}

TEST_F(Systemd, KnowsThatTheSystemGoesDown) {
  std::optional<core::Result<bool>> stopping;
  const auto ask = [&] {
    stopping.reset();
    services->system_stopping(seconds{5}, [&](core::Result<bool> s) { stopping = std::move(s); });
    ASSERT_TRUE(fakes::run_until(io, [&] { return stopping.has_value(); }));
    ASSERT_TRUE(stopping->ok());
  };
  ask();
  EXPECT_FALSE(**stopping);
  systemd->system_state = "degraded";
  ask();
  EXPECT_FALSE(**stopping);
  systemd->system_state = "stopping";
  ask();
  EXPECT_TRUE(**stopping);
}

TEST_F(Systemd, WithoutABusItTalksToSystemdDirectly) {
  const fakes::TempDir dir;
  const std::string path = dir.path() + "/private";
  fakes::FakeSystemd direct{io, fakes::FakeSystemd::WithoutBus{path}};
  direct.units["ntpsec.service"] = {.id = "ntpsec.service"};
  SystemdServices lonely{io, {"unix:path=/nonexistent/bus", "unix:path=" + path, seconds{10}}};
  lonely.stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_EQ((*answer)->active_state, "inactive");
  answer.reset();
  lonely.start("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  ASSERT_TRUE(answer->ok()) << answer->error().text;
  EXPECT_TRUE((*answer)->running());
}

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return std::distance(begin(all), end(all));
}

TEST_F(Systemd, AnIdleConnectionIsClosedAndOpenedAgain) {
  SystemdServices hasty{io, {bus.address(), "", milliseconds{20}}};
  const auto before = open_descriptors();
  hasty.query("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_GT(open_descriptors(), before);
  EXPECT_TRUE(fakes::run_until(io, [&] { return open_descriptors() == before; }));
  answer.reset();
  hasty.stop("ntpsec.service", seconds{5}, reply());
  ASSERT_TRUE(until_answered());
  EXPECT_TRUE(answer->ok()) << answer->error().text;
}

TEST_F(Systemd, ManyRoundsOnOneConnection) {
  for (int i = 0; i < 50; ++i) {
    answer.reset();
    services->stop("ntpsec.service", seconds{5}, reply());
    ASSERT_TRUE(until_answered());
    ASSERT_TRUE(answer->ok()) << i << ": " << answer->error().text;
    answer.reset();
    services->start("ntpsec.service", seconds{5}, reply());
    ASSERT_TRUE(until_answered());
    ASSERT_TRUE(answer->ok() && (*answer)->running()) << i;
  }
  EXPECT_EQ(answers, 100);
}

}  // namespace
}  // namespace clockmend::os
