#include "agent/wire/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/wire/samples.hpp"

namespace clockmend::tests {
namespace {

using nlohmann::json;

/// Equality of values through their text: if a member is lost on the way, the second text lacks it or has its default.
TEST(WireReport, RoundTripKeepsEveryMember) {
  const core::CorrectionReport report = sample_report();
  const std::string text = wire::report_line(report);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto back = wire::parse_report(text);
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(wire::report_line(*back), text);
  EXPECT_EQ(back->number, 42U);
  EXPECT_EQ(back->total.value.count(), 47'551'000'000);
  EXPECT_EQ(back->notices, (std::vector<std::string>{"n1", "n2"}));
  EXPECT_EQ(back->actions.at(1).offset->value.count(), 5);
  EXPECT_FALSE(back->actions.at(0).offset);
  EXPECT_EQ(back->discontinuity.notice->event, core::NoticeEvent::hot_upgrade);
  EXPECT_EQ(back->discontinuity.evidence.at(0).needed.high.value.count(), 2);
  EXPECT_EQ(back->discontinuity.detected.raw.time_since_epoch().count(), 23);
  EXPECT_EQ(back->estimate->agreeing.size(), 2U);
}

TEST(WireReport, EmptyReportRoundTrips) {
  const core::CorrectionReport report;
  const auto back = wire::parse_report(wire::report_line(report));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(wire::report_line(*back), wire::report_line(report));
}

TEST(WireReport, EveryMemberButOptionalOnesIsRequiredAndTyped) {
  const json whole = json::parse(wire::report_line(sample_report()));
  for (const auto& [key, value] : whole.items()) {
    json wrong = whole;
    wrong[key] = json::array({json::array()});
    if (key == "started" || key == "ended") continue;  // for human eyes; the numbers beside them count
    const auto read = wire::parse_report(wrong.dump());
    EXPECT_FALSE(read) << key << " took an array of arrays";
    if (!read) {
      EXPECT_NE(read.error().text.find(key), std::string::npos) << read.error().text;
    }
  }
}

TEST(WireReport, UnknownMembersOfALaterVersionAreLeftAlone) {
  json later = json::parse(wire::report_line(sample_report()));
  later["invented_later"] = 1;
  EXPECT_TRUE(wire::parse_report(later.dump()));
}

TEST(WireReport, BytesThatAreNotUtf8DoNotBreakTheRecord) {
  core::CorrectionReport report = sample_report();
  report.reason = "server \xff\xfe said\nnonsense";
  const std::string text = wire::report_line(report);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto back = wire::parse_report(text);
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(back->reason, "server \xef\xbf\xbd\xef\xbf\xbd said\nnonsense");
}

TEST(WireReport, HalfALineIsAnError) {
  const std::string text = wire::report_line(sample_report());
  for (std::size_t length = 0; length < text.size(); length += 37) EXPECT_FALSE(wire::parse_report(text.substr(0, length)));
}

}  // namespace
}  // namespace clockmend::tests
