// Requests that are answered when their correction has ended.
#include <gtest/gtest.h>

#include "tests/unit/channel/rig.hpp"

namespace clockmend::tests {
namespace {

using namespace std::chrono_literals;
using wire::Disposition;

std::string waiting(const std::string& id) {
  return R"({"execute":"clock-notify","arguments":{"event":"resumed","wait":true,"id":")" + id + R"("},"id":")" + id + "\"}";
}

TEST(Wait, TheReportIsTheAnswer) {
  Rig rig;
  auto host = rig.port();
  EXPECT_EQ(rig.ask(*host, waiting("a")), "");
  ASSERT_EQ(rig.agent.told.size(), 1U);
  rig.agent.told[0].done(report_number(7));
  const auto replies = host->lines();
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(wire::parse_reply(replies[0])->id_json, "\"a\"");
  const auto reply = notify_reply_of(replies[0]);
  EXPECT_EQ(reply.disposition, Disposition::accepted);
  ASSERT_TRUE(reply.report);
  EXPECT_EQ(reply.report->number, 7U);
  rig.agent.time.run_for(60s);
  EXPECT_TRUE(host->lines().empty());
}

TEST(Wait, EndsWithTimeoutAndALateReportSaysNothing) {
  Rig rig;
  auto host = rig.port();
  rig.agent.current.state = core::ClockState::correcting;
  rig.ask(*host, waiting("a"));
  rig.agent.time.run_for(31s);
  const auto replies = host->lines();
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(error_class(replies[0]), "Timeout");
  EXPECT_NE(replies[0].find("correcting"), std::string::npos);
  rig.agent.told[0].done(report_number(7));
  EXPECT_TRUE(host->lines().empty());
}

TEST(Wait, StatusAnswersMeanwhile) {
  Rig rig;
  auto host = rig.port();
  rig.ask(*host, waiting("a"));
  EXPECT_EQ(error_class(rig.ask(*host, R"({"execute":"clock-status"})")), "none");
}

TEST(Wait, TheNinthDoesNotWaitButIsNotLost) {
  Rig rig;
  auto root = rig.client(true);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(rig.ask(*root, waiting("n" + std::to_string(i))), "");
  const auto reply = notify_reply_of(rig.ask(*root, waiting("n8")));
  EXPECT_EQ(reply.disposition, Disposition::accepted);
  EXPECT_NE(reply.note.find("too many"), std::string::npos);
  EXPECT_EQ(rig.agent.told.size(), 9U);
  rig.agent.told[0].done(report_number(1));
  EXPECT_EQ(rig.ask(*root, waiting("n9")), "");
}

TEST(Wait, ARepeatIsAnsweredAtOnce) {
  Rig rig;
  auto host = rig.port();
  rig.ask(*host, waiting("a"));
  EXPECT_EQ(notify_reply_of(rig.ask(*host, waiting("a"))).disposition, Disposition::repeated);
  rig.agent.told.at(0).done(report_number(1));
  EXPECT_EQ(host->lines().size(), 1U);
}

TEST(Wait, AHostThatReconnectsDoesNotGetItsPredecessorsAnswer) {
  Rig rig;
  auto host = rig.port();
  rig.ask(*host, waiting("a"));
  host->become(core::StreamState::host_disconnected);
  host->become(core::StreamState::host_connected);
  rig.agent.told.at(0).done(report_number(1));
  rig.agent.time.run_for(60s);
  EXPECT_TRUE(host->lines().empty());
}

TEST(Wait, AClientThatLeavesTakesItsWaitAlong) {
  Rig rig;
  auto root = rig.client(true);
  rig.ask(*root, waiting("a"));
  root->become(core::StreamState::closed);
  rig.agent.time.run_due();
  EXPECT_FALSE(root->alive);
  EXPECT_EQ(rig.channel.clients(), 0U);
  rig.agent.told.at(0).done(report_number(1));  // must not reach a session that is gone
  rig.agent.time.run_for(60s);
}

TEST(Wait, DeferredNoticesGetTheNewestOnesReport) {
  Rig rig;
  auto host = rig.port();
  for (const char* id : {"1", "2", "3"})
    rig.ask(*host, std::string(R"({"execute":"clock-notify","arguments":{"event":"resumed","id":")") + id + "\"}}");
  rig.ask(*host, waiting("4"));
  rig.ask(*host, waiting("5"));
  host->received.clear();
  rig.agent.time.run_for(11s);
  ASSERT_EQ(rig.agent.told.size(), 4U);
  rig.agent.told[3].done(report_number(9));
  const auto replies = host->lines();
  ASSERT_EQ(replies.size(), 2U);
  for (const std::string& reply : replies) {
    EXPECT_EQ(notify_reply_of(reply).disposition, Disposition::deferred);
    EXPECT_EQ(notify_reply_of(reply).report->number, 9U);
  }
}

TEST(Wait, GuestSetTimeAnswersLikeTheGuestAgent) {
  Rig rig;
  auto host = rig.port();
  const std::string set = R"({"execute":"guest-set-time","arguments":{"time":1735689605123456789}})";
  EXPECT_EQ(rig.ask(*host, set), "");
  rig.agent.told.at(0).done(report_number(1));
  EXPECT_EQ(host->lines(), std::vector<std::string>{R"({"return":{}})"});
  rig.ask(*host, set);
  rig.agent.told.at(1).done(report_number(2, core::Outcome::refused));
  const auto replies = host->lines();
  EXPECT_EQ(error_class(replies.at(0)), "GenericError");
  EXPECT_NE(replies[0].find("refused: because"), std::string::npos);
  rig.ask(*host, set);
  rig.agent.time.run_for(31s);
  EXPECT_EQ(error_class(host->lines().at(0)), "GenericError");
}

}  // namespace
}  // namespace clockmend::tests
