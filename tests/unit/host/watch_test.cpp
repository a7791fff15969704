// The pure parts of watch.
#include <gtest/gtest.h>

#include "agent/host/watch/guest.hpp"
#include "agent/host/watch/metrics.hpp"

namespace clockmend::host {
namespace {

core::CorrectionReport corrected(core::milliseconds step_ended) {
  core::CorrectionReport report;
  report.outcome = core::Outcome::corrected;
  report.actions = {{core::ActionKind::step, {}, step_ended, true, "", {}, {}},
                    {core::ActionKind::trim, {}, core::seconds{9}, false, "failed", {}, {}},
                    {core::ActionKind::start_daemon, {}, core::seconds{3}, true, "", {}, {}}};
  return report;
}

TEST(WatchMetrics, RightIsTheLastStepThatWorked) {
  EXPECT_EQ(time_to_right(core::milliseconds{20}, corrected(core::milliseconds{30})), core::milliseconds{50});
  EXPECT_EQ(time_to_right(core::milliseconds{20}, core::CorrectionReport{}), core::milliseconds{20});
}

TEST(WatchMetrics, OnlyCorrectionsCountAsRight) {
  Metrics metrics;
  add_report(metrics, corrected(core::milliseconds{480}), core::milliseconds{20});
  core::CorrectionReport nothing;
  nothing.outcome = core::Outcome::no_action;
  add_report(metrics, nothing, core::seconds{5});
  metrics.notices[Verdict::done] = 2;
  metrics.connected = true;
  const std::string text = metrics_text(metrics);
  EXPECT_NE(text.find("clockmend_host_seconds_to_right_sum 0.500000\n"), std::string::npos) << text;
  EXPECT_NE(text.find("clockmend_host_seconds_to_right_count 1\n"), std::string::npos);
  EXPECT_NE(text.find("clockmend_host_reports_total{outcome=\"corrected\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("clockmend_host_reports_total{outcome=\"no-action\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("clockmend_host_notices_total{result=\"done\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("clockmend_host_notices_total{result=\"busy\"} 0\n"), std::string::npos) << "absent series break alerts";
  EXPECT_NE(text.find("clockmend_host_libvirt_connected 1\n"), std::string::npos);
}

TEST(WatchMetrics, EveryLineIsACommentOrASample) {
  const std::string text = metrics_text({});
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(text.back(), '\n');
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    EXPECT_TRUE(line.rfind("# HELP clockmend_host_", 0) == 0 || line.rfind("# TYPE clockmend_host_", 0) == 0 ||
                (line.rfind("clockmend_host_", 0) == 0 && line.find(' ') == line.rfind(' ')))
        << line;
    begin = end + 1;
  }
}

TEST(WatchGuest, TriesAndLooksEnd) {
  std::size_t tries = 0;
  while (next_try(tries)) ++tries;
  EXPECT_GE(tries, 3U);
  EXPECT_LE(tries, 10U);
  std::size_t looks = 0;
  while (next_look(looks)) ++looks;
  EXPECT_GE(looks, 2U);
  EXPECT_LE(looks, 10U);
}

}  // namespace
}  // namespace clockmend::host
