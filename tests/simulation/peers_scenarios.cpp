// What users of other programs ask for and complain of, one test for each request that concerns behaviour. The sources are
// their public issue trackers, named where a test comes from one.
#include <algorithm>

#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::NoticeEvent;
using core::Outcome;

const Server kDead{Server::Kind::dead, {}};

MachineSpec with(DaemonKind kind, std::size_t servers = 1) {
  MachineSpec m;
  m.daemon = kind;
  m.servers.assign(servers, {});
  return m;
}
MachineSpec with_ptp() {
  MachineSpec m;
  m.clocksource = Clocksource::kvm_clock;
  m.devices.ptp = "KVM virtual PTP";
  return m;
}

// 1: minutes until right (podman#27736, crc-org/crc#5024, qubes-issues#1795): wanted are seconds.
TEST(Peers, Row1SecondsNotMinutes) {
  for (const DaemonKind kind : {DaemonKind::ntpd, DaemonKind::chrony, DaemonKind::timesyncd}) {
    Machine r(with(kind));
    r.world.pause(480s);
    r.world.run(2s);
    EXPECT_LE(r.error(), 10ms) << r.world.daemon.unit() << story(r);
  }
}

// 2: works the first time only (kubevirt#19089).
TEST(Peers, Row2TheTenthPauseLikeTheFirst) {
  Machine r{MachineSpec{}};
  for (int i = 1; i <= 10; ++i) {
    r.world.pause(60s);
    r.host_tells(NoticeEvent::resumed, i % 2 == 0);
    r.world.run(15s);
    EXPECT_LE(r.error(), 5ms) << i << story(r);
    EXPECT_EQ(r.guest.answers.size(), static_cast<std::size_t>(i));
  }
}

// 3: tokens stay invalid after a backward fix (kubernetes#124022): never back by a jump where a daemon can work it off.
TEST(Peers, Row3ALittleAheadIsNotJumpedBack) {
  Machine r(with(DaemonKind::chrony, 3));
  r.world.set_clock(300ms);
  r.world.run(60s);
  for (const auto& s : r.world.steps) EXPECT_GT(s.amount, 0ns) << "a jump back" << story(r);
}

// The second look five seconds later must not restart the daemon again, before its first measurement.
TEST(Peers, Row3ALittleAheadIsWorkedOffByTheDaemon) {
  Machine r(with(DaemonKind::chrony, 3));
  r.world.set_clock(300ms);
  r.world.run(60s);
  const auto& log = r.world.services.log;
  EXPECT_LE(std::count(log.begin(), log.end(), "stop chrony.service"), 2) << story(r);
  EXPECT_LE(r.error(), 10ms) << story(r);
}

// 4: certificates "not yet valid": 75 h and 5 days stale (forkd#288, multipass#982).
TEST(Peers, Row4DaysBehind) {
  for (const nanoseconds gap : {nanoseconds(75 * 3600s), nanoseconds(5 * 86400s)}) {
    Machine r{MachineSpec{}};
    r.world.pause(gap);
    r.world.run(5s);
    EXPECT_LE(r.error(), 10ms) << story(r);
  }
}

// 5: right before the workload runs (E2B#988, cockroach#23717).
TEST(Peers, Row5RightAtOnce) {
  Machine told{MachineSpec{}};
  told.world.pause(20s);
  told.host_tells(NoticeEvent::resumed, true, 1ms);
  told.world.run(5ms);
  EXPECT_LE(told.error(), 5ms) << "in the moment of the notice";
  Machine seen(with_ptp());
  seen.world.happens(VmEvent::stop_cont, 20s);
  seen.world.run(300ms);
  EXPECT_LE(seen.error(), 1ms) << "at the PTP clock's next reading" << story(seen);
}

// 6: the migration waits for the clock (cockroachdb/docs#10399): who waits for the answer finds the clock right.
TEST(Peers, Row6AnsweredWhenItIsRight) {
  Machine r{MachineSpec{}};
  r.guest.announce_pause(r.world.notice(NoticeEvent::pausing, true));
  r.world.run(3s);
  r.world.happens(VmEvent::migrate, 5s, "host-b");
  r.host_tells(NoticeEvent::migrated, true);
  for (int i = 0; i < 1000 && r.guest.answers.empty(); ++i) r.world.run(10ms);
  EXPECT_FALSE(r.guest.answers.empty());
  EXPECT_LE(r.error(), 5ms) << story(r);
}

// 7, 21: one switch that really means off (open-vm-tools#302, #277, boxlite#788).
TEST(Peers, Row7OffIsOff) {
  core::Policy p = default_policy();
  p.mode = core::Mode::off;
  Machine r(MachineSpec{}, p);
  r.world.services.log.clear();
  r.world.pause(500s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(250s);  // the daemon's own business begins after 300 s
  EXPECT_TRUE(r.world.steps.empty() && r.world.slews.empty());
  EXPECT_TRUE(r.world.services.log.empty());
  EXPECT_TRUE(r.world.rtc.writes.empty());
}

// 8: the host is wrong and drags a guest that NTP had right (open-vm-tools#302, deis#3300).
TEST(Peers, Row8AWrongHostDragsNobody) {
  for (const nanoseconds wrong : {nanoseconds(300ms), nanoseconds(90s), nanoseconds(-3600s)}) {
    MachineSpec spec = with(DaemonKind::ntpd, 3);
    spec.host_error = wrong;
    spec.clocksource = Clocksource::kvm_clock;
    spec.devices.ptp = "KVM virtual PTP";
    Machine r(spec);
    r.world.run(600s);
    EXPECT_TRUE(r.world.steps.empty()) << "nothing happened" << story(r);
    r.world.happens(VmEvent::stop_cont, 20s);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.run(20s);
    EXPECT_LE(r.error(), 5ms) << wrong.count() << story(r);
  }
}

// 9: set back by an hour, because the RTC runs in local time (compute-image-packages#554).
TEST(Peers, Row9AnRtcInLocalTimeMovesNobodyByHours) {
  for (const nanoseconds zone : {nanoseconds(3600s), nanoseconds(-5 * 3600s), nanoseconds(19800s)}) {
    MachineSpec spec;
    spec.rtc_phase = zone;
    Machine r(spec);
    EXPECT_LE(r.error(), 10ms);
    r.world.pause(20s);
    r.world.run(20s);
    EXPECT_LE(r.error(), 5ms) << story(r);
    for (const auto& s : r.world.steps) EXPECT_LE(core::magnitude({s.amount}), 25s) << "hours" << story(r);
  }
}

// 11: ntpd gives up above 1000 s (coreos-overlay#721): it must run afterwards.
TEST(Peers, Row11NtpdLives) {
  Machine r(with(DaemonKind::ntpd));
  r.world.pause(5000s);
  r.world.run(400s);
  EXPECT_TRUE(r.world.daemon_running()) << story(r);
  EXPECT_LE(r.error(), 10ms);
}

// 12: /dev/ptp0 is the network card's (fedora-coreos-config#1355): chosen by clock_name, never by number.
TEST(Peers, Row12TheNetworkCardsClockIsNotTheHosts) {
  MachineSpec spec = with_ptp();
  Machine r(spec);
  auto& card = r.world.devices.phcs.add("/dev/ptp9", "igb");
  card.ahead = 500s;
  r.world.devices.phcs.devices.front()->unplug();  // the host's goes and comes under another number
  r.world.run(60s);
  r.world.devices.phcs.devices.front()->plug("/dev/ptp12");
  r.world.run(120s);
  EXPECT_TRUE(r.world.steps.empty()) << story(r);
  EXPECT_EQ(card.opens, 0U);
}

// 13: no RTC, or one that cannot be read (multipass#3394): NTP and the host do without.
TEST(Peers, Row13WithoutAnRtc) {
  MachineSpec spec;
  spec.rtc = false;
  Machine r(spec);
  r.world.pause(60s);
  r.host_tells(NoticeEvent::resumed, false);
  r.world.run(5s);
  EXPECT_LE(r.error(), 10ms) << story(r);
}

// 14: no CAP_SYS_TIME (smolvm#301): said precisely.
TEST(Peers, Row14NotPermittedIsSaid) {
  Machine r{MachineSpec{}};
  r.world.step_error = core::Error{core::ErrorCode::not_permitted, "clock_adjtime: Operation not permitted"};
  r.world.pause(60s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(30s);
  ASSERT_FALSE(r.guest.reports.empty());
  EXPECT_NE(r.guest.reports.front().reason.find("not permitted"), std::string::npos) << story(r);
}

// Not every second look may try it again: the time daemon is stopped and started for it each time.
TEST(Peers, Row14NotPermittedIsNotTriedForEver) {
  Machine r{MachineSpec{}};
  r.world.step_error = core::Error{core::ErrorCode::not_permitted, "clock_adjtime: Operation not permitted"};
  r.world.pause(60s);
  r.host_tells(NoticeEvent::resumed, true);
  r.world.run(120s);
  const auto& log = r.world.services.log;
  EXPECT_LE(std::count(log.begin(), log.end(), "stop ntpsec.service"), 2) << story(r);
  EXPECT_TRUE(r.world.daemon_running());
}

// 15, 16: no agent's channel, and UDP 123 blocked (multipass#2430, rancher/dashboard#18351: less than 1 s is asked for).
TEST(Peers, Row16WithoutNetworkAndChannel) {
  Machine r{MachineSpec{}};
  r.world.set_server(0, kDead);
  r.world.pause(900s);  // beyond 1000 s one witness alone is refused
  r.world.run(10s);
  EXPECT_LE(r.error(), 15ms) << story(r);
}

// 17: chrony refuses the truth at 54,409 s (clearlinux#39), and slews a backup's 3 s too slowly (opnsense/plugins#4461).
TEST(Peers, Row17ChronyIsHelpedNearAndFar) {
  for (const nanoseconds gap : {nanoseconds(54'409s), nanoseconds(3s)}) {
    Machine r(with(DaemonKind::chrony));
    r.world.pause(gap);
    r.world.run(5s);
    EXPECT_LE(r.error(), 10ms) << story(r);
    r.world.run(300s);
    EXPECT_LE(r.error(), 10ms) << story(r);
  }
}

// 18: no jump in the middle of work (robottelo#7764, balena#1295): slew-only is kept to, whatever is seen.
TEST(Peers, Row18SlewOnlyNeverJumps) {
  core::Policy p = default_policy();
  p.mode = core::Mode::slew_only;
  MachineSpec spec = with(DaemonKind::none, 3);
  Machine r(spec, p);
  for (const nanoseconds by : {nanoseconds(-2s), nanoseconds(3s)}) {
    r.world.set_clock(by);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.run(60s);
    r.world.pause(10s);
    r.world.run(60s);
  }
  EXPECT_TRUE(r.world.steps.empty()) << story(r);
}

// 19: a source that failed was used all the same (qubes-issues#443).
TEST(Peers, Row19AFailedSourceMovesNothing) {
  for (const Server::Kind kind : {Server::Kind::dead, Server::Kind::kod, Server::Kind::unsynchronized}) {
    MachineSpec spec;
    spec.rtc = false;
    spec.servers = {{kind, {}}, {kind, {}}};
    Machine r(spec);
    r.world.pause(60s);
    r.host_tells(NoticeEvent::resumed, false);
    r.world.run(30s);
    EXPECT_TRUE(r.world.steps.empty()) << story(r);
    EXPECT_EQ(r.guest.engine().state(), ClockState::refused);
  }
}

// 20: it must not keep the machine awake (microsandbox#833), nor hold up a restore (arcbox#568).
TEST(Peers, Row20QuietWhenNothingHappens) {
  MachineSpec spec = with_ptp();
  spec.devices.vmclock = spec.devices.tsc = true;
  Machine r(spec);
  r.world.run(120s);
  const auto ran = r.world.scheduler.ran;
  const auto sent = r.world.network.sent.size();
  r.world.run(3600s);
  // The world's own tick is one of them; probes that wake together are counted one by one.
  EXPECT_LE(r.world.scheduler.ran - ran, 3600U * 15);
  EXPECT_LE(r.world.network.sent.size() - sent, 10U) << "NTP requests in an hour";
}

// 22: the daemon is dead for weeks and nobody notices (kata-containers#4167): it is started again, and told.
TEST(Peers, Row22ADaemonThatDiesAfterItsStartIsStartedAgain) {
  Machine r{MachineSpec{}};
  r.world.services.unit("ntpsec.service").dies_after = 100ms;
  r.world.pause(20s);
  r.world.run(4s);
  r.world.services.unit("ntpsec.service").dies_after.reset();
  r.world.run(700s);
  EXPECT_TRUE(r.world.daemon_running()) << story(r);
  EXPECT_TRUE(std::any_of(r.guest.notes.begin(), r.guest.notes.end(), [](const auto& n) { return n.find("ntpsec") != std::string::npos; }));
}

// 23: look now and then, not on migration only (guest-agent#100).
TEST(Peers, Row23ADriftingClockIsFoundWithoutAnyEvent) {
  MachineSpec spec = with(DaemonKind::none, 3);
  spec.crystal_ppm = 80;
  Machine r(spec);
  nanoseconds worst{};
  for (int hour = 0; hour < 6; ++hour) {
    r.world.run(3600s);
    worst = std::max(worst, r.error());
  }
  EXPECT_LE(worst, 250ms) << story(r);
}

}  // namespace
}  // namespace clockmend::sim
