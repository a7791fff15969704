#include "probes/rtc_edge_model.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;
using core::RawPoint;
using core::seconds;
using Kind = EdgeVerdict::Kind;

constexpr RawPoint kEdge{1000s};

core::RtcSecond read(seconds utc, RawPoint before, core::nanoseconds length = 41us) {
  core::RtcSecond r;
  r.utc = utc;
  r.before.raw = before;
  r.after.raw = before + length;
  return r;
}
RtcEdgeModel model(EdgeRate rate = {}) { return {100s, {kEdge - 1ms, kEdge + 1ms}, rate}; }

TEST(RtcEdgeModel, PredictsEdgesWithAWidthThatGrowsWithTheUnknownRate) {
  const EdgeSpan next = model().edge(101s);
  EXPECT_EQ(next.middle(), kEdge + 1s);
  EXPECT_EQ(next.width(), 2ms + 2 * 500us);
  EXPECT_EQ(model({100'000, 50'000}).edge(110s).middle(), kEdge + 10s + 1ms);
  EXPECT_EQ(model().rtc_time(kEdge + 500ms), 100s + 500ms);
}

TEST(RtcEdgeModel, AReadThatSpansTheEdgeIsConsistentWithBothSeconds) {
  const auto m = model();
  for (const seconds shown : {100s, 101s}) EXPECT_EQ(m.judge(read(shown, kEdge + 995ms, 10ms)).kind, Kind::consistent);
}

TEST(RtcEdgeModel, TheNewSecondBeforeItsEdgeProvesItAhead) {
  const auto m = model();
  const auto verdict = m.judge(read(101s, kEdge + 980ms));
  EXPECT_EQ(verdict.kind, Kind::ahead);
  EXPECT_EQ(verdict.at_least, 20ms - 1ms - 500us - 41us);
  EXPECT_EQ(m.judge(read(102s, kEdge + 980ms)).at_least, 1s + 20ms - 1ms - 1ms - 41us);
}

TEST(RtcEdgeModel, TheOldSecondAfterTheEdgeProvesItBehind) {
  const auto verdict = model().judge(read(100s, kEdge + 1020ms));
  EXPECT_EQ(verdict.kind, Kind::behind);
  EXPECT_EQ(verdict.at_least, 20ms - 1ms - 500us);
}

TEST(RtcEdgeModel, ReadsNarrowTheSpanFromBothSides) {
  auto m = model();
  m.learn(read(100s, kEdge + 1s - 200us));
  EXPECT_EQ(m.edge(101s).low, kEdge + 1s - 200us);
  m.learn(read(102s, kEdge + 2s + 100us));
  EXPECT_EQ(m.edge(102s).high, kEdge + 2s + 141us);
}

TEST(RtcEdgeModel, NonsenseFarAwayOverflowsNothing) {
  const auto m = model();
  EXPECT_EQ(m.judge(read(seconds{4'000'000'000}, kEdge)).kind, Kind::ahead);
  EXPECT_EQ(m.judge(read(seconds{-4'000'000'000}, kEdge)).kind, Kind::behind);
}

TEST(RtcEdgeModel, TwoAgreeingWindowsMakeARateOneDoesNot) {
  RtcEdgeModel m(0s, {kEdge - 100us, kEdge + 100us}, {});
  // The RTC is 80 ppm slow against RAW: each of its seconds takes 80 us longer.
  for (int s = 1; s <= 140; ++s) {
    const RawPoint edge = kEdge + s * (1s + 80us);
    m.learn(read(seconds{s - 1}, edge - 100us));
    m.learn(read(seconds{s}, edge + 60us));
    if (s == 70) {
      EXPECT_EQ(m.rate().uncertainty_ppb, EdgeRate::kUnknownPpb);
    }
  }
  EXPECT_NEAR(static_cast<double>(m.rate().ppb), 80'000.0, 5'000.0);
  EXPECT_EQ(m.rate().uncertainty_ppb, EdgeRate::kLearnedPpb);
  EXPECT_EQ(m.distrusted_rate().uncertainty_ppb, EdgeRate::kUnknownPpb);
}

}  // namespace
}  // namespace clockmend::probes
