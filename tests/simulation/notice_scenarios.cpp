// What the host says: storms, stale words, wrong clocks, modes.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::NoticeEvent;
using core::Outcome;

MachineSpec host_wrong_by(nanoseconds error) {
  MachineSpec m;
  m.host_error = error;
  return m;
}
MachineSpec without_ntp(MachineSpec m) {
  m.servers = {{Server::Kind::dead, {}}};
  return m;
}
MachineSpec no_witness() {
  MachineSpec m;
  m.servers = {{Server::Kind::dead, {}}};
  m.rtc = false;
  return m;
}
core::Policy with(core::Mode mode) {
  core::Policy p = default_policy();
  p.mode = mode;
  return p;
}
core::Policy with(core::OnDisagreement rule) {
  core::Policy p = default_policy();
  p.on_disagreement = rule;
  return p;
}
void pause_and_tell(Machine& r) {
  r.world.pause(20s);
  r.host_tells(NoticeEvent::resumed, true);
}

const Scenario kScenarios[] = {
    {.name = "host clock 300 ms wrong, NTP right",
     .machine = host_wrong_by(300ms),
     .script = pause_and_tell,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .honest = false}},
    {.name = "host clock 300 ms wrong, no NTP: the RTC restores by the difference",
     .machine = without_ntp(host_wrong_by(300ms)),
     .script = pause_and_tell,
     .expect = {.error = 310ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::degraded, .honest = false}},
    {.name = "host clock an hour wrong, NTP right",
     .machine = host_wrong_by(3600s),
     .script = pause_and_tell,
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "host rules, and is 300 ms wrong",
     .machine = host_wrong_by(300ms),
     .policy = with(core::OnDisagreement::host),
     .script = pause_and_tell,
     .then_run = 4s,
     .expect = {.error = 310ms, .steps = 1, .outcome = Outcome::corrected, .state = ClockState::degraded, .honest = false}},
    {.name = "no witness at all",
     .machine = no_witness(),
     .script =
         [](Machine& r) {
           r.world.pause(20s);
           r.host_tells(NoticeEvent::resumed, false);
         },
     .expect = {.error = 21s, .steps = 0, .outcome = Outcome::refused, .state = ClockState::refused}},
    {.name = "no witness but the host's exchange",
     .machine = no_witness(),
     .script = pause_and_tell,
     .expect = {.error = 5ms, .steps = 1, .outcome = Outcome::corrected, .state = ClockState::degraded, .right_within = 60ms}},
    {.name = "mode observe",
     .machine = {},
     .policy = with(core::Mode::observe),
     .script = pause_and_tell,
     .then_run = 3s,
     .expect = {.error = 21s, .steps = 0, .outcome = Outcome::observed, .state = ClockState::degraded}},
    {.name = "mode off",
     .machine = {},
     .policy = with(core::Mode::off),
     .script = pause_and_tell,
     .then_run = 3s,
     .expect = {.error = 21s, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::degraded}},
    {.name = "mode slew-only leaves it to the daemon",
     .machine = {},
     .policy = with(core::Mode::slew_only),
     .script = pause_and_tell,
     .then_run = 3s,
     .expect = {.error = 21s, .steps = 0, .outcome = Outcome::no_action, .state = ClockState::degraded}},
    {.name = "stale notices, read from the backlog: tripwires only",
     .machine = {},
     .script =
         [](Machine& r) {
           for (int i = 0; i < 5; ++i) {
             core::HostNotice n = r.world.notice(NoticeEvent::resumed, false);
             n.sent.reset();  // the channel takes the stamp away
             r.guest.notify(n);
           }
         },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action}},
    {.name = "pausing, then resumed",
     .machine = host_wrong_by(300ms),
     .script =
         [](Machine& r) {
           r.guest.notify(r.world.notice(NoticeEvent::pausing, true));
           r.world.run(2s);
           r.guest.sent.clear();  // answered by the desk itself
           r.world.pause(20s);
           r.host_tells(NoticeEvent::resumed, true);
         },
     .expect = {.error = 5ms, .steps = 1, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 60ms}},
};

class NoticeScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(NoticeScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, NoticeScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

TEST(NoticeStorm, EachIsAnsweredOnceAndTheClockStaysRight) {
  Machine r{MachineSpec{}};
  r.world.pause(20s);
  for (int i = 0; i < 100; ++i) r.host_tells(NoticeEvent::resumed, i % 2 == 0, std::chrono::milliseconds(20 + 20 * i));
  r.world.run(60s);
  EXPECT_LE(r.error(), 5ms);
  EXPECT_EQ(r.guest.sent.size(), 100U);
  for (const auto& [id, times] : r.guest.sent) EXPECT_EQ(r.guest.answers[id], 1) << id;
  unsigned real = 0;
  for (const auto& s : r.world.steps) real += s.amount > 1s || s.amount < -1s ? 1 : 0;
  EXPECT_EQ(real, 1U) << "one jump for one pause";
  EXPECT_TRUE(r.world.daemon_running());
}

TEST(NoticeStorm, ExchangeMeasuredBeforeTheStepAndToldAfterIt) {
  for (int delay = 0; delay <= 2000; delay += 50) {
    Machine r{MachineSpec{}};
    r.world.pause(20s);
    r.world.run(10ms);
    const core::HostNotice early = r.world.notice(NoticeEvent::resumed, true);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.scheduler.post_after(std::chrono::milliseconds(delay), [&r, early] { r.guest.notify(early); });
    r.world.run(30s);
    EXPECT_LE(r.error(), 5ms) << delay << " ms";
    EXPECT_EQ(r.guest.answers[early.id], 1) << delay << " ms";
  }
}

}  // namespace
}  // namespace clockmend::sim
