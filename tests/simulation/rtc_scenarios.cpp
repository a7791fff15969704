// The RTC as the only watch: writes by others, moved phases, drift, absence.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::Outcome;

MachineSpec phase(nanoseconds p) {
  MachineSpec m;
  m.rtc_phase = p;
  return m;
}
MachineSpec without_ntp(MachineSpec m = {}) {
  m.servers = {{Server::Kind::dead, {}}};
  return m;
}
MachineSpec far_servers() {
  MachineSpec m;
  m.servers = {{Server::Kind::slow, {}}};
  return m;
}

const Scenario kScenarios[] = {
    {.name = "hwclock -w",
     .machine = {},
     .script = [](Machine& r) { r.world.hwclock_write(); },
     .expect = {.error = 5ms, .steps = 0, .outcome = {}}},
    {.name = "hwclock -w, no NTP",
     .machine = without_ntp(),
     .script = [](Machine& r) { r.world.hwclock_write(); },
     .expect = {.error = 5ms, .steps = 0, .outcome = {}, .state = ClockState::degraded}},
    {.name = "phase moves back",
     .machine = {},
     .script = [](Machine& r) { r.world.rtc.shift(-400ms); },
     .expect = {.error = 5ms, .steps = 0, .outcome = {}}},
    {.name = "phase moves ahead without a gap: NTP says that nothing happened",
     .machine = {},
     .script = [](Machine& r) { r.world.rtc.shift(400ms); },
     .expect = {.error = 5ms, .steps = 0, .outcome = {}}},
    {.name = "phase moves ahead without a gap, no NTP: a suspicion, no step",
     .machine = without_ntp(),
     .script = [](Machine& r) { r.world.rtc.shift(400ms); },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::refused, .state = ClockState::refused}},
    {.name = "somebody sets the RTC 500 s ahead: one server's word suffices to leave the clock",
     .machine = {},
     .script = [](Machine& r) { r.world.rtc.shift(500s); },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "somebody sets the RTC 2 s ahead",
     .machine = {},
     .script = [](Machine& r) { r.world.rtc.shift(2s); },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "somebody sets the RTC 2 s ahead, far servers",
     .machine = far_servers(),
     .script = [](Machine& r) { r.world.rtc.shift(2s); },
     .expect = {.error = 20ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "somebody sets the RTC 2 s ahead while our own limit forbids to ask NTP",
     .machine = {},
     .script =
         [](Machine& r) {
           for (int i = 0; i < 40; ++i) {
             r.guest.notify(r.world.notice(core::NoticeEvent::resync, false));
             r.world.run(300ms);
           }
           r.world.rtc.shift(2s);
         },
     .then_run = 60s,
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "somebody sets the RTC an hour back",
     .machine = {},
     .script = [](Machine& r) { r.world.rtc.shift(-3600s); },
     .expect = {.error = 5ms, .steps = 0, .outcome = {}}},
    {.name = "pause, RTC aligned with the host",
     .machine = phase(0ms),
     .script = [](Machine& r) { r.world.pause(20s); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "pause, RTC ahead",
     .machine = phase(990ms),
     .script = [](Machine& r) { r.world.pause(20s); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "pause while the RTC is being read wrong",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.rtc.error = core::Error{core::ErrorCode::io, "RTC_RD_TIME: EIO"};
           r.world.pause(20s);
           r.world.run(5s);
           r.world.rtc.error.reset();
         },
     .then_run = 60s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
};

class RtcScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(RtcScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, RtcScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

TEST(LeftAlone, TwentyFiveMinutesWithEachDaemon) {
  for (const DaemonKind kind : {DaemonKind::none, DaemonKind::ntpd, DaemonKind::chrony, DaemonKind::timesyncd}) {
    for (const long drift : {-40L, 0L, 40L}) {
      MachineSpec spec;
      spec.daemon = kind;
      spec.crystal_ppm = kind == DaemonKind::none ? 0 : 20;
      Machine r{spec};
      r.world.rtc.drift_ppm = drift;
      r.world.run(25 * 60s);
      EXPECT_EQ(r.guest.reports.size(), 0U) << r.world.daemon.unit() << " " << drift;
      EXPECT_EQ(r.world.steps.size(), 0U);
      EXPECT_EQ(r.guest.engine().state(), ClockState::synchronized);
      EXPECT_EQ(r.world.eleven_minute_writes, kind == DaemonKind::none ? 0U : 2U);
    }
  }
}

TEST(ElevenMinuteMode, APauseAfterTheKernelsWriteIsStillSeen) {
  for (int after = 0; after < 3000; after += 150) {
    Machine r{MachineSpec{}};
    r.world.run(598s);  // 60 s of settling, the write comes at 659 s
    while (r.world.eleven_minute_writes == 0) r.world.run(10ms);
    r.world.run(std::chrono::milliseconds(after));
    r.world.pause(20s);
    r.world.run(20s);
    EXPECT_LE(r.error(), 5ms) << after << " ms after the write";
  }
}

}  // namespace
}  // namespace clockmend::sim
