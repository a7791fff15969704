// Verbs, permissions, limits, hostile input.
#include <gtest/gtest.h>

#include <random>

#include "agent/wire/status.hpp"
#include "tests/unit/channel/rig.hpp"

namespace clockmend::tests {
namespace {

using namespace std::chrono_literals;

std::string execute(const std::string& verb, const std::string& arguments = "{}") {
  return R"({"execute":")" + verb + R"(","arguments":)" + arguments + "}";
}

TEST(Session, AnswersAsTheGuestAgentDoes) {
  Rig rig;
  auto host = rig.port();
  EXPECT_EQ(rig.ask(*host, execute("guest-sync", R"({"id":7})")), R"({"return":7})");
  EXPECT_EQ(rig.ask(*host, "garbage\xff" + execute("guest-sync-delimited", R"({"id":8})")),
            "\xff"
            R"({"return":8})");
  EXPECT_EQ(rig.ask(*host, R"({"execute":"guest-ping","id":"x"})"), R"({"return":{},"id":"x"})");
  EXPECT_EQ(rig.ask(*host, execute("guest-get-time")), R"({"return":1735689600000000000})");
  EXPECT_NE(rig.ask(*host, execute("guest-info")).find("guest-set-time"), std::string::npos);
  EXPECT_EQ(error_class(rig.ask(*host, execute("guest-exec"))), "CommandNotFound");
  EXPECT_EQ(error_class(rig.ask(*host, execute("guest-sync"))), "GenericError");
}

TEST(Session, StatusAndHistory) {
  Rig rig;
  auto anybody = rig.client(false);
  rig.agent.current.state_reason = "all is well";
  const auto status = wire::parse_status(wire::parse_reply(rig.ask(*anybody, execute("clock-status")))->value_json);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state_reason, "all is well");
  rig.agent.records = 25;
  const auto first =
      wire::parse_history_page(wire::parse_reply(rig.ask(*anybody, execute("clock-history", R"({"limit":20})")))->value_json);
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_EQ(first->records.size(), 20U);
  ASSERT_EQ(first->next_before, 6U);
  const auto rest = wire::parse_history_page(wire::parse_reply(rig.ask(*anybody, execute("clock-history", R"({"before":6})")))->value_json);
  EXPECT_EQ(rest->records.size(), 5U);
  EXPECT_FALSE(rest->next_before);
}

TEST(Session, ExchangeStampsAreReadAndReplyTime) {
  Rig rig;
  auto host = rig.port();
  const auto before = rig.agent.clock.snapshot().realtime.time_since_epoch().count();
  rig.agent.before_snapshot = [&rig] { rig.agent.clock.advance(10us); };
  const auto stamps = wire::parse_exchange_reply(wire::parse_reply(rig.ask(*host, execute("clock-exchange", R"({"t1":5})")))->value_json);
  EXPECT_EQ(stamps->t2, before + 10'000);
  EXPECT_EQ(stamps->t3, before + 20'000);
}

struct Access {
  const char* verb;
  const char* arguments;
  const char* host;
  const char* administrator;
  const char* anybody;
};

TEST(Session, WhoMayWhat) {
  const char* const quad = R"({"event":"resumed","exchange":[{"t1":1,"t2":1,"t3":1,"t4":1}]})";
  const Access table[] = {
      {"guest-ping", "{}", "none", "none", "none"},
      {"guest-info", "{}", "none", "none", "none"},
      {"guest-get-time", "{}", "none", "none", "none"},
      {"clock-status", "{}", "none", "none", "none"},
      {"clock-history", "{}", "none", "none", "none"},
      {"clock-exchange", R"({"t1":1})", "none", "none", "none"},
      {"clock-notify", R"({"event":"resumed"})", "none", "none", "NotPermitted"},
      {"clock-notify", quad, "none", "NotPermitted", "NotPermitted"},
      {"clock-resync", R"({"wait":false})", "none", "none", "NotPermitted"},
      {"clock-resync", R"({"wait":false,"dry-run":true})", "none", "none", "NotPermitted"},
      {"clock-resync", R"({"wait":false,"force":true})", "NotPermitted", "none", "NotPermitted"},
      {"clock-resync", R"({"wait":false,"backend":"ntpdate"})", "NotPermitted", "none", "NotPermitted"},
      {"guest-set-time", R"({"time":1})", "", "GenericError", "GenericError"},
      {"guest-set-time", "{}", "", "", "GenericError"},
  };
  for (const Access& row : table) {
    const auto outcome = [](const std::string& reply) { return reply.empty() ? "" : error_class(reply); };
    Rig rig;
    auto host = rig.port();
    auto administrator = rig.client(true);
    auto anybody = rig.client(false);
    const std::string line = execute(row.verb, row.arguments);
    EXPECT_EQ(outcome(rig.ask(*host, line)), row.host) << line;
    EXPECT_EQ(outcome(rig.ask(*administrator, line)), row.administrator) << line;
    EXPECT_EQ(outcome(rig.ask(*anybody, line)), row.anybody) << line;
  }
}

TEST(Session, ResyncReachesTheAgent) {
  Rig rig;
  auto root = rig.client(true);
  rig.ask(*root, execute("clock-resync", R"({"dry-run":true,"force":true,"backend":"chronyd"})"));
  ASSERT_EQ(rig.agent.told.size(), 1U);
  EXPECT_EQ(rig.agent.told[0].notice.event, core::NoticeEvent::resync);
  EXPECT_TRUE(rig.agent.told[0].notice.dry_run);
  EXPECT_TRUE(rig.agent.told[0].notice.force);
  EXPECT_EQ(rig.agent.told[0].notice.backend, core::StepBackend::chronyd);
  EXPECT_TRUE(rig.agent.told[0].done);
  for (int i = 0; i < 10; ++i) rig.ask(*root, execute("clock-resync", R"({"wait":false})"));
  EXPECT_EQ(rig.agent.told.size(), 11U) << "an administrator is not slowed down";
}

TEST(Session, GuestSetTimeIsAWitnessNotASetter) {
  Rig rig;
  auto host = rig.port();
  rig.ask(*host, execute("guest-set-time", R"({"time":1735689605250000000})"));
  const auto precise = rig.agent.told.at(0).notice;
  EXPECT_EQ(precise.event, core::NoticeEvent::set_time);
  EXPECT_EQ(precise.exchange->offset.value, 5250ms);
  EXPECT_EQ(precise.exchange->uncertainty, 500ms);
  rig.ask(*host, execute("guest-set-time", R"({"time":1735689605000000000})"));
  const auto cut = rig.agent.told.at(1).notice;
  EXPECT_EQ(cut.exchange->offset.value, 5500ms);
  EXPECT_EQ(cut.exchange->uncertainty, 1s);
  rig.ask(*host, execute("guest-set-time"));
  EXPECT_FALSE(rig.agent.told.at(2).notice.exchange);
}

TEST(Session, AWaitingGuestSetTimeIsAHintOnly) {
  Rig rig;
  auto host = rig.port();
  rig.ask(*host, execute("guest-set-time", R"({"time":1735689605250000000})"), core::Arrival::backlog);
  ASSERT_EQ(rig.agent.told.size(), 1U);
  EXPECT_FALSE(rig.agent.told[0].notice.exchange);
  EXPECT_FALSE(rig.agent.told[0].notice.sent);
}

TEST(Session, BlockedVerbsAreOffForEverybody) {
  core::ChannelSettings settings;
  settings.blocked_verbs = {"guest-set-time"};
  Rig rig(settings);
  auto host = rig.port();
  EXPECT_EQ(error_class(rig.ask(*host, execute("guest-set-time"))), "CommandNotFound");
  EXPECT_NE(rig.ask(*host, execute("guest-info")).find(R"("guest-set-time","enabled":false)"), std::string::npos);
  rig.channel.reconfigure(core::ChannelSettings{});
  EXPECT_EQ(rig.ask(*host, execute("guest-set-time")), "");
  EXPECT_EQ(rig.agent.told.size(), 1U);
}

TEST(Session, OnlyAllowedVerbsAreOnAndTheBlockedOnesOfThemAreNot) {
  core::ChannelSettings settings;
  settings.allowed_verbs = {"guest-ping", "guest-info", "guest-get-time"};
  settings.blocked_verbs = {"guest-get-time"};
  Rig rig(settings);
  auto host = rig.port();
  EXPECT_EQ(error_class(rig.ask(*host, execute("guest-ping"))), "none");
  for (const char* off : {"clock-status", "guest-sync", "guest-get-time"}) {
    const std::string reply = rig.ask(*host, execute(off, std::string(off) == "guest-sync" ? R"({"id":1})" : "{}"));
    EXPECT_EQ(error_class(reply), "CommandNotFound") << off;
    EXPECT_NE(reply.find("has been disabled by channel."), std::string::npos) << reply;
  }
  const std::string info = rig.ask(*host, execute("guest-info"));
  EXPECT_NE(info.find(R"("guest-ping","enabled":true)"), std::string::npos) << info;
  EXPECT_NE(info.find(R"("clock-notify","enabled":false)"), std::string::npos) << info;
  EXPECT_NE(info.find(R"("guest-get-time","enabled":false)"), std::string::npos) << info;
}

// The QEMU guest agent's parser needs no newline, and some of its clients send none.
TEST(Session, ARequestEndsWithItsObject) {
  Rig rig;
  auto host = rig.port();
  host->say(R"({"execute":"guest-ping","id":"}{"})");
  EXPECT_EQ(host->lines(), (std::vector<std::string>{R"({"return":{},"id":"}{"})"}));
  host->say(R"({"execute":"guest-sync","arguments":{"id":1}} {"execute":"guest-sync","arguments":{"id":2}})");
  EXPECT_EQ(host->lines(), (std::vector<std::string>{R"({"return":1})", R"({"return":2})"}));
  host->say("\n" + execute("guest-ping") + "\r\n\n");
  EXPECT_EQ(host->lines().size(), 1U) << "the newline after it is no request";
  EXPECT_EQ(rig.channel.counters().bad_lines, 0U);
}

TEST(Session, OversizeAndGarbageLinesGetAnErrorAndTheNextOneWorks) {
  Rig rig;
  auto host = rig.port();
  EXPECT_EQ(error_class(rig.ask(*host, std::string(100'000, 'x'))), "GenericError");
  EXPECT_EQ(error_class(rig.ask(*host, std::string("\0\1\2", 3))), "GenericError");
  EXPECT_EQ(rig.ask(*host, execute("guest-ping")), R"({"return":{}})");
  EXPECT_EQ(rig.channel.counters().bad_lines, 2U);
}

TEST(Session, AFloodOfGarbageIsNotAnsweredByAFlood) {
  Rig rig;
  auto host = rig.port();
  std::string flood;
  for (int i = 0; i < 100'000; ++i) flood += "nonsense\n";
  host->say(flood);
  EXPECT_LE(host->lines().size(), 20U);
  EXPECT_EQ(rig.channel.counters().bad_lines + rig.channel.counters().rate_limited, 100'000U);
  rig.agent.time.run_for(2s);
  EXPECT_EQ(rig.ask(*host, execute("guest-ping")), R"({"return":{}})");
}

TEST(Session, AFloodOfNoticesStartsThreeAndKeepsOne) {
  Rig rig;
  auto host = rig.port();
  for (int second = 0; second < 5; ++second) {
    for (int i = 0; i < 200; ++i) host->say(execute("clock-notify", R"({"event":"resumed"})") + "\n");
    rig.agent.time.run_for(1s);
  }
  EXPECT_EQ(rig.agent.told.size(), 3U);
  rig.agent.time.run_for(6s);
  EXPECT_EQ(rig.agent.told.size(), 4U);
}

TEST(Session, QueriesAreLimited) {
  Rig rig;
  auto host = rig.port();
  int refused = 0;
  for (int i = 0; i < 30; ++i) refused += error_class(rig.ask(*host, execute("clock-status"))) == "RateLimited" ? 1 : 0;
  EXPECT_EQ(refused, 10);
  rig.agent.time.run_for(1s);
  EXPECT_EQ(error_class(rig.ask(*host, execute("clock-status"))), "none");
}

TEST(Session, AHostThatDoesNotReadCostsNothingAndStaysServed) {
  Rig rig;
  auto host = rig.port();
  host->refuses = core::Error{core::ErrorCode::busy, "full"};
  EXPECT_EQ(rig.ask(*host, execute("clock-status")), "");
  host->refuses.reset();
  EXPECT_EQ(rig.ask(*host, execute("guest-ping")), R"({"return":{}})");
}

TEST(Session, AClientThatDoesNotReadIsCutOff) {
  Rig rig;
  auto client = rig.client(false);
  client->refuses = core::Error{core::ErrorCode::busy, "full"};
  client->say(execute("clock-status") + "\n" + execute("clock-status") + "\n");
  EXPECT_TRUE(client->closed);
  rig.agent.time.run_due();
  EXPECT_FALSE(client->alive);
}

TEST(Session, AnIdleClientGivesItsPlaceAndAnActiveOneKeepsIt) {
  Rig rig;
  auto idle = rig.client(false);
  auto active = rig.client(false);
  auto host = rig.port();
  for (int i = 0; i < 10; ++i) {
    rig.agent.time.run_for(20s);
    rig.ask(*active, execute("guest-ping"));
  }
  EXPECT_FALSE(idle->alive);
  EXPECT_TRUE(active->alive);
  EXPECT_TRUE(host->alive);
  EXPECT_EQ(rig.channel.clients(), 1U);
}

TEST(Session, HalfALineOfAHostThatLeftDoesNotSpoilTheNext) {
  Rig rig;
  auto host = rig.port();
  host->say(R"({"execute":"guest-)");
  host->become(core::StreamState::host_disconnected);
  host->become(core::StreamState::host_connected);
  EXPECT_EQ(rig.ask(*host, execute("guest-ping")), R"({"return":{}})");
}

TEST(Session, PortStateForStatus) {
  Rig rig;
  EXPECT_EQ(rig.channel.port_state(), "off");
  auto host = rig.port();
  EXPECT_EQ(rig.channel.port_state(), "connected");
  host->state = core::StreamState::busy;
  host->on_state(core::StreamState::busy, "held by another process");
  EXPECT_EQ(rig.channel.port_state(), "disconnected: busy (held by another process)");
}

TEST(Session, RandomBytesAreSurvived) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Rig rig;
  auto host = rig.port();
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 300, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? random() : static_cast<unsigned>("{}[]\":,\n\xff 0"[random() % 11]));
    host->say(bytes);
    rig.agent.time.run_for(10ms);
  }
  host->say("\n");
  rig.agent.time.run_for(2s);
  EXPECT_EQ(rig.ask(*host, execute("guest-ping")), R"({"return":{}})");
}

}  // namespace
}  // namespace clockmend::tests
