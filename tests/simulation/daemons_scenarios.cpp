// Time daemons that will not stop, will not start, die, slew, or are not there.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::Outcome;

MachineSpec with(DaemonKind kind) {
  MachineSpec m;
  m.daemon = kind;
  return m;
}
void pause(Machine& r) { r.world.pause(47550ms); }

const Scenario kScenarios[] = {
    {.name = "ntpd",
     .machine = with(DaemonKind::ntpd),
     .script = pause,
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "chrony",
     .machine = with(DaemonKind::chrony),
     .script = pause,
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "timesyncd",
     .machine = with(DaemonKind::timesyncd),
     .script = pause,
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "none",
     .machine = with(DaemonKind::none),
     .script = pause,
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "will not stop in time",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.services.unit("ntpsec.service").stop_takes = 60s;
           r.world.pause(47550ms);
         },
     .then_run = 60s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 1300ms}},
    {.name = "systemd cannot be asked",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.services.bus_error = core::Error{core::ErrorCode::unavailable, "no bus"};
           r.world.pause(47550ms);
         },
     .then_run = 30s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 1300ms}},
    {.name = "ntpd gives up above its panic threshold before it is asked",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.services.rest(r.world.services.unit("ntpsec.service"), "failed", "exit-code");
           r.world.set_clock(-5000s);
         },
     .then_run = 60s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "chronyd cannot be told",
     .machine = with(DaemonKind::chrony),
     .script =
         [](Machine& r) {
           r.guest.decide_daemons(core::DaemonAction::nudge);
           r.world.commands.result = core::CommandResult{1, "506 Cannot talk to daemon"};
           r.world.pause(47550ms);
         },
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "chronyc hangs",
     .machine = with(DaemonKind::chrony),
     .script =
         [](Machine& r) {
           r.guest.decide_daemons(core::DaemonAction::nudge);
           r.world.commands.takes = 60s;
           r.world.pause(47550ms);
         },
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "the kernel refuses the step",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.step_error = core::Error{core::ErrorCode::not_permitted, "clock_adjtime: Operation not permitted"};
           r.world.pause(47550ms);
         },
     .then_run = 4s,
     .expect = {.error = 48s, .steps = 0, .outcome = Outcome::failed, .state = ClockState::degraded}},
};

class DaemonScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(DaemonScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, DaemonScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

TEST(DaemonFaults, WillNotStartIsToldAndTriedAgain) {
  Machine r{MachineSpec{}};
  auto& unit = r.world.services.unit("ntpsec.service");
  unit.start_error = core::Error{core::ErrorCode::io, "exec failed"};
  r.world.pause(20s);
  r.world.run(20s);
  ASSERT_FALSE(r.guest.reports.empty());
  EXPECT_EQ(r.report().outcome, Outcome::corrected);
  EXPECT_FALSE(r.report().actions.back().ok);
  EXPECT_EQ(r.report().actions.back().kind, core::ActionKind::start_daemon);
  EXPECT_LE(r.error(), 5ms);
  unit.start_error.reset();
  r.world.run(600s);
  EXPECT_TRUE(r.world.daemon_running()) << "tried again until it runs";
}

// A daemon that can be told runs on through a correction, and is no worse for it; pause after pause.
TEST(DaemonsTold, KeepTheirRun) {
  for (const DaemonKind kind : {DaemonKind::chrony, DaemonKind::timesyncd}) {
    Machine r(with(kind));
    r.guest.decide_daemons(core::DaemonAction::nudge);
    const std::string unit = TimeDaemonModel(kind).unit();
    const std::string run = r.world.services.unit(unit).state.invocation_id;
    for (int i = 0; i < 5; ++i) {
      r.world.pause(30s);
      r.world.run(120s);
      EXPECT_LE(r.error(), 5ms) << unit;
    }
    EXPECT_EQ(r.world.services.unit(unit).state.invocation_id, run) << unit;
    EXPECT_TRUE(r.world.services.log.empty()) << unit << ": neither stopped nor started";
    EXPECT_EQ(r.world.commands.log.size(), kind == DaemonKind::chrony ? 5U : 0U);
  }
}

// A slew that chronyd began on the wrong clock must not go on for minutes on the right one.
TEST(DaemonsTold, AWrongSlewEndsWithTheCorrection) {
  core::Policy p = default_policy();
  p.on_foreign_step = core::OnForeignStep::ignore;
  Machine r(with(DaemonKind::chrony), p);
  r.guest.decide_daemons(core::DaemonAction::nudge);
  r.world.set_clock(20s);  // chronyd's alone to work off
  r.world.run(64s + 10s);
  ASSERT_NE(r.world.clock.slew_ppm, 0) << "slewing now";
  r.world.pause(30s);
  r.world.run(60s);
  EXPECT_LE(r.error(), 5ms);
}

TEST(ChronySlewing, AtItsFastestIsNoPause) {
  Machine r(with(DaemonKind::chrony));
  r.world.set_clock(90ms);  // below the step threshold: chrony's business, at 83 ms/s
  r.world.run(200s);
  EXPECT_EQ(r.world.steps.size(), 0U);
  EXPECT_LE(r.error(), 5ms);
  for (const auto& report : r.guest.reports) EXPECT_EQ(report.outcome, Outcome::no_action);
}

TEST(ChronySlewing, FromFarAwayIsNotDisturbedByTheRtc) {
  core::Policy p = default_policy();
  p.on_foreign_step = core::OnForeignStep::ignore;  // let chrony work it off
  MachineSpec spec = with(DaemonKind::chrony);
  Machine r(spec, p);
  r.world.set_clock(20s);
  r.world.run(64s + 10s);
  EXPECT_NE(r.world.clock.slew_ppm, 0) << "slewing now";
  const auto reports = r.guest.reports.size();
  r.world.run(120s);
  EXPECT_EQ(r.guest.reports.size(), reports) << "83 ms/s of slew is no pause";
}

}  // namespace
}  // namespace clockmend::sim
