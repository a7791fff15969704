// Around a leap second: who has applied it already and who has not differ by one second, and nobody is wrong.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::NoticeEvent;
using core::Outcome;

constexpr core::RealtimePoint kMidnight{core::seconds{1735689600}};  // 2025-01-01
constexpr nanoseconds kInserted{-1s};

/// Begins two minutes before midnight; a Machine settles for one of them.
MachineSpec new_year(DaemonKind daemon = DaemonKind::none) {
  MachineSpec m;
  m.start = kMidnight - 120s;
  m.daemon = daemon;
  m.servers = {{}, {}, {}};
  return m;
}

void servers_announce(Machine& r, int leap = 1) {
  for (std::size_t i = 0; i < 3; ++i) r.world.network.server(r.world.server_address(i)).leap = leap;
}
void until(Machine& r, core::RealtimePoint truth) { r.world.run(truth - r.world.clock.truth()); }
/// Somebody asks, so NTP is measured now.
void asked(Machine& r) { r.host_tells(NoticeEvent::resumed, false); }

const Scenario kScenarios[] = {
    {.name = "everybody applies it",
     .machine = new_year(DaemonKind::ntpd),
     .script =
         [](Machine& r) {
           servers_announce(r);
           r.world.clock.status.leap_pending = true;
           until(r, kMidnight);
           r.world.leap_second(kInserted, true, true);
           r.world.run(2s);
           asked(r);
         },
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "the kernel applies it, the servers half a minute later",
     .machine = new_year(),
     .script =
         [](Machine& r) {
           servers_announce(r);
           r.world.clock.status.leap_pending = true;
           until(r, kMidnight);
           r.world.leap_second(kInserted, false, true);
           r.world.run(2s);
           asked(r);
           r.world.run(28s);
           EXPECT_TRUE(r.world.steps.empty()) << "undone";
           r.world.leap_second(kInserted, true, false);
         },
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "the servers are early",
     .machine = new_year(),
     .script =
         [](Machine& r) {
           servers_announce(r);
           r.world.clock.status.leap_pending = true;
           until(r, kMidnight - 20s);
           r.world.leap_second(kInserted, true, false);
           asked(r);
           r.world.run(20s);
           EXPECT_TRUE(r.world.steps.empty()) << "a second too many";
           r.world.leap_second(kInserted, false, true);
         },
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::synchronized}},
    {.name = "nobody told the kernel: corrected a minute later",
     .machine = new_year(),
     .script =
         [](Machine& r) {
           servers_announce(r);
           asked(r);
           until(r, kMidnight);
           r.world.leap_second(kInserted, true, false);
           servers_announce(r, 0);
           asked(r);
           r.world.run(50s);
           EXPECT_TRUE(r.world.steps.empty()) << "too early to tell";
         },
     .then_run = 60s,
     .expect = {.error = 5ms, .steps = 1, .outcome = Outcome::corrected, .state = ClockState::synchronized}},
    {.name = "a pause across it is made up for at once",
     .machine = new_year(DaemonKind::ntpd),
     .script =
         [](Machine& r) {
           servers_announce(r);
           r.world.clock.status.leap_pending = true;
           until(r, kMidnight - 10s);
           r.world.pause(40s);
           r.world.leap_second(kInserted, true, false);
           r.host_tells(NoticeEvent::resumed, true);
         },
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 60ms}},
    {.name = "a pause across it, and servers that are late",
     .machine = new_year(),
     .script =
         [](Machine& r) {
           const auto servers = [&r](const Server& kind) {
             for (std::size_t i = 0; i < 3; ++i) r.world.set_server(i, kind);
             servers_announce(r);
           };
           servers_announce(r);
           r.world.clock.status.leap_pending = true;
           until(r, kMidnight - 10s);
           r.world.pause(20s);
           r.world.leap_second(kInserted, true, false);
           servers({Server::Kind::liar, 1s});
           r.host_tells(NoticeEvent::resumed, true);
           r.world.run(20s);
           servers({});
         },
     .then_run = 300s,
     .expect = {.error = 5ms, .steps = 1, .outcome = Outcome::no_action, .state = ClockState::synchronized, .right_within = 60ms}},
    {.name = "a second lost at midnight without an announcement",
     .machine = new_year(),
     .script =
         [](Machine& r) {
           until(r, kMidnight - 10s);
           r.world.pause(1s);
           asked(r);
         },
     .expect = {.error = 5ms, .steps = 1, .outcome = Outcome::corrected, .state = ClockState::synchronized}},
};

class LeapScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(LeapScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, LeapScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

}  // namespace
}  // namespace clockmend::sim
