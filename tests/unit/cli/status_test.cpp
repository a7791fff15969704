#include "agent/cli/status_command.hpp"

#include <gtest/gtest.h>

#include "agent/cli/status_file.hpp"
#include "tests/unit/cli/world.hpp"

namespace clockmend::tests {
namespace {

using core::ClockState;

TEST(Status, CheckTellsEveryStateByItsCode) {
  const std::pair<ClockState, int> cases[] = {{ClockState::synchronized, 0}, {ClockState::starting, 1},  {ClockState::suspect, 1},
                                              {ClockState::correcting, 1},   {ClockState::verifying, 1}, {ClockState::degraded, 2},
                                              {ClockState::refused, 2}};
  for (const auto& [state, code] : cases) {
    World world;
    core::AgentStatus status = world.healthy();
    status.state = state;
    world.publish(status);
    const cli::Output out = cli::run_status(world.context(), {.check = true});
    EXPECT_EQ(out.code, code) << to_string(state);
    EXPECT_EQ(out.text.find('\n'), out.text.size() - 1) << "one line";
    EXPECT_EQ(out.text.rfind(to_string(state), 0), 0U) << out.text;
  }
}

TEST(Status, WithoutTheFileThereIsNoAgent) {
  World world;
  for (const bool check : {true, false}) {
    const cli::Output out = cli::run_status(world.context(), {.check = check});
    EXPECT_EQ(out.code, cli::kNoAgent);
    EXPECT_TRUE(out.text.empty());
    EXPECT_NE(out.error.find("no agent is running"), std::string::npos);
  }
}

TEST(Status, AnOldStatusIsShownButNotBelieved) {
  World world;
  world.publish(world.healthy());
  world.clock.advance(core::seconds{65});
  EXPECT_EQ(cli::run_status(world.context(), {.check = true}).code, 0) << "just in time";
  world.clock.advance(core::seconds{1});
  const cli::Output out = cli::run_status(world.context(), {.check = true});
  EXPECT_EQ(out.code, cli::kNoAgent);
  EXPECT_NE(out.error.find("66.000 s ago"), std::string::npos) << out.error;
}

TEST(Status, TheTimeOfDayDoesNotMakeAStatusOld) {
  World world;
  world.publish(world.healthy());
  world.clock.step(std::chrono::hours{24 * 365});
  EXPECT_EQ(cli::run_status(world.context(), {.check = true}).code, 0);
  world.clock.step(-std::chrono::hours{24 * 730});
  EXPECT_EQ(cli::run_status(world.context(), {.check = true}).code, 0);
}

TEST(Status, AFileFromAnotherBootIsVoid) {
  World world;
  world.clock.advance(std::chrono::hours{5});
  world.publish(world.healthy());
  World rebooted;
  rebooted.files = world.files;
  EXPECT_EQ(cli::run_status(rebooted.context(), {.check = true}).code, cli::kNoAgent);
}

TEST(Status, DamagedFilesAreAnErrorNotACrash) {
  for (const std::string text : {"", "{", "[]", "{\"schema\": \"clockmend-status/9\"}", "\xff\xfe"}) {
    World world;
    world.files.contents["/run/clockmend/status.json"] = text;
    EXPECT_EQ(cli::run_status(world.context(), {.check = true}).code, cli::kNoAgent) << text;
  }
  World world;
  world.files.contents["/run/clockmend/status.json"] = std::string(1'000'000, ' ');
  EXPECT_EQ(cli::run_status(world.context(), {}).code, cli::kNoAgent);
}

TEST(Status, JsonIsTheDocumentItself) {
  World world;
  world.publish(world.healthy());
  const cli::Output out = cli::run_status(world.context(), {.json = true});
  EXPECT_EQ(out.code, 0);
  EXPECT_EQ(out.text, world.files.contents["/run/clockmend/status.json"]);
}

TEST(Status, TextSaysTheErrorBound) {
  World world;
  world.publish(world.healthy());
  const cli::Output out = cli::run_status(world.context(), {});
  EXPECT_EQ(out.text.rfind("synchronized: The clock is right within 1.200 ms, since 2025-01-01T00:00:00", 0), 0U) << out.text;
}

TEST(Status, AReasonCannotBringEscapes) {
  core::AgentStatus status;
  status.state = ClockState::refused;
  status.state_reason = "\x1b[31mred";
  EXPECT_EQ(cli::status_headline(status).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace clockmend::tests
