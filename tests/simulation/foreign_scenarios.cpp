// Others who set the clock: administrators, daemons, hypervisors' agents, the guest's own suspend.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::Outcome;

constexpr core::seconds kDay{86400};

MachineSpec daemonless() {
  MachineSpec m;
  m.daemon = DaemonKind::none;
  return m;
}
MachineSpec servers(std::size_t n) {
  MachineSpec m;
  m.servers.assign(n, {});
  return m;
}
MachineSpec starts_wrong(nanoseconds error) {
  MachineSpec m;
  m.start_error = error;
  return m;
}

const Scenario kScenarios[] = {
    {.name = "date -s, years back",
     .machine = {},
     .script = [](Machine& r) { r.world.set_clock(-1341 * kDay); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 100ms}},
    {.name = "date -s, years ahead",
     .machine = {},
     .script = [](Machine& r) { r.world.set_clock(2000 * kDay); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 100ms}},
    {.name = "years back, three servers",
     .machine = servers(3),
     .script = [](Machine& r) { r.world.set_clock(-1341 * kDay); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "date -s while no daemon runs: meant",
     .machine = daemonless(),
     .script = [](Machine& r) { r.world.set_clock(3600s); },
     .expect = {.error = 3601s, .steps = 0, .outcome = Outcome::observed, .state = ClockState::degraded}},
    {.name = "the hypervisor's agent was faster",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.pause(20s);
           r.world.run(1ms);
           r.world.set_clock(20s);
         },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action}},
    {.name = "the hypervisor's agent was slower: its step is undone",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.pause(20s);
           r.world.run(8s);
           r.world.set_clock(20s);
         },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "guest suspend",
     .machine = {},
     .script = [](Machine& r) { r.world.suspend(600s); },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action}},
    {.name = "wrong from the start, one server: noticed by the first verification",
     .machine = starts_wrong(-700ms),
     .script = [](Machine&) {},
     .expect = {.error = 5ms, .steps = 0, .outcome = {}}},
};

class ForeignScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(ForeignScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, ForeignScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

TEST(DaemonSteps, RightlyAfterItsStart) {
  for (const DaemonKind kind : {DaemonKind::ntpd, DaemonKind::chrony, DaemonKind::timesyncd}) {
    MachineSpec spec;
    spec.daemon = kind;
    spec.start_error = 2500ms;
    // The daemon looks after 6 s, our own verification comes at 10 s: the step is a foreign one, and right.
    Machine r(spec, default_policy(), 1, 5s);
    r.world.run(40s);
    EXPECT_LE(r.error(), 5ms);
    EXPECT_EQ(r.world.steps.size(), 0U) << r.world.daemon.unit();
    EXPECT_EQ(r.world.foreign_steps, 1U);
    ASSERT_FALSE(r.guest.reports.empty());
    EXPECT_EQ(r.report().outcome, Outcome::no_action);
    EXPECT_EQ(r.guest.engine().state(), ClockState::synchronized);
  }
}

TEST(WrongStart, IsFoundByTheFirstVerification) {
  MachineSpec spec = starts_wrong(900ms);
  spec.daemon = DaemonKind::none;
  Machine r(spec, default_policy(), 1, 5s);
  r.world.run(30s);
  EXPECT_LE(r.error(), 5ms);
  ASSERT_FALSE(r.guest.reports.empty());
  EXPECT_EQ(r.report().discontinuity.cause, core::Cause::ntp_offset);
}

}  // namespace
}  // namespace clockmend::sim
