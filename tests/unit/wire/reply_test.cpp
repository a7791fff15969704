#include "agent/wire/reply.hpp"

#include <gtest/gtest.h>

#include "agent/wire/report.hpp"
#include "agent/wire/status.hpp"
#include "tests/unit/wire/samples.hpp"

namespace clockmend::tests {
namespace {

TEST(WireReply, ErrorsRoundTripWithClassAndId) {
  using C = wire::ErrorClass;
  for (const C c : {C::generic, C::command_not_found, C::timeout, C::not_permitted, C::rate_limited}) {
    const auto reply = wire::parse_reply(wire::error_reply(c, "it \"failed\"", "\"x\""));
    ASSERT_TRUE(reply) << reply.error().text;
    ASSERT_TRUE(reply->error);
    EXPECT_EQ(reply->error->error_class, c);
    EXPECT_EQ(reply->error->text, "it \"failed\"");
    EXPECT_EQ(reply->id_json, "\"x\"");
  }
}

TEST(WireReply, ShapesAreThoseOfTheGuestAgent) {
  EXPECT_EQ(wire::empty_reply(""), R"({"return":{}})");
  EXPECT_EQ(wire::integer_reply(-7, "3"), R"({"return":-7,"id":3})");
  EXPECT_EQ(wire::error_reply(wire::ErrorClass::command_not_found, "no", ""), R"({"error":{"class":"CommandNotFound","desc":"no"}})");
  const std::string info = wire::info_reply("0.1.0", {"clock-resync"}, "");
  EXPECT_NE(info.find(R"({"name":"guest-set-time","enabled":true,"success-response":true})"), std::string::npos) << info;
  EXPECT_NE(info.find(R"({"name":"clock-resync","enabled":false,"success-response":true})"), std::string::npos) << info;
}

TEST(WireReply, DelimiterInFrontIsSkipped) {
  const auto reply = wire::parse_reply("\xff\xff" + wire::integer_reply(5, ""));
  ASSERT_TRUE(reply);
  EXPECT_EQ(*wire::parse_integer(reply->value_json), 5);
}

TEST(WireReply, ExchangeRoundTrips) {
  const auto reply = wire::parse_reply(wire::exchange_reply({1'700'000'000'000'000'001, 1'700'000'000'000'000'002}, "1"));
  ASSERT_TRUE(reply);
  const auto stamps = wire::parse_exchange_reply(reply->value_json);
  ASSERT_TRUE(stamps) << stamps.error().text;
  EXPECT_EQ(stamps->t2, 1'700'000'000'000'000'001);
  EXPECT_EQ(stamps->t3, 1'700'000'000'000'000'002);
}

TEST(WireReply, NotifyRoundTripsWithAndWithoutReport) {
  using D = wire::Disposition;
  using H = wire::HostTime;
  const H times[] = {H::none, H::bound, H::exchange, H::stamp, H::none};
  std::size_t i = 0;
  for (const D d : {D::accepted, D::deferred, D::repeated, D::stale, D::dropped}) {
    wire::NotifyReply sent{"n1", d, times[i++], "why", std::nullopt};
    if (d == D::accepted) sent.report = sample_report();
    const auto reply = wire::parse_reply(wire::notify_reply(sent, ""));
    ASSERT_TRUE(reply) << reply.error().text;
    const auto back = wire::parse_notify_reply(reply->value_json);
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(back->disposition, d);
    EXPECT_EQ(back->host_time, sent.host_time);
    EXPECT_EQ(back->note, "why");
    ASSERT_EQ(back->report.has_value(), sent.report.has_value());
    if (back->report) {
      EXPECT_EQ(wire::report_line(*back->report), wire::report_line(*sent.report));
    }
  }
}

TEST(WireReply, StatusComesThroughUnchanged) {
  const auto reply = wire::parse_reply(wire::status_reply(sample_status(), "9"));
  ASSERT_TRUE(reply);
  const auto status = wire::parse_status(reply->value_json);
  ASSERT_TRUE(status) << status.error().text;
  EXPECT_EQ(wire::status_line(*status), wire::status_line(sample_status()));
}

TEST(WireReply, WhatIsTooLargeBecomesAnError) {
  core::AgentStatus status = sample_status();
  for (int i = 0; i < 500; ++i) status.servers.push_back(status.servers.front());
  const std::string text = wire::status_reply(status, "1");
  EXPECT_LE(text.size(), wire::kMaxReply);
  EXPECT_TRUE(wire::parse_reply(text)->error);
}

TEST(WireReply, HistoryIsPagedToFit) {
  std::vector<std::string> lines;
  for (std::uint64_t n = 200; n > 0; --n) {
    core::CorrectionReport report = sample_report();
    report.number = n;
    lines.push_back(wire::report_line(report));
  }
  lines.insert(lines.begin() + 2, "{\"half");
  const std::string text = wire::history_reply(lines, false, "1");
  ASSERT_LE(text.size(), wire::kMaxReply);
  const auto page = wire::parse_history_page(wire::parse_reply(text)->value_json);
  ASSERT_TRUE(page) << page.error().text;
  EXPECT_EQ(page->damaged, 1U);
  ASSERT_GT(page->records.size(), 10U);
  EXPECT_EQ(page->records.front().number, 200U);
  ASSERT_TRUE(page->next_before);
  EXPECT_EQ(*page->next_before, page->records.back().number);
}

TEST(WireReply, HistoryThatFitsHasNoNextPage) {
  const auto page =
      wire::parse_history_page(wire::parse_reply(wire::history_reply({wire::report_line(sample_report())}, false, ""))->value_json);
  ASSERT_TRUE(page);
  EXPECT_FALSE(page->next_before);
  const auto more =
      wire::parse_history_page(wire::parse_reply(wire::history_reply({wire::report_line(sample_report())}, true, ""))->value_json);
  EXPECT_EQ(more->next_before, 42U);
}

TEST(WireReply, NonsenseFromTheOtherSideIsAnError) {
  for (const char* text : {"", "x", "[]", "{}", R"({"return":1,"error":{}})", R"({"error":{}})", R"({"error":1})"}) {
    EXPECT_FALSE(wire::parse_reply(text)) << text;
  }
  EXPECT_FALSE(wire::parse_integer("\"1\""));
  EXPECT_FALSE(wire::parse_exchange_reply("{}"));
  EXPECT_FALSE(wire::parse_notify_reply("[]"));
  EXPECT_FALSE(wire::parse_history_page("{}"));
}

}  // namespace
}  // namespace clockmend::tests
