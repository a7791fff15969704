// Pauses, announced and not, long and short, one and many.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ClockState;
using core::NoticeEvent;
using core::Outcome;

core::Policy stop_first() {
  core::Policy p = default_policy();
  p.sequence = core::Sequence::stop_first;
  return p;
}

MachineSpec no_ntp() {
  MachineSpec m;
  m.servers = {{Server::Kind::dead, {}}};
  return m;
}

MachineSpec no_rtc() {
  MachineSpec m;
  m.rtc = false;
  return m;
}

const Scenario kScenarios[] = {
    {.name = "notice with exchange, 47.55 s",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.pause(47550ms);
           r.host_tells(NoticeEvent::hot_upgrade, true);
         },
     .expect = {.error = 3ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 60ms}},
    {.name = "notice with a bare stamp",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.pause(47550ms);
           r.host_tells(NoticeEvent::resumed, false);
         },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 100ms}},
    {.name = "no notice",
     .machine = {},
     .script = [](Machine& r) { r.world.pause(47550ms); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 1300ms}},
    {.name = "no notice, NTP firewalled off",
     .machine = no_ntp(),
     .script = [](Machine& r) { r.world.pause(47550ms); },
     .expect = {.error = 10ms, .steps = 1, .outcome = Outcome::corrected, .state = ClockState::degraded, .right_within = 2100ms}},
    {.name = "notice, NTP alone as witness",
     .machine = no_rtc(),
     .script =
         [](Machine& r) {
           r.world.pause(47550ms);
           r.host_tells(NoticeEvent::resumed, false);
         },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 100ms}},
    {.name = "stop-first",
     .machine = {},
     .policy = stop_first(),
     .script =
         [](Machine& r) {
           r.world.pause(47550ms);
           r.host_tells(NoticeEvent::hot_upgrade, true);
         },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected, .state = ClockState::synchronized, .right_within = 1500ms}},
    {.name = "the counter ran on: REALTIME is right at once",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.pause(47550ms, true);
           r.host_tells(NoticeEvent::resumed, true);
         },
     .expect = {.error = 5ms, .steps = 0, .outcome = Outcome::no_action}},
    {.name = "the counter ran on, no notice",
     .machine = {},
     .script = [](Machine& r) { r.world.pause(47550ms, true); },
     .expect = {.error = 5ms, .steps = 0, .outcome = {}}},
    {.name = "23.5 days",
     .machine = {},
     .script = [](Machine& r) { r.world.pause(2035372s); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "migration, the RTC's phase moves",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.move(5500ms, 900ms, "host-b");
           r.host_tells(NoticeEvent::migrated, true);
         },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "restore nobody announced, the RTC's phase moves",
     .machine = {},
     .script = [](Machine& r) { r.world.move(20500ms, 600ms, "host-a"); },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
    {.name = "live migration, 0.3 s",
     .machine = {},
     .script =
         [](Machine& r) {
           r.world.move(300ms, -400ms, "host-b");
           r.host_tells(NoticeEvent::migrated, true);
         },
     .expect = {.error = 5ms, .steps = {}, .outcome = Outcome::corrected}},
};

class PauseScenario : public testing::TestWithParam<std::size_t> {};
TEST_P(PauseScenario, Holds) { play(kScenarios[GetParam()]); }
INSTANTIATE_TEST_SUITE_P(Simulation, PauseScenario, testing::Range(std::size_t{0}, std::size(kScenarios)), named(kScenarios));

struct ShortGap {
  nanoseconds gap;
  bool recorded;
  bool corrected;
};

TEST(ShortGaps, RecordedAndCorrectedBySize) {
  const ShortGap gaps[] = {{30ms, false, false}, {60ms, true, false}, {150ms, true, true}, {200ms, true, true}};
  for (const ShortGap& g : gaps) {
    for (int at = 0; at < 20; ++at) {  // anywhere within the RTC's second
      Machine r{MachineSpec{}};
      r.world.run(nanoseconds(53'210'000) * at);
      r.world.pause(g.gap);
      r.world.run(3s);
      EXPECT_EQ(!r.guest.reports.empty(), g.recorded) << g.gap.count() << " at " << at;
      r.world.run(10s);
      EXPECT_EQ(!r.world.steps.empty(), g.corrected) << g.gap.count() << " at " << at;
      if (g.corrected) {
        EXPECT_LE(r.error(), 5ms) << g.gap.count() << " at " << at;
      }
    }
  }
}

TEST(ManyPauses, TwentyInARow) {
  for (const nanoseconds between : {nanoseconds(700ms), nanoseconds(3s), nanoseconds(30s)}) {
    Machine r{MachineSpec{}};
    for (int i = 0; i < 20; ++i) {
      r.world.pause(1s + i * 137ms);
      r.world.run(between);
    }
    r.world.run(120s);
    EXPECT_LE(r.error(), 5ms) << between.count();
    EXPECT_TRUE(r.world.daemon_running());
    EXPECT_FALSE(r.guest.engine().busy());
    EXPECT_LE(r.guest.engine().counters().foreign_steps, r.world.foreign_steps) << "own steps are not somebody's";
  }
}

TEST(ManyPauses, SecondOneDuringACorrection) {
  for (int ms = 0; ms < 3000; ms += 70) {  // at every stage of the first correction
    Machine r{MachineSpec{}};
    r.world.pause(20s);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.run(std::chrono::milliseconds(ms));
    r.world.pause(7s);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.run(40s);
    EXPECT_LE(r.error(), 5ms) << "second pause after " << ms << " ms";
    EXPECT_TRUE(r.world.daemon_running());
    EXPECT_EQ(r.guest.engine().state(), ClockState::synchronized);
    for (const auto& [id, times] : r.guest.sent) EXPECT_EQ(r.guest.answers[id], times) << id;
  }
}

TEST(ManyPauses, SecondOneDuringACorrectionUnannounced) {
  for (int ms = 0; ms < 4000; ms += 70) {
    Machine r{MachineSpec{}};
    r.world.pause(20s);
    r.world.run(std::chrono::milliseconds(ms));
    r.world.pause(7s);
    r.world.run(40s);
    EXPECT_LE(r.error(), 5ms) << "second pause after " << ms << " ms";
    EXPECT_TRUE(r.world.daemon_running());
  }
}

// The RTC is all that tells of the second one, and at the end the first correction writes it.
TEST(ManyPauses, SecondOneDuringACorrectionThatOnlyTheRtcSees) {
  for (int ms = 0; ms < 9000; ms += 70) {
    Machine r{MachineSpec{}};
    r.world.set_server(0, {Server::Kind::dead, {}});
    r.world.pause(20s);
    r.host_tells(NoticeEvent::resumed, true);
    r.world.run(std::chrono::milliseconds(ms));
    r.world.pause(7s);
    r.world.run(60s);
    EXPECT_LE(r.error(), 60ms) << "second pause after " << ms << " ms" << story(r);
    EXPECT_TRUE(r.world.daemon_running());
  }
}

}  // namespace
}  // namespace clockmend::sim
