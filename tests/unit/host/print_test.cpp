#include "agent/host/print.hpp"

#include <gtest/gtest.h>

#include "agent/host/answer.hpp"

namespace clockmend::host {
namespace {

NotifyResult result_with(core::Outcome outcome) {
  wire::NotifyReply reply;
  reply.id = "n1";
  reply.report = core::CorrectionReport{};
  reply.report->outcome = outcome;
  reply.report->total = core::Offset{core::seconds{20}};
  return {verdict_of(reply), "", reply, {}};
}

TEST(Print, AReportStartsWithAHeadline) {
  const Printed printed = print_result(result_with(core::Outcome::corrected), false);
  EXPECT_EQ(printed.output.rfind("The clock was 20.000 s behind", 0), 0U) << printed.output;
  EXPECT_TRUE(printed.error.empty());
}

TEST(Print, JsonIsOneLineThatParsesBack) {
  const Printed printed = print_result(result_with(core::Outcome::refused), true);
  ASSERT_FALSE(printed.output.empty());
  EXPECT_EQ(printed.output.find('\n'), printed.output.size() - 1);
  const auto reply = wire::parse_reply(printed.output);
  ASSERT_TRUE(reply);
  const auto notify = wire::parse_notify_reply(reply->value_json);
  ASSERT_TRUE(notify);
  EXPECT_EQ(notify->report->outcome, core::Outcome::refused);
}

TEST(Print, WhatATerminalMightObeyIsEscapedInJsonToo) {
  NotifyResult result = result_with(core::Outcome::corrected);
  const std::string note =
      "\x1b[2J\x7f \xc2\x9b"
      "31m \xc2\xa0 \xc3\xa9 \xc2";
  result.reply->note = note;
  const std::string output = print_result(result, true).output;
  for (const char* control : {"\x1b", "\x7f", "\xc2\x9b"}) EXPECT_EQ(output.find(control), std::string::npos) << output;
  EXPECT_NE(output.find("\\u001b[2J\\u007f \\u009b31m \xc2\xa0 \xc3\xa9"), std::string::npos) << output;
  const auto reply = wire::parse_reply(output);
  ASSERT_TRUE(reply) << output;
  ASSERT_TRUE(wire::parse_notify_reply(reply->value_json));
}

TEST(Print, AFailureGoesToStderrOrIntoTheJson) {
  const NotifyResult failure{Verdict::busy, "/s: another client\x1b holds the port", std::nullopt, {}};
  const Printed text = print_result(failure, false);
  EXPECT_TRUE(text.output.empty());
  EXPECT_EQ(text.error, "clockmend-host: busy: /s: another client  holds the port\n");
  const Printed json = print_result(failure, true);
  const auto reply = wire::parse_reply(json.output);
  ASSERT_TRUE(reply);
  ASSERT_TRUE(reply->error);
  EXPECT_NE(reply->error->text.find("busy"), std::string::npos);
}

TEST(Print, TheExchangeIsToldInWords) {
  NotifyResult result = result_with(core::Outcome::corrected);
  const std::int64_t t = 1'700'000'000'000'000'000;
  result.rounds.push_back({t, t - 20'000'000'000 + 100'000, t - 20'000'000'000 + 100'000, t + 200'000});
  EXPECT_NE(print_result(result, false).output.find("the guest was 20.000 s behind"), std::string::npos);
}

NotifyResult measured(core::nanoseconds behind) {
  NotifyResult result;
  result.verdict = Verdict::done;
  const std::int64_t t = 1'700'000'000'000'000'000;
  const std::int64_t there = t - behind.count() + 100'000;
  result.rounds.push_back({t, there, there, t + 200'000});
  return result;
}

TEST(Print, AMeasurementNamesItsErrorAndItsSign) {
  const Target target{"/run/vm1.sock", "", ""};
  const NotifyResult ahead = measured(core::seconds{-20});
  EXPECT_EQ(print_measured(target, ahead, false).output, "/run/vm1.sock: 20.000 s ahead (+- 100.000 us, 1 round)\n");
  EXPECT_EQ(print_measured(target, ahead, true).output,
            "{\"return\":{\"offset-ns\":-20000000000,\"error-ns\":100000,\"round-trip-ns\":200000,\"rounds\":1}}\n");
}

TEST(Print, OneOfManyIsOneLine) {
  const Target target{"", "vm\n1", ""};
  EXPECT_EQ(print_line(target, measured(core::seconds{0}), true, false), "vm 1: exactly right (+- 100.000 us, 1 round)\n");
  const NotifyResult failure{Verdict::busy, "held", std::nullopt, {}};
  EXPECT_EQ(print_line(target, failure, false, false), "vm 1: busy: held\n");
  const std::string json = print_line(target, failure, false, true);
  EXPECT_EQ(json.rfind("{\"target\":\"vm\\n1\",\"verdict\":\"busy\",\"code\":5,\"error\":{", 0), 0U) << json;
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  EXPECT_EQ(print_line(target, result_with(core::Outcome::corrected), false, false).rfind("vm 1: The clock was 20.000 s behind", 0), 0U);
}

TEST(Print, AClockIsOffOnlyWhenItSurelyIs) {
  EXPECT_EQ(judged(measured(core::milliseconds{100}), core::milliseconds{100}), Verdict::done);
  EXPECT_EQ(judged(measured(core::nanoseconds{100'100'000}), core::milliseconds{100}), Verdict::done) << "within the error";
  EXPECT_EQ(judged(measured(core::nanoseconds{-100'100'001}), core::milliseconds{100}), Verdict::off);
  EXPECT_EQ(judged(measured(core::seconds{100}), std::nullopt), Verdict::done);
  EXPECT_EQ(judged({Verdict::busy, "", std::nullopt, {}}, core::milliseconds{1}), Verdict::busy);
}

TEST(Score, SharedFailuresKeepTheirCode) {
  Score score;
  EXPECT_EQ(score.verdict(), Verdict::done) << "no guest: nothing to do";
  EXPECT_EQ(print_summary(score, false), "0 guests\n");
  score.add(Verdict::done);
  score.add(Verdict::busy);
  score.add(Verdict::busy);
  EXPECT_EQ(score.verdict(), Verdict::busy);
  EXPECT_EQ(print_summary(score, false), "3 guests, 1 done, 2 not (busy)\n");
  score.add(Verdict::timeout);
  score.add(Verdict::busy);
  EXPECT_EQ(score.verdict(), Verdict::mixed);
  EXPECT_EQ(print_summary(score, true), "{\"summary\":{\"guests\":5,\"done\":1,\"failed\":4,\"code\":7}}\n");
}

TEST(Answer, EveryOutcomeHasItsExitCode) {
  EXPECT_EQ(verdict_of(core::Outcome::corrected), Verdict::done);
  EXPECT_EQ(verdict_of(core::Outcome::no_action), Verdict::done);
  EXPECT_EQ(verdict_of(core::Outcome::observed), Verdict::done);
  EXPECT_EQ(verdict_of(core::Outcome::refused), Verdict::refused);
  EXPECT_EQ(verdict_of(core::Outcome::failed), Verdict::failed);
  wire::NotifyReply reply;
  for (const auto d : {wire::Disposition::accepted, wire::Disposition::deferred, wire::Disposition::repeated}) {
    reply.disposition = d;
    EXPECT_EQ(verdict_of(reply), Verdict::done);
  }
  reply.disposition = wire::Disposition::stale;
  EXPECT_EQ(verdict_of(reply), Verdict::refused);
  EXPECT_EQ(verdict_of(wire::ErrorClass::command_not_found), Verdict::protocol);
  EXPECT_EQ(verdict_of(wire::ErrorClass::rate_limited), Verdict::refused);
  EXPECT_EQ(verdict_of(wire::ErrorClass::timeout), Verdict::timeout);
}

}  // namespace
}  // namespace clockmend::host
