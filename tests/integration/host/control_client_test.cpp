#include "agent/host/control_client.hpp"

#include <gtest/gtest.h>

#include "tests/integration/host/client_clock.hpp"
#include "tests/integration/host/fake_guest.hpp"

namespace clockmend::tests {
namespace {

TEST(ControlClient, BringsTheAnswerWithItsOwnId) {
  FakeGuest agent{
      [](const std::string& line) { return "{\"return\": 1}\n" + wire::integer_reply(42, wire::parse_request(line).id_json) + "\n"; }};
  agent.start();
  ClientClock clock;
  const auto reply = host::ask_agent(agent.path(), wire::GuestPing{}, core::seconds{10}, clock);
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->value_json, "42");
}

TEST(ControlClient, TellsWhatWentWrong) {
  ClientClock clock;
  const auto nobody = host::ask_agent("/nonexistent/control.sock", wire::GuestPing{}, core::seconds{10}, clock);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, core::ErrorCode::not_found);

  FakeGuest silent{[](const std::string&) { return std::string{}; }};
  silent.start();
  const auto late = host::ask_agent(silent.path(), wire::GuestPing{}, core::milliseconds{200}, clock);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::ErrorCode::timeout);

  FakeGuest garbage{[](const std::string&) { return std::string{"no json\n"}; }};
  garbage.start();
  const auto bad = host::ask_agent(garbage.path(), wire::GuestPing{}, core::seconds{10}, clock);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, core::ErrorCode::invalid);
}

}  // namespace
}  // namespace clockmend::tests
