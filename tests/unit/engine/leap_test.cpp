// Around an announced leap second a difference of one second is nobody's mistake.
#include "agent/engine/leap.hpp"

#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::Outcome;

constexpr core::RealtimePoint kMidnight{core::seconds{1735689600}};  // 2025-01-01; the rig's clock begins there

TEST(LeapTest, TheMinuteAroundMidnightUtc) {
  EXPECT_TRUE(near_leap(kMidnight));
  EXPECT_TRUE(near_leap(kMidnight - 60s));
  EXPECT_TRUE(near_leap(kMidnight + 60s));
  EXPECT_FALSE(near_leap(kMidnight - 61s));
  EXPECT_FALSE(near_leap(kMidnight + 61s));
}

TEST(LeapTest, OneSecondEitherWayAndNothingElse) {
  for (const auto offset : {1000ms, -1000ms, 1090ms, -910ms}) EXPECT_TRUE(leap_explains({offset}, 0ns, kMidnight)) << offset.count();
  for (const auto offset : {500ms, -1200ms, 2000ms, 0ms}) EXPECT_FALSE(leap_explains({offset}, 0ns, kMidnight)) << offset.count();
  EXPECT_TRUE(leap_explains({1300ms}, 300ms, kMidnight)) << "within the measurement's error";
  EXPECT_FALSE(leap_explains({2000ms}, 1h, kMidnight)) << "an error that explains everything explains nothing";
  EXPECT_FALSE(leap_explains({1000ms}, 0ns, kMidnight + 2min));
}

TEST(LeapTest, OverAMinuteAfterIt) {
  EXPECT_EQ(leap_over_in(kMidnight), 62s);
  EXPECT_EQ(leap_over_in(kMidnight + 60s), 2s);
  EXPECT_EQ(leap_over_in(kMidnight - 10s), 72s);
}

/// What NTP says makes the clock wrong by `error`, at midnight; the kernel or the servers announce a leap second, or nobody.
struct Case {
  core::nanoseconds error{};
  bool by_kernel = false;
  bool by_servers = false;
  core::nanoseconds after_midnight = 5s;
};

void play(EngineRig& rig, const Case& c) {
  rig.clock.advance(c.after_midnight);
  rig.clock.status.leap_pending = c.by_kernel;
  rig.clock.step(-c.error);
  rig.engine.own_step_applied({-c.error});
  core::OffsetReading ntp = rig.ntp({}, 3, 3);
  ntp.leap_announced = c.by_servers;
  rig.observe(ntp);
  rig.patience();
  rig.observe(ntp);
  if (rig.engine.busy()) rig.deadline();
}

std::size_t steps_in(const Case& c) {
  EngineRig rig;
  play(rig, c);
  return rig.steps.size();
}

TEST(LeapTest, ASecondAtMidnightIsLeftWhileOneIsAnnounced) {
  for (const auto error : {1s, -1s}) {
    for (const bool by_kernel : {true, false}) {
      EngineRig rig;
      play(rig, {error, by_kernel, !by_kernel});
      EXPECT_TRUE(rig.steps.empty()) << error.count();
      ASSERT_EQ(rig.reports.size(), 1U);
      EXPECT_EQ(rig.report().outcome, Outcome::no_action);
      EXPECT_NE(rig.report().reason.find("leap second"), std::string::npos) << rig.report().reason;
      EXPECT_NE(rig.engine.state(), core::ClockState::synchronized);
    }
  }
}

TEST(LeapTest, WithoutAnnouncementOrAwayFromMidnightItIsCorrected) {
  EXPECT_EQ(steps_in({1s, false, false}), 1U);
  EXPECT_EQ(steps_in({1s, true, true, 5min}), 1U);
  EXPECT_EQ(steps_in({20s, true, true}), 1U) << "a pause is no leap second";
}

TEST(LeapTest, ItIsMeasuredAgainWhenTheMinuteIsOver) {
  EngineRig rig;
  play(rig, {1s, true, false});
  const std::size_t asked = rig.asked(Witness::ntp);
  EXPECT_EQ(rig.armed.delay, leap_over_in(rig.clock.snapshot().realtime));
  rig.clock.advance(rig.armed.delay);
  rig.patience();
  EXPECT_EQ(rig.asked(Witness::ntp), asked + 1);
  rig.observe(rig.ntp({}, 3, 3));
  EXPECT_EQ(rig.steps.size(), 1U) << "still a second wrong: now it is one";
}

TEST(LeapTest, TheKernelsOwnLeapIsNobodysStep) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.status.leap_pending = true;
  rig.clock.advance(100ms);
  rig.clock.step(-1s);
  rig.compare();
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_TRUE(rig.reports.empty());
  rig.clock.step(-1s);
  rig.clock.status.leap_pending = false;
  rig.compare();
  EXPECT_TRUE(rig.engine.busy()) << "nobody announced that one";
}

TEST(LeapTest, AForcedRequestGoesThrough) {
  EngineRig rig;
  rig.clock.status.leap_pending = true;
  rig.clock.advance(5s);
  rig.clock.step(-1s);
  rig.engine.own_step_applied({-1s});
  core::HostNotice n = rig.notice("r1", core::NoticeEvent::resync);
  n.force = true;
  rig.observe(n);
  rig.observe(rig.ntp({}, 3, 3));
  EXPECT_EQ(rig.steps.size(), 1U);
}

}  // namespace
}  // namespace clockmend::engine::test
