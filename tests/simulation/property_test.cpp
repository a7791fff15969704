// Random machines, random histories: what must hold whatever happens. The seed is in a failing test's output;
// CLOCKMEND_SEEDS=first..last (or a count) plays others.
#include <algorithm>
#include <cstdlib>

#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

constexpr std::uint64_t kDefaultSeeds = 200;

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = kDefaultSeeds;
};

Seeds seeds() {
  const char* text = std::getenv("CLOCKMEND_SEEDS");  // a test's main may ask its environment
  if (text == nullptr) return {};
  char* end = nullptr;
  const std::uint64_t first = std::strtoull(text, &end, 10);
  if (end != nullptr && end[0] == '.' && end[1] == '.') return {first, std::strtoull(end + 2, nullptr, 10)};
  return {1, first};
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed * 7919) {}
  std::int64_t upto(std::int64_t n) { return static_cast<std::int64_t>(random_.next64() % static_cast<std::uint64_t>(n)); }
  bool one_in(std::int64_t n) { return upto(n) == 0; }
  nanoseconds within(nanoseconds limit) { return nanoseconds(upto(limit.count())); }

 private:
  fakes::FakeRandom random_;
};

MachineSpec random_machine(Dice& dice) {
  MachineSpec m;
  m.servers.assign(static_cast<std::size_t>(1 + dice.upto(4)), {});
  if (m.servers.size() >= 3 && dice.one_in(2)) m.servers[0] = {Server::Kind::liar, dice.within(2000s) - 1000s};
  if (m.servers.size() >= 2 && dice.one_in(3)) m.servers.push_back({Server::Kind::dead, {}});
  m.daemon = static_cast<DaemonKind>(dice.upto(4));
  m.rtc = !dice.one_in(6);
  m.rtc_phase = dice.within(2s) - 1s;
  m.host_error = dice.one_in(4) ? dice.within(600ms) - 300ms : dice.within(20ms) - 10ms;
  m.crystal_ppm = m.daemon == DaemonKind::none ? dice.upto(40) - 20 : dice.upto(100) - 50;
  return m;
}

nanoseconds random_gap(Dice& dice) {
  switch (dice.upto(5)) {
    case 0:
      return dice.within(200ms);
    case 1:
      return dice.within(2s);
    case 2:
      return dice.within(60s);
    case 3:
      return dice.within(3600s);
    default:
      return dice.within(nanoseconds(86400s * 30));
  }
}

void random_event(Machine& r, Dice& dice) {
  switch (dice.upto(9)) {
    case 0:
      r.world.pause(random_gap(dice));
      break;
    case 1:
      r.world.pause(random_gap(dice));
      r.host_tells(core::NoticeEvent::resumed, dice.one_in(2), dice.within(2s));
      break;
    case 2:
      r.world.pause(random_gap(dice), true);
      break;
    case 3:
      r.world.move(random_gap(dice), dice.within(2s) - 1s, dice.one_in(2) ? "host-b" : "host-c");
      if (!dice.one_in(3)) r.host_tells(core::NoticeEvent::migrated, true, dice.within(500ms));
      break;
    case 4:
      r.world.set_clock(dice.one_in(2) ? random_gap(dice) : -random_gap(dice));
      break;
    case 5:
      r.world.hwclock_write();
      break;
    case 6:
      r.host_tells(core::NoticeEvent::resumed, dice.one_in(2), 1ms);
      break;
    case 7:
      r.world.suspend(random_gap(dice));
      break;
    default:
      r.guest.notify(r.world.notice(core::NoticeEvent::pausing, true));
      break;
  }
}

core::Policy random_policy(Dice& dice) {
  core::Policy p = default_policy();
  if (dice.one_in(4)) p.sequence = core::Sequence::stop_first;
  return p;
}

void check_invariants(Machine& r, const MachineSpec& spec) {
  core::Offset reported;
  unsigned used_by_steps = 0;
  for (const auto& report : r.guest.reports) {
    reported = reported + report.total;
    for (const auto& e : report.discontinuity.evidence) used_by_steps += report.total.value != 0ns && e.used ? 1 : 0;
    if (report.total.value != 0ns) {
      EXPECT_TRUE(report.estimate) << "stepped without evidence";
    }
  }
  nanoseconds stepped{};
  for (const auto& s : r.world.steps) stepped += s.amount;
  EXPECT_EQ(reported.value, stepped) << "every step is in a report";
  EXPECT_TRUE(r.world.steps.empty() || used_by_steps > 0);
  EXPECT_LE(r.guest.engine().counters().foreign_steps, r.world.foreign_steps) << "own steps are never somebody's";
  EXPECT_FALSE(r.guest.engine().busy());
  for (const auto& [id, times] : r.guest.sent) EXPECT_LE(r.guest.answers[id], 1) << id;
  EXPECT_LE(r.guest.largest_report(), 100U) << "a report is bounded";
  if (spec.daemon != DaemonKind::none && !r.guest.reports.empty()) {
    EXPECT_TRUE(r.world.daemon_running() || r.world.services.unit(r.world.daemon.unit()).state.active_state == "failed");
  }
}

void play_random(std::uint64_t seed) {
  Dice dice(seed);
  const MachineSpec spec = random_machine(dice);
  Machine r(spec, random_policy(dice), seed);
  const auto events = 1 + dice.upto(5);
  for (int i = 0; i < events; ++i) {
    random_event(r, dice);
    r.world.run(dice.one_in(3) ? dice.within(3s) : dice.within(90s));
  }
  r.world.run(90s);
  SCOPED_TRACE("CLOCKMEND_SEEDS=" + std::to_string(seed) + ".." + std::to_string(seed) + story(r));
  check_invariants(r, spec);
  // Two idle verifications: without an administrator's own clock, NTP has put everything right by then.
  const bool left_alone = spec.daemon == DaemonKind::none && r.world.foreign_steps > 0;
  if (left_alone) return;
  r.world.run(2500s);
  // One source alone may not move a clock far (the guards): then it must say so.
  const auto honest =
      std::count_if(spec.servers.begin(), spec.servers.end(), [](const Server& x) { return x.kind == Server::Kind::honest; });
  if (honest == 1 && r.guest.engine().state() == core::ClockState::refused) return;
  EXPECT_LE(r.error(), 160ms) << "story" << story(r);
}

TEST(Property, HoldsForRandomMachines) {
  const Seeds s = seeds();
  for (std::uint64_t seed = s.first; seed <= s.last; ++seed) play_random(seed);
}

}  // namespace
}  // namespace clockmend::sim
