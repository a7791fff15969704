// PTP and vmclock: exact readings of a clock that is the host's; and tripwires that measure nothing.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_rig.hpp"

namespace clockmend::engine::test {
namespace {

using core::Confidence;
using core::Outcome;
using core::Tripwire;

core::Disruption disruption(Tripwire t, bool moved, std::optional<core::nanoseconds> gap = {}) {
  core::Disruption d;
  d.tripwire = t;
  d.moved = moved;
  d.gap = gap;
  d.gap_uncertainty = 1ms;
  d.why = "something happened";
  return d;
}

TEST(HostClockTest, PauseIsSteppedByTheChangeNotByTheHostsTime) {
  EngineRig rig;
  rig.observe(rig.ptp(300ms));  // the host is 300 ms wrong, the guest is right
  rig.clock.pause(47550ms);
  rig.observe(rig.ptp(300ms));
  EXPECT_TRUE(rig.steps.empty()) << "a host whose clock was set looks the same: NTP is heard first";
  rig.fail(Witness::ntp);
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
  rig.finish_well();
  const auto& d = rig.report().discontinuity;
  EXPECT_EQ(d.cause, core::Cause::pause);
  ASSERT_TRUE(d.gap);
  EXPECT_TRUE(d.gap->contains({47550ms}));
  EXPECT_LT(d.gap->half_width(), 1ms);
  EXPECT_EQ(rig.report().estimate->basis, core::Basis::differential);
}

TEST(HostClockTest, WithoutABaselineItsOwnTimeCountsWithTheHostsError) {
  EngineRig rig;
  rig.clock.pause(10s);
  rig.observe(rig.notice("n"));
  rig.observe(rig.ptp());
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.finish_well();
  EXPECT_EQ(rig.report().estimate->basis, core::Basis::absolute);
  EXPECT_GE(rig.report().estimate->uncertainty, rig.engine.policy().host_clock_error);
}

TEST(HostClockTest, QuietReadingsDoNothing) {
  EngineRig rig;
  for (int i = 0; i < 500; ++i) {
    rig.clock.advance(16s);
    rig.observe(rig.ptp());
  }
  EXPECT_TRUE(rig.log.empty());
}

TEST(HostClockTest, AHostThatGoesBackIsNoPause) {
  EngineRig rig;
  rig.observe(rig.ptp());
  rig.clock.advance(1s);
  rig.observe(rig.ptp(-5s));
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_EQ(rig.asked(Witness::ntp), 1U) << "only an outside witness can tell";
  rig.clock.advance(1s);
  rig.observe(rig.ptp(-5s));
  EXPECT_EQ(rig.asked(Witness::ntp), 1U) << "learned anew";
}

// The host's clock is set forward: its PTP clock and its RTC jump together, and the guest was right all the time.
TEST(HostClockTest, AHostSetForwardDoesNotDragTheGuestAgainstOneServer) {
  EngineRig rig;
  rig.learn_rtc();
  rig.observe(rig.ptp());
  rig.hold_reconsider = true;
  rig.observe(rig.ptp(5s));
  rig.rtc_phase += 5s;
  rig.observe(rig.rtc());
  rig.observe(rig.ntp());
  rig.hold_reconsider = false;
  rig.reconsider();
  rig.deadline();
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
  EXPECT_NE(rig.report().reason.find("ptp disagrees"), std::string::npos) << rig.report().reason;
}

// The same readings after a notice: the VM was stopped, and a server that slept with it is the one that is wrong.
TEST(HostClockTest, AnAttestedPauseBelievesHostAndRtcAgainstOneServer) {
  EngineRig rig;
  rig.learn_rtc();
  rig.observe(rig.ptp());
  rig.clock.pause(5s);
  rig.hold_reconsider = true;
  rig.observe(rig.notice("n"));
  rig.observe(rig.ptp());
  rig.observe(rig.rtc());
  rig.observe(rig.ntp(-5s));  // frozen on the same host
  rig.hold_reconsider = false;
  rig.reconsider();
  rig.deadline();
  ASSERT_EQ(rig.steps.size(), 1U);
  EXPECT_LT(std::abs(rig.error_ms()), 1.0);
}

TEST(HostClockTest, ReadingsOfOneHostAreOneWitness) {
  EngineRig rig;
  rig.clock.step(10s);  // ahead: backward needs two
  rig.engine.own_step_applied({10s});
  rig.hold_reconsider = true;
  rig.observe(rig.notice_with_exchange("n"));
  rig.observe(rig.ptp());
  rig.hold_reconsider = false;
  rig.reconsider();
  rig.fail(Witness::ntp);
  rig.stopped();  // being wrong is proved, so the daemon was stopped in good time
  rig.deadline();
  rig.started();
  EXPECT_TRUE(rig.steps.empty());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::refused);
}

TEST(TripwireTest, ADisruptionAsksEverybodyAndARightClockIsLeftAlone) {
  EngineRig rig;
  rig.observe(disruption(Tripwire::vmclock, true));
  EXPECT_EQ(rig.count<AskWitnesses>(), 1U);
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_EQ(rig.report().outcome, Outcome::no_action);
  EXPECT_EQ(rig.report().discontinuity.disruptions, std::vector<std::string>{"vmclock: something happened"});
  EXPECT_EQ(rig.report().discontinuity.tripwire, "vmclock: something happened");
}

TEST(TripwireTest, AMoveVoidsTheHostsBaseline) {
  EngineRig rig;
  rig.observe(rig.ptp());
  rig.clock.pause(3s);
  rig.observe(disruption(Tripwire::vmclock, true));
  rig.observe(rig.ptp(20ms));  // another host, another error
  ASSERT_EQ(rig.steps.size(), 1U);
  rig.finish_well();
  EXPECT_EQ(rig.report().estimate->basis, core::Basis::absolute);
}

TEST(TripwireTest, TheTscKnowsTheGapAndJoinsWhatRuns) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(3s);
  rig.observe(rig.coarse_rtc());
  ASSERT_TRUE(rig.engine.busy());
  rig.observe(disruption(Tripwire::tsc, false, 3s));
  rig.observe(rig.rtc());
  rig.finish_well();
  ASSERT_EQ(rig.reports.size(), 1U);
  const auto& d = rig.report().discontinuity;
  EXPECT_EQ(d.disruptions.size(), 1U);
  ASSERT_TRUE(d.gap);
  EXPECT_EQ(d.gap->middle().value, 3s);
}

TEST(TripwireTest, TooManyDisruptionsDoNotGrowTheRecord) {
  EngineRig rig;
  for (int i = 0; i < 100; ++i) rig.observe(disruption(Tripwire::vmgenid, true));
  rig.observe(rig.ntp());
  ASSERT_EQ(rig.reports.size(), 1U);
  EXPECT_LE(rig.report().discontinuity.disruptions.size(), 8U);
}

TEST(TripwireTest, ModeOffLeavesItWrongAndSaysSo) {
  core::Policy p = policy();
  p.mode = core::Mode::off;
  EngineRig rig{p};
  rig.observe(disruption(Tripwire::vmclock, true));
  EXPECT_FALSE(rig.engine.busy());
  EXPECT_TRUE(rig.steps.empty());
  EXPECT_NE(rig.engine.state_reason().find("left alone"), std::string::npos);
}

TEST(TripwireTest, AnExpectedDisruptionTakesFreshBaselines) {
  EngineRig rig;
  rig.observe(core::DisruptionExpected{Tripwire::vmclock, "DISRUPTION_IMMINENT is set"});
  EXPECT_EQ(rig.count<AskWitnesses>(), 1U);
  EXPECT_FALSE(rig.engine.busy());
}

// One server, no RTC: 900 s on its word were allowed before the restart, so 900 s more are not.
TEST(ConfidenceTest, ARestartDoesNotForgetStepsOnOneSourcesWord) {
  for (const auto& [age, steps] : {std::pair{60s, 0U}, {-60s, 0U}, {2 * 3600s, 1U}}) {
    EngineRig rig;
    rig.engine.remember_lone_step(rig.clock.snapshot().realtime - age, {900s}, rig.clock.snapshot());
    rig.clock.pause(900s);
    rig.observe(rig.ntp());
    rig.deadline();
    EXPECT_EQ(rig.steps.size(), steps) << age.count();
  }
}

TEST(ConfidenceTest, SaysHowWellTheStepIsFounded) {
  EngineRig rig;
  rig.learn_rtc();
  rig.clock.pause(30s);
  rig.observe(rig.rtc());
  rig.observe(rig.ntp({}, 3, 3));
  rig.finish_well();
  EXPECT_EQ(rig.report().discontinuity.confidence, Confidence::corroborated);
}

TEST(ProbableMistake, NamesTaiAndLocalTime) {
  EXPECT_EQ(probable_mistake(37s), "37 s apart, as TAI and UTC are");
  EXPECT_EQ(probable_mistake(-37s + 500ms), "37 s apart, as TAI and UTC are");
  EXPECT_EQ(probable_mistake(2h + 300ms), "2 h apart, as an RTC in local time is");
  EXPECT_EQ(probable_mistake(-1h), "1 h apart, as an RTC in local time is");
  for (const core::nanoseconds d : {core::nanoseconds{0}, core::nanoseconds{35s}, core::nanoseconds{90min}, core::nanoseconds{15h}})
    EXPECT_EQ(probable_mistake(d), "") << d.count();
}

}  // namespace
}  // namespace clockmend::engine::test
