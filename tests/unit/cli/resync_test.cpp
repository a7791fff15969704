#include "agent/cli/resync_command.hpp"

#include <gtest/gtest.h>

#include "tests/unit/cli/world.hpp"

namespace clockmend::tests {
namespace {

core::Result<wire::Reply> reply_with(core::Outcome outcome) {
  wire::NotifyReply reply;
  reply.report = report_number(5);
  reply.report->outcome = outcome;
  return wire::parse_reply(wire::notify_reply(reply, "\"cli\""));
}

TEST(Resync, PrintsTheReportAndItsCode) {
  const std::pair<core::Outcome, int> cases[] = {{core::Outcome::corrected, 0},
                                                 {core::Outcome::no_action, 0},
                                                 {core::Outcome::observed, 0},
                                                 {core::Outcome::refused, 1},
                                                 {core::Outcome::failed, 2}};
  for (const auto& [outcome, code] : cases) {
    World world;
    world.answer = reply_with(outcome);
    EXPECT_EQ(cli::run_resync(world.context(), {}).code, code) << to_string(outcome);
  }
  World world;
  world.answer = reply_with(core::Outcome::corrected);
  EXPECT_EQ(cli::run_resync(world.context(), {}).text.rfind("The clock was 47.550 s behind; corrected in 812.000 ms.", 0), 0U);
}

TEST(Resync, JsonIsTheReport) {
  World world;
  world.answer = reply_with(core::Outcome::corrected);
  const std::string text = cli::run_resync(world.context(), {.json = true}).text;
  const auto report = wire::parse_report(text.substr(0, text.size() - 1));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->number, 5U);
}

TEST(Resync, TheSwitchesReachTheAgent) {
  World world;
  static_cast<void>(cli::run_resync(world.context(), {.dry_run = true, .force = true, .backend = core::StepBackend::ntpdate}));
  ASSERT_EQ(world.asked.size(), 1U);
  const auto parsed = wire::parse_request(world.asked.front());
  const auto& request = std::get<wire::ClockResync>(std::get<wire::Request>(parsed.request));
  EXPECT_TRUE(request.dry_run);
  EXPECT_TRUE(request.force);
  EXPECT_EQ(request.backend, core::StepBackend::ntpdate);
  EXPECT_TRUE(request.wait);
}

TEST(Resync, EveryFailureHasItsCode) {
  const std::pair<core::ErrorCode, int> cases[] = {{core::ErrorCode::not_found, 3},
                                                   {core::ErrorCode::not_permitted, 3},
                                                   {core::ErrorCode::unavailable, 3},
                                                   {core::ErrorCode::timeout, 4},
                                                   {core::ErrorCode::invalid, 6}};
  for (const auto& [code, exit] : cases) {
    World world;
    world.answer = core::Error{code, "why"};
    const cli::Output out = cli::run_resync(world.context(), {});
    EXPECT_EQ(out.code, exit);
    EXPECT_FALSE(out.error.empty());
  }
  World world;
  world.answer = wire::parse_reply(wire::error_reply(wire::ErrorClass::not_permitted, "blocked", ""));
  EXPECT_EQ(cli::run_resync(world.context(), {}).code, 1);
}

}  // namespace
}  // namespace clockmend::tests
