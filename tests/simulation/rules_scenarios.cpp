// One rule each: what must not happen, on the smallest machine where it could.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::NoticeEvent;
using core::Outcome;

constexpr core::seconds kDay{86400};
const Server kDead{Server::Kind::dead, {}};

MachineSpec host_only() {
  MachineSpec m;
  m.servers = {kDead};
  m.rtc = false;
  return m;
}
MachineSpec alone() {  // nobody but its RTC and its host
  MachineSpec m;
  m.servers = {kDead};
  m.daemon = DaemonKind::none;
  return m;
}
/// Its clock was disciplined, then the network went away.
void lose_ntp(Machine& r) { r.world.set_server(0, kDead); }

TEST(Rules, AMeasurementFromBeforeAStepIsNotAppliedAgain) {
  Machine r(host_only());
  r.world.pause(20s);
  r.world.run(10ms);
  const core::HostNotice early = r.world.notice(NoticeEvent::resumed, true);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(10s);
  r.guest.notify(early);
  r.world.run(10s);
  EXPECT_LE(r.error(), 5ms) << story(r);
  EXPECT_EQ(r.world.steps.size(), 1U);
}

TEST(Rules, AnAcceptedTimeIsKeptOverAPause) {
  core::Policy p = default_policy();
  p.on_foreign_step = core::OnForeignStep::ignore;
  MachineSpec spec;
  spec.daemon = DaemonKind::none;
  Machine r(spec, p);
  lose_ntp(r);
  r.world.set_clock(30s);
  r.world.run(1s);
  r.world.pause(20s);
  r.world.run(20s);
  EXPECT_NEAR(static_cast<double>(r.world.error().count()) / 1e9, -30.0, 0.02) << story(r);
}

TEST(Rules, AnRtcThatWasSetBackMeasuresTheNextPauseRight) {
  Machine r{MachineSpec{}};
  lose_ntp(r);
  r.world.rtc.shift(-5s);
  r.world.run(4s);  // found again; the readings that renew a baseline anyway are still to come
  r.world.pause(20s);
  r.world.run(20s);
  EXPECT_LE(r.error(), 15ms) << story(r);
}

TEST(Rules, AnotherHostsBaselineIsNotUsed) {
  Machine r{MachineSpec{}};
  lose_ntp(r);
  r.guest.notify(r.world.notice(NoticeEvent::pausing, true));
  r.world.run(3s);
  r.world.move(5s, 0ns, "host-b");
  r.world.set_host_error(40ms);
  r.host_tells(NoticeEvent::migrated, false);
  r.world.run(60s);
  r.world.steps.clear();
  r.guest.reports.clear();
  r.world.pause(20s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(20s);
  EXPECT_GE(r.world.steps.size(), 1U);
  SCOPED_TRACE(story(r));
  check_stated_errors(r);  // 40 ms off: true only of a step that says so
}

TEST(Rules, AfterAMoveTheRtcSaysNoMoreThanItKnows) {
  const Scenario s{.name = "moved, the RTC alone",
                   .machine = alone(),
                   .script =
                       [](Machine& r) {
                         r.world.move(5500ms, 900ms, "host-b");
                         r.host_tells(NoticeEvent::migrated, false);
                       },
                   .expect = {.error = 1100ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::degraded}};
  play(s);
}

TEST(Rules, AnErrorThatWasOnlyObservedIsNotKept) {
  for (const DaemonKind kind : {DaemonKind::none, DaemonKind::ntpd}) {
    core::Policy p = default_policy();
    p.mode = core::Mode::observe;
    MachineSpec spec;
    spec.daemon = kind;
    Machine r(spec, p);
    lose_ntp(r);
    r.world.pause(20s);
    r.world.run(60s);
    p.mode = core::Mode::correct;
    r.guest.engine().set_policy(p);
    r.world.pause(7s);
    r.world.run(20s);
    EXPECT_LE(r.error(), 1100ms) << story(r);
  }
}

TEST(Rules, OneWitnessAloneDoesNotSetTheClockBack) {
  Machine r(host_only());
  r.world.services.unit("ntpsec.service").stop_takes = 8s;
  r.world.set_clock(30s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(40s);
  EXPECT_EQ(r.world.steps.size(), 0U) << story(r);
  EXPECT_EQ(r.guest.engine().state(), ClockState::refused);
  EXPECT_TRUE(r.world.daemon_running()) << "stopped for nothing, so started again";
}

TEST(Rules, AHostAndItsOwnRtcAreOneWitness) {
  MachineSpec spec = alone();
  spec.host_error = -3600s;  // its RTC with it
  Machine r(spec);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(20s);
  EXPECT_EQ(r.world.steps.size(), 0U) << story(r);
  EXPECT_EQ(r.report().outcome, Outcome::refused);
}

TEST(Rules, WhereTheHostRulesItsTimeIsTaken) {
  for (const core::Sequence sequence : {core::Sequence::restore_first, core::Sequence::stop_first}) {
    core::Policy p = default_policy();
    p.on_disagreement = core::OnDisagreement::host;
    p.sequence = sequence;  // stop-first: NTP has spoken before anything is decided
    MachineSpec spec;
    spec.host_error = 300ms;
    spec.rtc = false;
    Machine r(spec, p);
    r.world.pause(20s);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.run(4s);
    EXPECT_NEAR(static_cast<double>(r.world.error().count()) / 1e6, -300.0, 5.0) << story(r);
  }
}

TEST(Rules, NotEvenForceGoesBeyondTheCeiling) {
  MachineSpec spec = host_only();
  spec.host_error = 100 * 365 * kDay;
  Machine r(spec);
  core::HostNotice n = r.world.notice(NoticeEvent::resync, true);
  n.force = true;
  r.guest.notify(n);
  r.world.run(20s);
  EXPECT_EQ(r.world.steps.size(), 0U) << story(r);
}

TEST(Rules, NotEvenTwoWitnessesGoBeforeTheLastGoodTime) {
  core::Policy p = default_policy();
  Machine r(MachineSpec{}, p);
  r.world.set_server(0, kDead);
  r.world.set_clock(1 * kDay);
  p.floor = r.world.clock.truth() + 3600s;  // as if the history had a record of then
  r.guest.engine().set_policy(p);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(20s);
  EXPECT_EQ(r.world.steps.size(), 0U) << story(r);
}

TEST(Rules, AWholeSecondDoesNotReplaceAnEdge) {
  MachineSpec spec;
  spec.host_error = 40ms;
  Machine r(spec);
  lose_ntp(r);
  r.world.pause(850ms);  // below what the RTC may prove alone: it waits for another witness
  r.world.run(2500ms);
  ASSERT_TRUE(r.guest.engine().busy());
  r.guest.notify(r.world.notice(NoticeEvent::pausing, false));
  r.host_tells(NoticeEvent::resumed, true, 200ms);
  r.world.run(20s);
  EXPECT_LE(r.error(), 15ms) << story(r);
}

TEST(Rules, ADryRunTouchesNothing) {
  Machine r(host_only());
  r.world.pause(20s);
  core::HostNotice n = r.world.notice(NoticeEvent::resync, true);
  n.dry_run = true;
  r.guest.notify(n);
  r.world.run(10s);
  EXPECT_EQ(r.world.steps.size(), 0U) << story(r);
  EXPECT_EQ(r.report().outcome, Outcome::observed);
  EXPECT_TRUE(r.world.services.log.empty());
  EXPECT_TRUE(r.world.rtc.writes.empty());
}

TEST(Rules, AFightIsNotTakenUp) {
  Machine r{MachineSpec{}};
  r.world.pause(20s);
  r.world.run(10s);
  for (int i = 0; i < 30; ++i) {  // somebody who knows better, again and again
    if (r.error() < 1s) r.world.set_clock(-20s);
    r.world.run(10s);
  }
  EXPECT_LE(r.world.steps.size(), 20U) << story(r);
  EXPECT_EQ(r.report().outcome, Outcome::observed);
}

TEST(Rules, ARivalThatWasStartedMeanwhileStays) {
  Machine r{MachineSpec{}};
  auto& chrony = r.world.services.add("chrony.service", false);
  r.world.services.unit("ntpsec.service").conflicts = {"chrony.service"};
  r.world.services.unit("ntpsec.service").stop_takes = 1s;
  r.world.pause(20s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(300ms);
  ASSERT_TRUE(r.guest.engine().busy());
  r.world.services.run(chrony);
  r.world.run(20s);
  EXPECT_TRUE(chrony.state.running()) << story(r);
  EXPECT_FALSE(r.world.daemon_running());
}

TEST(Rules, OneServersWordDoesNotReachTheRtc) {
  MachineSpec spec;
  spec.daemon = DaemonKind::none;
  Machine r(spec, default_policy(), 1, 0s);
  r.world.rtc.error = core::Error{core::ErrorCode::io, "RTC_RD_TIME: EIO"};
  r.world.run(30s);
  r.guest.reports.clear();
  r.world.pause(20s);
  r.host_tells(NoticeEvent::resumed, false);
  r.world.run(20s);
  EXPECT_GE(r.world.steps.size(), 1U) << story(r);
  EXPECT_TRUE(r.world.rtc.writes.empty());
}

TEST(Rules, OurOwnWriteOfTheRtcIsNobodyElses) {
  Machine r{MachineSpec{}};
  r.world.pause(20s);
  r.world.run(60s);
  ASSERT_EQ(r.world.rtc.writes.size(), 1U) << story(r);
  r.world.network.sent.clear();
  for (const auto& note : r.guest.notes) EXPECT_EQ(note.find("written"), std::string::npos) << note;
  EXPECT_EQ(r.guest.reports.size(), 1U) << story(r);
}

TEST(Rules, AStepAtTheEndOfACorrectionIsSeen) {
  Machine r{MachineSpec{}};
  r.world.services.unit("ntpsec.service").start_takes = 2500ms;
  r.world.pause(20s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(2500ms);  // verified; only the daemon's start is awaited
  ASSERT_TRUE(r.guest.engine().busy()) << story(r);
  r.world.set_clock(-5s);
  r.world.run(4s);  // before the daemon's first look
  EXPECT_LE(r.error(), 5ms) << story(r);
  EXPECT_EQ(r.report().discontinuity.cause, core::Cause::foreign_step);
}

// The RTC's baseline is older than our step, and nobody else is there to tell how long the second pause was.
TEST(Rules, AStepOfOursIsNoPartOfTheNextGap) {
  Machine r{MachineSpec{}};
  lose_ntp(r);
  r.world.pause(20s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(1200ms);  // stepped; the proof is awaited
  ASSERT_EQ(r.world.steps.size(), 1U) << story(r);
  ASSERT_TRUE(r.guest.engine().busy()) << story(r);
  r.world.pause(5s);
  r.world.run(30s);
  EXPECT_LE(r.error(), 60ms) << story(r);
  for (const auto& report : r.guest.reports)
    for (const auto& e : report.discontinuity.evidence)
      if (e.reading.witness == core::Witness::rtc && e.gap) {
        EXPECT_GE(e.gap->high.value, 0s) << story(r);
      }
}

TEST(Rules, ASuspendIsNobodysStep) {
  Machine r{MachineSpec{}};
  r.world.suspend(600s);
  r.world.run(20s);
  EXPECT_EQ(r.guest.engine().counters().foreign_steps, 0U) << story(r);
  EXPECT_LE(r.error(), 5ms);
}

TEST(Rules, ClocksOfTaiAreNotFollowedBy37Seconds) {
  for (const char* name : {"vmclock0", "Virtio PTP type 1/variant 0"}) {
    MachineSpec spec;
    spec.clocksource = Clocksource::kvm_clock;
    spec.devices.ptp = name;
    spec.devices.ptp_ahead = 37s;
    Machine r(spec);
    r.world.run(60s);
    EXPECT_EQ(r.world.steps.size(), 0U) << story(r);
    r.world.happens(VmEvent::stop_cont, 20s);
    r.world.run(20s);
    EXPECT_LE(r.error(), 5ms) << name << story(r);
    for (const auto& s : r.world.steps) EXPECT_LE(core::magnitude({s.error_after}), 60ms) << name << story(r);
  }
}

// Nothing to compare it with: whether it shows UTC or TAI cannot be decided, so its value is no reason to move the clock.
TEST(Rules, AnUndecidableTimeScaleMovesNothing) {
  MachineSpec spec = host_only();
  spec.daemon = DaemonKind::none;
  spec.clocksource = Clocksource::kvm_clock;
  spec.devices.ptp = "vmclock0";
  spec.devices.ptp_ahead = 37s;
  Machine r(spec);
  r.world.happens(VmEvent::stop_cont, 20s);
  r.host_tells(NoticeEvent::resumed, false);
  r.world.run(30s);
  for (const auto& s : r.world.steps) EXPECT_LE(core::magnitude({s.error_after}), 1s) << story(r);
}

TEST(Rules, AnAnswerThatWasNotAskedForIsNotTaken) {
  MachineSpec spec;
  spec.rtc = false;
  spec.daemon = DaemonKind::none;
  Machine r(spec);
  fakes::NtpServerScript spoofed;
  spoofed.error = 500s;
  spoofed.tamper = [](fakes::Bytes& reply) { fakes::put_be(reply, 24, 0x1234567812345678U, 8); };
  r.world.network.server(r.world.server_address(0)).bogus = [&r, spoofed](const fakes::Bytes& request) {
    return fakes::ntp_reply(spoofed, request, r.world.clock.truth());
  };
  r.world.pause(20s);
  r.host_tells(NoticeEvent::resumed, false);
  r.world.run(20s);
  EXPECT_LE(r.error(), 5ms) << story(r);
}

}  // namespace
}  // namespace clockmend::sim
