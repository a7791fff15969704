// What chrony's simulated tests ask of a time daemon, asked of this agent; each names its model (chrony test/simulation).
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::NoticeEvent;
using core::Outcome;

MachineSpec served(std::size_t honest, std::size_t liars) {
  MachineSpec m;
  m.servers.assign(honest, {});
  for (std::size_t i = 0; i < liars; ++i) m.servers.push_back({Server::Kind::liar, 40s + 60s * static_cast<std::int64_t>(i)});
  return m;
}

// 005-externalstep: somebody sets the clock, again and again, by every size.
TEST(Chrony, ExternalSteps005) {
  for (const std::size_t servers : {std::size_t{1}, std::size_t{4}}) {
    MachineSpec spec = served(servers, 0);
    spec.daemon = DaemonKind::chrony;
    Machine r(spec);
    for (const nanoseconds by :
         {nanoseconds(1s), nanoseconds(-1s), nanoseconds(10s), nanoseconds(-100s), nanoseconds(100'000s), nanoseconds(-600ms)}) {
      r.world.set_clock(by);
      r.world.run(700s);  // the window after which nobody takes it for a fight
      EXPECT_LE(r.error(), 10ms) << by.count() << " with " << servers << " servers" << story(r);
    }
  }
}

// 008-ntpera: before, across and after the end of NTP's first era, 2036-02-07 06:28:16 UTC.
TEST(Chrony, NtpEra008) {
  constexpr core::seconds kRollover{2'085'978'496};
  for (const core::seconds start : {kRollover - 300s, kRollover - 75s, kRollover - 60s, kRollover + 10s, kRollover + 86400s * 1000}) {
    MachineSpec spec = served(3, 0);
    spec.start = core::RealtimePoint{start};
    Machine r(spec);
    r.world.pause(47550ms);
    r.host_tells(NoticeEvent::resumed, false);
    r.world.run(60s);
    EXPECT_LE(r.error(), 5ms) << start.count() << story(r);
    EXPECT_EQ(r.guest.engine().state(), core::ClockState::synchronized);
  }
}

// 009-sourceselection: a majority decides, anything less moves nothing.
TEST(Chrony, SourceSelection009) {
  for (std::size_t honest = 0; honest <= 4; ++honest) {
    for (std::size_t liars = 0; honest + liars <= 6; ++liars) {
      if (honest + liars == 0 || liars == 1) continue;  // a liar alone is believed within the guards: servers_scenarios
      MachineSpec spec = served(honest, liars);
      spec.rtc = false;
      spec.daemon = DaemonKind::none;
      Machine r(spec);
      const bool majority = honest > liars;
      const nanoseconds before = r.world.error();
      r.world.pause(20s);
      r.host_tells(NoticeEvent::resumed, false);
      r.world.run(30s);
      SCOPED_TRACE(std::to_string(honest) + " honest, " + std::to_string(liars) + " liars" + story(r));
      if (majority) {
        EXPECT_LE(r.error(), 5ms);
      } else {
        EXPECT_EQ(r.world.error(), before + 20s) << "moved without a majority";
      }
    }
  }
}

// 109-makestep: below the threshold nothing jumps, above it one step does.
TEST(Chrony, MakeStep109) {
  for (const nanoseconds off : {nanoseconds(40ms), nanoseconds(90ms), nanoseconds(115ms), nanoseconds(700ms), nanoseconds(30s)}) {
    MachineSpec spec = served(3, 0);
    Machine r(spec);
    r.world.pause(off);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.run(20s);
    EXPECT_EQ(!r.world.steps.empty(), off > default_policy().step_threshold) << off.count() << story(r);
  }
}

// 131-maxchange: what one source alone may do to the clock.
TEST(Chrony, MaxChange131) {
  for (const nanoseconds gap : {nanoseconds(900s), nanoseconds(990s), nanoseconds(1010s), nanoseconds(5000s)}) {
    MachineSpec spec = served(1, 0);
    spec.rtc = false;
    spec.daemon = DaemonKind::none;
    Machine r(spec);
    r.world.pause(gap);
    r.host_tells(NoticeEvent::resumed, false);
    r.world.run(30s);
    const bool allowed = gap <= default_policy().max_forward_uncorroborated;
    EXPECT_EQ(r.error() <= 5ms, allowed) << gap.count() << story(r);
    EXPECT_EQ(r.report().outcome, allowed ? Outcome::corrected : Outcome::refused);
  }
}

// 125-packetloss: every second packet is lost.
TEST(Chrony, PacketLoss125) {
  unsigned right = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    MachineSpec spec;
    spec.rtc = false;
    spec.servers.assign(4, {Server::Kind::lossy, {}});
    Machine r(spec, default_policy(), seed);
    r.world.pause(20s);
    r.host_tells(NoticeEvent::resumed, false);
    r.world.run(20s);
    right += r.error() <= 10ms ? 1 : 0;
    r.world.run(1400s);
    EXPECT_LE(r.error(), 10ms) << "seed " << seed << story(r);
  }
  EXPECT_GE(right, 36U) << "of 40 within 20 s";
}

// 145-rtc: an RTC that drifts is learned, written when a correction was proved, and right afterwards.
TEST(Chrony, Rtc145) {
  for (const long drift : {-60L, 0L, 60L}) {
    MachineSpec spec = served(3, 0);
    spec.rtc_phase = 430ms;
    Machine r(spec);
    r.world.rtc.drift_ppm = drift;
    r.world.run(900s);
    EXPECT_TRUE(r.world.steps.empty()) << "drift is no pause" << story(r);
    r.world.pause(300s);
    r.world.run(20s);
    EXPECT_LE(r.error(), 5ms) << drift << story(r);
    EXPECT_LE(core::magnitude({r.world.rtc.offset()}), 100ms) << "the RTC" << story(r);
    r.world.set_server(0, {Server::Kind::dead, {}});
    r.world.set_server(1, {Server::Kind::dead, {}});
    r.world.set_server(2, {Server::Kind::dead, {}});
    r.world.run(300s);
    r.world.pause(100s);
    r.world.run(20s);
    EXPECT_LE(r.error(), 20ms) << "by the RTC alone, drifting by " << drift << story(r);
  }
}

// 006-largejitter: paths of 40 ms jitter make neither steps nor trims of their own.
TEST(Chrony, LargeJitter006) {
  MachineSpec spec = served(3, 0);
  spec.jitter = 40ms;
  Machine r(spec);
  r.world.run(4 * 3600s);
  EXPECT_TRUE(r.world.steps.empty()) << story(r);
  r.world.pause(20s);
  r.world.run(30s);
  EXPECT_LE(r.error(), 60ms) << story(r);
}

// 110-chronyc's smoothing aside, servers that smear a leap second are not mixed with those that do not.
TEST(Chrony, SmearingServersAreOutvoted) {
  MachineSpec spec = served(3, 0);
  spec.servers.push_back({Server::Kind::smearing, 400ms});
  Machine r(spec);
  r.world.pause(20s);
  r.world.run(20s);
  EXPECT_LE(r.error(), 5ms) << story(r);
}

}  // namespace
}  // namespace clockmend::sim
