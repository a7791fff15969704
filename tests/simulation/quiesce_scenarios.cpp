// daemon.quiesce: the time daemon is down while the VM is frozen, and runs again afterwards, whoever has to see to it.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::NoticeEvent;
using core::Outcome;

void announced(Machine& r) {
  r.guest.quiesce();
  r.guest.announce_pause(r.world.notice(NoticeEvent::pausing, true));
  r.world.run(3s);
  EXPECT_FALSE(r.world.daemon_running()) << "down before the pause";
  EXPECT_TRUE(r.world.dead_man.waiting()) << "armed";
}

MachineSpec with(DaemonKind daemon) {
  MachineSpec m;
  m.daemon = daemon;
  return m;
}

MachineSpec on_tsc() {
  MachineSpec m;
  m.clocksource = Clocksource::tsc;
  return m;
}

const Expect kCorrected{.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized};

const Scenario kScenarios[] = {
    {.name = "the host tells of both ends",
     .machine = {},
     .script =
         [](Machine& r) {
           announced(r);
           r.world.pause(40s);
           r.host_tells(NoticeEvent::hot_upgrade, true);
         },
     .expect = kCorrected},
    {.name = "a daemon that is only told otherwise",
     .machine = with(DaemonKind::chrony),
     .script =
         [](Machine& r) {
           announced(r);
           r.world.pause(40s);
           r.host_tells(NoticeEvent::resumed, true);
         },
     .expect = kCorrected},
    {.name = "the RTC finds the end",
     .machine = {},
     .script =
         [](Machine& r) {
           announced(r);
           r.world.pause(40s);
         },
     .expect = kCorrected},
    {.name = "frozen before the daemon was down",
     .machine = {},
     .script =
         [](Machine& r) {
           r.guest.quiesce();
           r.guest.announce_pause(r.world.notice(NoticeEvent::pausing, true));
           r.world.run(100ms);
           r.world.pause(40s);
           r.host_tells(NoticeEvent::resumed, true);
         },
     .then_run = 70s,
     .expect = {.error = 5ms, .steps = 1, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "frozen while the daemon was being stopped",
     .machine = {},
     .script =
         [](Machine& r) {
           r.guest.quiesce();
           r.world.services.unit(r.world.daemon.unit()).stop_takes = 2s;
           r.guest.announce_pause(r.world.notice(NoticeEvent::pausing, true));
           r.world.run(2s);
           r.world.pause(40s);
           r.host_tells(NoticeEvent::resumed, true);
         },
     .then_run = 70s,
     .expect = kCorrected},
    {.name = "the hypervisor had repaired the clock",
     .machine = on_tsc(),
     .script =
         [](Machine& r) {
           announced(r);
           r.world.pause(40s, true);
           r.host_tells(NoticeEvent::resumed, true);
         },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "no pause came",
     .machine = {},
     .script = announced,
     .then_run = 70s,
     .expect = {.error = 5ms, .steps = 0, .outcome = {}, .state = ClockState::synchronized}},
    {.name = "announced twice, then a pause",
     .machine = {},
     .script =
         [](Machine& r) {
           announced(r);
           r.world.run(40s);
           r.guest.announce_pause(r.world.notice(NoticeEvent::pausing, true));
           r.world.run(30s);
           EXPECT_FALSE(r.world.daemon_running()) << "the minute began anew";
           r.world.pause(40s);
           r.host_tells(NoticeEvent::migrated, true);
         },
     .expect = kCorrected},
    {.name = "mode observe touches no daemon",
     .machine = {},
     .policy =
         [] {
           core::Policy p = default_policy();
           p.mode = core::Mode::observe;
           return p;
         }(),
     .script =
         [](Machine& r) {
           r.guest.quiesce();
           r.guest.announce_pause(r.world.notice(NoticeEvent::pausing, true));
           r.world.run(3s);
           EXPECT_TRUE(r.world.daemon_running());
         },
     .expect = {.error = 5ms, .steps = 0, .outcome = {}, .state = ClockState::synchronized}},
};

class QuiesceScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(QuiesceScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, QuiesceScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

// The agent is gone, and nothing but systemd's timer is left.
TEST(DeadMan, BringsTheDaemonBackWhenTheAgentIsGone) {
  const MachineSpec spec;
  World world(spec, 1);
  auto guest = std::make_unique<Guest>(world, default_policy(), spec.servers.size());
  world.run(60s);
  guest->quiesce();
  guest->announce_pause(world.notice(NoticeEvent::pausing, true));
  world.run(3s);
  ASSERT_FALSE(world.daemon_running());
  guest.reset();
  (void)world.start([] {});
  world.pause(1h);

  core::Policy policy = default_policy();
  app::JournalFile journal{world.files, world, world.clock, "/run/clockmend/journal", "boot-1"};
  correctors::ClockStepper stepper{world, world.clock};
  correctors::TimeDaemons daemons{world.services, world.scheduler, {}};
  correctors::RtcWriter rtc{world.rtc, world.clock, world.scheduler};
  app::Executor executor{{stepper, daemons, rtc, true}, journal, world.scheduler, policy, {}};
  world.dead_man.fires = [&] { executor.recover([](const engine::DaemonOutcome&) {}); };
  world.run(60s);
  EXPECT_FALSE(world.daemon_running()) << "an hour was frozen, it does not count";
  world.run(20s);
  EXPECT_TRUE(world.daemon_running());
}

}  // namespace
}  // namespace clockmend::sim
