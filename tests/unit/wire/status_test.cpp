#include "agent/wire/status.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/wire/text.hpp"
#include "tests/unit/wire/samples.hpp"

namespace clockmend::tests {
namespace {

using nlohmann::json;

TEST(WireStatus, RoundTripKeepsEveryMember) {
  const std::string text = wire::status_pretty(sample_status());
  const auto back = wire::parse_status(text);
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(wire::status_pretty(*back), text);
  EXPECT_EQ(back->state, core::ClockState::verifying);
  EXPECT_EQ(back->void_after, core::milliseconds(5000));
  EXPECT_EQ(back->counters.foreign_steps, 11U);
  EXPECT_TRUE(back->daemons.at(0).synchronising);
  EXPECT_EQ(back->servers.at(0).last->offset.value.count(), -47'550'000'001);
  EXPECT_EQ(back->last->number, 42U);
}

TEST(WireStatus, DefaultStatusRoundTrips) {
  const core::AgentStatus status;
  const auto back = wire::parse_status(wire::status_line(status));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(wire::status_line(*back), wire::status_line(status));
  EXPECT_FALSE(back->valid_since);
}

TEST(WireStatus, NumbersCarryTheirUnit) {
  const json doc = json::parse(wire::status_pretty(sample_status()));
  EXPECT_EQ(doc["schema"], "clockmend-status/1");
  EXPECT_EQ(doc["checked_at_monotonic_ns"], 14);
  EXPECT_EQ(doc["void_after_ms"], 5000);
  EXPECT_EQ(doc["max_detection_latency_ms"], 1050);
  EXPECT_EQ(doc["clock"]["valid_since"], "2023-11-14T22:13:20.500000000Z");
  EXPECT_EQ(doc["clock"]["valid_since_realtime_ns"], 1'700'000'000'500'000'000);
  EXPECT_EQ(doc["clock"]["error_bound_ns"], 2'000'001);
  EXPECT_EQ(doc["clock"]["error_growth_ppm"], 100);
  EXPECT_EQ(doc["daemons"][0]["running"], true);
  EXPECT_EQ(doc["daemons"][0]["synchronising"], true);
}

TEST(WireStatus, MillisecondsRoundToTheSafeSide) {
  core::AgentStatus status;
  status.void_after = core::nanoseconds(1'999'999);
  status.max_detection_latency = core::nanoseconds(1'000'001);
  const json doc = json::parse(wire::status_line(status));
  EXPECT_EQ(doc["void_after_ms"], 1);
  EXPECT_EQ(doc["max_detection_latency_ms"], 2);
}

TEST(WireStatus, AnotherSchemaIsUnsupportedNotMisread) {
  json doc = json::parse(wire::status_line(sample_status()));
  doc["schema"] = "clockmend-status/2";
  const auto read = wire::parse_status(doc.dump());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, core::ErrorCode::unsupported);
}

TEST(WireStatus, ErrorsNameTheMember) {
  json doc = json::parse(wire::status_line(sample_status()));
  doc["last_correction"]["discontinuity"]["evidence"][0]["at"]["raw_ns"] = "x";
  const auto read = wire::parse_status(doc.dump());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().text, "status: last_correction.discontinuity.evidence.at.raw_ns must be a whole number");
}

TEST(WireStatus, ValidAndValidSinceCannotContradict) {
  json doc = json::parse(wire::status_line(sample_status()));
  doc["clock"]["valid"] = false;
  EXPECT_FALSE(wire::parse_status(doc.dump()));
}

TEST(WireText, StatusForHumansShowsWhatMatters) {
  const auto text = wire::render_status_text(wire::status_pretty(sample_status()));
  ASSERT_TRUE(text) << text.error().text;
  for (const char* part : {"verifying (stepped)", "ntpsec.service: active/running, running, synchronising", "+47.551 s", "kvm-clock",
                           "192.0.2.2: unreachable", "3 of 4 agree", "#42 corrected", "clockmend.toml:3: x"}) {
    EXPECT_NE(text->find(part), std::string::npos) << part << "\n" << *text;
  }
}

TEST(WireText, TerminalEscapesNeverReachTheTerminal) {
  core::AgentStatus status = sample_status();
  status.servers.at(0).name = "evil\x1b[2J";
  EXPECT_EQ(wire::render_status(status).find('\x1b'), std::string::npos);
}

TEST(WireText, Iso8601) {
  using core::RealtimePoint;
  EXPECT_EQ(wire::iso8601(RealtimePoint{}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(wire::iso8601(RealtimePoint(core::nanoseconds(-1))), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(wire::iso8601(RealtimePoint(core::seconds(951782400))), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(wire::iso8601(RealtimePoint::max()), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(wire::iso8601(RealtimePoint::min()), "1677-09-21T00:12:43.145224192Z");
}

TEST(WireText, HumanDurations) {
  EXPECT_EQ(wire::human(core::nanoseconds(47'550'000'000), true), "+47.550 s");
  EXPECT_EQ(wire::human(core::nanoseconds(-3'200'000), true), "-3.200 ms");
  EXPECT_EQ(wire::human(core::nanoseconds(12'345), false), "12.345 us");
  EXPECT_EQ(wire::human(core::nanoseconds(7), true), "+7 ns");
  EXPECT_EQ(wire::human(core::nanoseconds(0), true), "0 ns");
}

}  // namespace
}  // namespace clockmend::tests
