// NTP servers of every kind, with and without somebody to contradict them.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::Outcome;

using Kind = Server::Kind;
const Server kHonest{};
const Server kDead{Kind::dead, {}};
const Server kSlow{Kind::slow, {}};
const Server kKod{Kind::kod, {}};
Server liar(nanoseconds by) { return {Kind::liar, by}; }

MachineSpec served_by(std::vector<Server> servers) {
  MachineSpec m;
  m.servers = std::move(servers);
  return m;
}
MachineSpec without_rtc(MachineSpec m) {
  m.rtc = false;
  return m;
}
void pause(Machine& r) { r.world.pause(47550ms); }
void pause_and_tell(Machine& r) {
  r.world.pause(47550ms);
  r.host_tells(core::NoticeEvent::resumed, false);
}
void nothing(Machine&) {}

const Expect kRight{.error = 5ms, .steps = {}, .outcome = Outcome::corrected};
const Expect kRightUnverified{.error = 12ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::degraded};

const Scenario kScenarios[] = {
    {.name = "1 liar of 3", .machine = served_by({kHonest, liar(500s), kHonest}), .script = pause, .expect = kRight},
    {.name = "1 liar of 4", .machine = served_by({liar(-30s), kHonest, kHonest, kHonest}), .script = pause, .expect = kRight},
    {.name = "1 liar of 4, no RTC",
     .machine = without_rtc(served_by({liar(-30s), kHonest, kHonest, kHonest})),
     .script = pause_and_tell,
     .expect = kRight},
    {.name = "1 liar of 2: nobody can tell, the RTC restores",
     .machine = served_by({kHonest, liar(500s)}),
     .script = pause,
     .expect = kRightUnverified},
    {.name = "4 honest and 3 dead",
     .machine = served_by({kDead, kHonest, kHonest, kDead, kHonest, kHonest, kDead}),
     .script = pause,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 1300ms}},
    {.name = "only slow ones",
     .machine = served_by({kSlow, kSlow}),
     .script = pause,
     .expect = {.error = 15ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "KoD from one", .machine = served_by({kKod, kHonest}), .script = pause, .expect = kRight},
    {.name = "KoD from all", .machine = served_by({kKod, kKod}), .script = pause, .expect = kRightUnverified},
    {.name = "a liar alone, nothing happened",
     .machine = served_by({liar(500s)}),
     .script = nothing,
     .then_run = 1200s,
     .expect = {.error = 10s, .steps = 0, .outcome = Outcome::refused, .state = ClockState::refused}},
};

class ServerScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(ServerScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, ServerScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

TEST(LiarAlone, NeverMovesAClockThatTheRtcKnows) {
  for (const nanoseconds lie : {nanoseconds(500s), nanoseconds(-500s), nanoseconds(5000s), nanoseconds(3s)}) {
    Machine r(served_by({kHonest}));
    r.world.set_server(0, liar(lie));
    r.world.pause(20s);
    r.world.run(30s);
    EXPECT_LE(r.error(), 15ms) << lie.count();
    r.world.run(1200s);
    EXPECT_LE(r.error(), 150ms) << lie.count();
    EXPECT_LE(r.world.steps.size(), 1U) << story(r);
  }
}

TEST(LiarAlone, GrindingIsStoppedByTheAccumulationGuard) {
  // Within an RTC's phase each lie is believed; together they may not exceed the window's sum.
  MachineSpec spec = without_rtc(served_by({liar(900s)}));
  spec.daemon = DaemonKind::none;
  Machine r(spec, default_policy(), 1, 5s);
  for (int i = 0; i < 10; ++i) {
    r.world.set_server(0, liar(900s * (i + 1)));
    r.host_tells(core::NoticeEvent::resumed, false);
    r.world.run(30s);
  }
  nanoseconds moved{};
  for (const auto& s : r.world.steps) moved += s.amount;
  EXPECT_LE(moved, 1000s);
  EXPECT_GE(r.guest.engine().counters().refusals, 8U);
}

}  // namespace
}  // namespace clockmend::sim
