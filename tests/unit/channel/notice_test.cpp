// Notices as a host sends them, over the port.
#include <gtest/gtest.h>

#include "tests/unit/channel/rig.hpp"

namespace clockmend::tests {
namespace {

using namespace std::chrono_literals;
using wire::Disposition;
using wire::HostTime;

wire::ClockNotify resumed(std::string id) {
  wire::ClockNotify n;
  n.event = core::NoticeEvent::resumed;
  n.id = std::move(id);
  return n;
}

TEST(Notice, APlainOneIsAcknowledgedAndHandedOver) {
  Rig rig;
  auto host = rig.port();
  const auto reply =
      notify_reply_of(rig.ask(*host, R"({"execute":"clock-notify","arguments":{"event":"hot-upgrade","id":"a","epoch":"e"}})"));
  EXPECT_EQ(reply.disposition, Disposition::accepted);
  EXPECT_EQ(reply.host_time, HostTime::none);
  EXPECT_EQ(reply.id, "a");
  ASSERT_EQ(rig.agent.told.size(), 1U);
  EXPECT_EQ(rig.agent.told[0].notice.event, core::NoticeEvent::hot_upgrade);
  EXPECT_EQ(rig.agent.told[0].notice.epoch, "e");
  EXPECT_FALSE(rig.agent.told[0].notice.exchange);
  EXPECT_FALSE(rig.agent.told[0].notice.force);
}

TEST(Notice, AfterAPauseTheExchangeTellsTheOffset) {
  Rig rig;
  auto host = rig.port();
  rig.agent.clock.pause(47550ms);
  wire::ClockNotify n = resumed("a");
  for (int i = 0; i < 4; ++i) n.exchange.push_back(rig.round(*host, 100us, 200us));
  n.sent = core::RealtimePoint(core::nanoseconds(rig.host_now()));
  rig.agent.clock.advance(100us);
  const auto reply = notify_reply_of(rig.ask(*host, n));
  EXPECT_EQ(reply.disposition, Disposition::accepted) << reply.note;
  EXPECT_EQ(reply.host_time, HostTime::exchange) << reply.note;
  const auto& exchange = rig.agent.told.at(0).notice.exchange;
  ASSERT_TRUE(exchange);
  EXPECT_NEAR(static_cast<double>(exchange->offset.value.count()), 47.55e9, 150e3);
  EXPECT_EQ(exchange->systematic, 50ms);
  EXPECT_EQ(rig.agent.told[0].notice.sent, n.sent);
}

TEST(Notice, AnExchangeOfAnotherConnectionDoesNotCount) {
  Rig rig;
  auto host = rig.port();
  wire::ClockNotify n = resumed("a");
  n.exchange.push_back(rig.round(*host, 100us, 100us));
  host->become(core::StreamState::host_disconnected);
  host->become(core::StreamState::host_connected);
  const auto reply = notify_reply_of(rig.ask(*host, n));
  EXPECT_EQ(reply.disposition, Disposition::accepted);
  EXPECT_EQ(reply.host_time, HostTime::none);
  EXPECT_FALSE(rig.agent.told.at(0).notice.exchange);
}

TEST(Notice, AStampAloneIsOnlyABound) {
  Rig rig;
  auto host = rig.port();
  wire::ClockNotify n = resumed("a");
  n.sent = core::RealtimePoint(1s);  // decades before the guest's clock: says nothing of the notice's age
  n.max_age = 1000ms;
  const auto reply = notify_reply_of(rig.ask(*host, n));
  EXPECT_EQ(reply.disposition, Disposition::accepted);
  EXPECT_EQ(reply.host_time, HostTime::bound);
  EXPECT_EQ(rig.agent.told.at(0).notice.sent, n.sent);
  EXPECT_FALSE(rig.agent.told[0].notice.exchange);
}

TEST(Notice, MaxAgeIsJudgedByTheExchangeWhateverTheGuestsClockSays) {
  for (const core::nanoseconds wrong : {core::nanoseconds(0), core::nanoseconds(-100 * 24h), core::nanoseconds(100 * 24h)}) {
    Rig rig;
    auto host = rig.port();
    rig.agent.clock.step(wrong);
    wire::ClockNotify old = resumed("old");
    old.sent = core::RealtimePoint(core::nanoseconds(rig.host_now()));
    old.max_age = 2000ms;
    rig.agent.clock.advance(3s);
    old.exchange.push_back(rig.round(*host, 100us, 100us));
    EXPECT_EQ(notify_reply_of(rig.ask(*host, old)).disposition, Disposition::stale);
    EXPECT_TRUE(rig.agent.told.empty());
    EXPECT_EQ(rig.channel.counters().notices_dropped, 1U);

    wire::ClockNotify fresh = resumed("fresh");
    fresh.max_age = 2000ms;
    fresh.exchange.push_back(rig.round(*host, 100us, 100us));
    fresh.sent = core::RealtimePoint(core::nanoseconds(rig.host_now()));
    EXPECT_EQ(notify_reply_of(rig.ask(*host, fresh)).disposition, Disposition::accepted);
  }
}

TEST(Notice, AnExchangeFromBeforeThePauseIsSeenThrough) {
  Rig rig;
  auto host = rig.port();
  wire::ClockNotify n = resumed("a");
  n.exchange.push_back(rig.round(*host, 100us, 100us));
  rig.agent.clock.pause(10s);
  n.sent = core::RealtimePoint(core::nanoseconds(rig.host_now()));
  const auto reply = notify_reply_of(rig.ask(*host, n));
  EXPECT_EQ(reply.disposition, Disposition::accepted);
  EXPECT_EQ(reply.host_time, HostTime::bound);
  EXPECT_NE(reply.note.find("fell behind"), std::string::npos);
  EXPECT_FALSE(rig.agent.told.at(0).notice.exchange);
}

TEST(Notice, WhatWasWaitingBeforeWeListenedIsAHintOnly) {
  Rig rig;
  auto host = rig.port();
  wire::ClockNotify n = resumed("a");
  n.sent = core::RealtimePoint(1'000'000s);
  const auto reply = notify_reply_of(rig.ask(*host, wire::request_text(n), core::Arrival::backlog));
  EXPECT_EQ(reply.disposition, Disposition::accepted);
  EXPECT_EQ(reply.host_time, HostTime::none);
  EXPECT_NE(reply.note.find("hint"), std::string::npos);
  ASSERT_EQ(rig.agent.told.size(), 1U);
  EXPECT_FALSE(rig.agent.told[0].notice.sent);
}

TEST(Notice, AWaitingPausingIsNotBelieved) {
  Rig rig;
  auto host = rig.port();
  const std::string pausing = R"({"execute":"clock-notify","arguments":{"event":"pausing","id":"p"}})";
  EXPECT_EQ(notify_reply_of(rig.ask(*host, pausing, core::Arrival::backlog)).disposition, Disposition::stale);
  EXPECT_TRUE(rig.agent.told.empty());
  EXPECT_EQ(notify_reply_of(rig.ask(*host, pausing)).disposition, Disposition::accepted);
}

TEST(Notice, TheSameIdIsARepeat) {
  Rig rig;
  auto host = rig.port();
  EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed("a"))).disposition, Disposition::accepted);
  EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed("a"))).disposition, Disposition::repeated);
  host->become(core::StreamState::host_disconnected);
  host->become(core::StreamState::host_connected);
  EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed("a"))).disposition, Disposition::repeated);
  EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed("b"))).disposition, Disposition::accepted);
  rig.agent.time.run_for(601s);
  EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed("a"))).disposition, Disposition::accepted);
  EXPECT_EQ(rig.agent.told.size(), 3U);
  EXPECT_EQ(rig.channel.counters().notices, 5U);
  EXPECT_EQ(rig.channel.counters().notices_dropped, 2U);
}

TEST(Notice, WithoutAnIdHooksOfOneEventAreOneNotice) {
  Rig rig;
  auto host = rig.port();
  wire::ClockNotify n = resumed("");
  n.epoch = "e1";
  EXPECT_EQ(notify_reply_of(rig.ask(*host, n)).disposition, Disposition::accepted);
  EXPECT_EQ(notify_reply_of(rig.ask(*host, n)).disposition, Disposition::repeated);
  rig.agent.time.run_for(2500ms);
  EXPECT_EQ(notify_reply_of(rig.ask(*host, n)).disposition, Disposition::accepted);
  n.epoch = "e2";
  EXPECT_EQ(notify_reply_of(rig.ask(*host, n)).disposition, Disposition::accepted);
}

TEST(Notice, ExcessIsDeferredToTheNewestAndNeverLost) {
  Rig rig;
  auto host = rig.port();
  for (const char* id : {"1", "2", "3"}) EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed(id))).disposition, Disposition::accepted);
  for (const char* id : {"4", "5", "6"}) EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed(id))).disposition, Disposition::deferred);
  EXPECT_EQ(rig.agent.told.size(), 3U);
  rig.agent.time.run_for(11s);
  ASSERT_EQ(rig.agent.told.size(), 4U);
  EXPECT_EQ(rig.agent.told[3].notice.id, "6");
  EXPECT_EQ(rig.channel.counters().notices_coalesced, 2U);
  rig.agent.time.run_for(60s);
  EXPECT_EQ(rig.agent.told.size(), 4U);
}

TEST(Notice, AThousandPausesAreAThousandNotices) {
  Rig rig;
  auto host = rig.port();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(notify_reply_of(rig.ask(*host, resumed("n" + std::to_string(i)))).disposition, Disposition::accepted);
    rig.agent.time.run_for(10s);
  }
  EXPECT_EQ(rig.agent.told.size(), 1000U);
}

TEST(Notice, ADeferredExchangeDoesNotOutliveAStep) {
  for (const bool stepped : {false, true}) {
    Rig rig;
    auto host = rig.port();
    for (const char* id : {"1", "2", "3"}) rig.ask(*host, resumed(id));
    wire::ClockNotify n = resumed("4");
    n.exchange.push_back(rig.round(*host, 100us, 100us));
    EXPECT_EQ(notify_reply_of(rig.ask(*host, n)).host_time, HostTime::exchange);
    if (stepped) rig.agent.clock.step(1s);
    rig.agent.time.run_for(11s);
    EXPECT_EQ(rig.agent.told.at(3).notice.exchange.has_value(), !stepped);
  }
}

TEST(Notice, APauseProvedByAnExchangeIsNotDeferred) {
  Rig rig;
  auto host = rig.port();
  for (int i = 0; i < 10; ++i) {
    rig.agent.clock.pause(10s);
    wire::ClockNotify n = resumed("n" + std::to_string(i));
    n.exchange.push_back(rig.round(*host, 100us, 100us));
    EXPECT_EQ(notify_reply_of(rig.ask(*host, n)).disposition, Disposition::accepted) << i;
    rig.agent.clock.step(rig.agent.clock.error().value);
    rig.agent.time.run_for(100ms);
  }
  EXPECT_EQ(rig.agent.told.size(), 10U);
}

TEST(Notice, AProvedOneAnswersForThoseDeferredBeforeIt) {
  Rig rig;
  auto host = rig.port();
  for (const char* id : {"1", "2", "3"}) rig.ask(*host, resumed(id));
  wire::ClockNotify waits = resumed("4");
  waits.wait = true;
  EXPECT_EQ(rig.ask(*host, waits), "");
  rig.agent.clock.pause(10s);
  wire::ClockNotify proved = resumed("5");
  proved.exchange.push_back(rig.round(*host, 100us, 100us));
  rig.ask(*host, proved);
  ASSERT_EQ(rig.agent.told.size(), 4U);
  rig.agent.told[3].done(report_number(1));
  EXPECT_EQ(host->lines().size(), 1U);
  rig.agent.time.run_for(60s);
  EXPECT_EQ(rig.agent.told.size(), 4U);
}

TEST(Notice, PausingIsNeverDeferred) {
  Rig rig;
  auto host = rig.port();
  for (const char* id : {"1", "2", "3", "4"}) rig.ask(*host, resumed(id));
  wire::ClockNotify pausing = resumed("p");
  pausing.event = core::NoticeEvent::pausing;
  EXPECT_EQ(notify_reply_of(rig.ask(*host, pausing)).disposition, Disposition::dropped);
  rig.agent.time.run_for(11s);
  EXPECT_EQ(rig.agent.told.back().notice.id, "4");
}

}  // namespace
}  // namespace clockmend::tests
