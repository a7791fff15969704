// Random machines, random histories: what must hold whatever happens. The seed is in a failing test's output;
// CLOCKMEND_SEEDS=first..last (or a count) plays others.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "tests/simulation/dice.hpp"
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

constexpr std::uint64_t kDefaultSeeds = 3000;
constexpr std::uint64_t kShards = 4;  // tests of their own, so that ctest runs them side by side

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

core::Policy random_policy(Dice& dice) {
  core::Policy p = default_policy();
  if (dice.one_in(4)) p.sequence = core::Sequence::stop_first;
  return p;
}

std::size_t honest(const MachineSpec& spec) {
  return static_cast<std::size_t>(
      std::count_if(spec.servers.begin(), spec.servers.end(), [](const Server& x) { return x.kind == Server::Kind::honest; }));
}

bool is_corroborated(const core::Estimate& e) { return e.witnesses >= 2 || e.ntp_majority; }

// Never a step without evidence, or beyond the guards.
void check_steps(Machine& r, const core::Policy& policy) {
  core::Offset reported;
  for (const auto& report : r.guest.reports) {
    reported = reported + report.total;
    if (report.total.value == 0ns) continue;
    ASSERT_TRUE(report.estimate) << "stepped without an estimate";
    EXPECT_TRUE(
        std::any_of(report.discontinuity.evidence.begin(), report.discontinuity.evidence.end(), [](const auto& e) { return e.used; }));
    const core::Estimate& e = *report.estimate;
    if (is_corroborated(e)) continue;
    EXPECT_LE(e.offset.value, policy.max_forward_uncorroborated) << "one source alone, forward";
    EXPECT_GE(e.offset.value, -policy.max_backward_uncorroborated) << "one source alone, backward";
  }
  nanoseconds stepped{};
  for (const auto& s : r.world.steps) stepped += s.amount;
  EXPECT_EQ(reported.value, stepped) << "every step is in a report";
}

// ntpd gives up above 1000 s: that one ran before, too.
bool one_had_died(const Machine& r) {
  for (const auto& report : r.guest.reports)
    for (const auto& action : report.actions)
      if (action.kind == core::ActionKind::stop_daemon && action.detail.find("had died") != std::string::npos) return true;
  return false;
}

// Exactly the daemons that ran before run after: none is started that was not stopped by us, none stays stopped.
void check_daemons(Machine& r, const MachineSpec& spec) {
  std::set<std::string> stopped;
  if (one_had_died(r)) stopped.insert(r.world.daemon.unit());
  for (const std::string& line : r.world.services.log) {
    const std::string unit = line.substr(line.find(' ') + 1);
    if (line.starts_with("stop ")) stopped.insert(unit);
    EXPECT_FALSE(line.starts_with("start ") && !stopped.contains(unit)) << line << ": never stopped by us";
  }
  if (spec.daemon == DaemonKind::none) {
    EXPECT_TRUE(r.world.services.log.empty());
    return;
  }
  const auto& state = r.world.services.unit(r.world.daemon.unit()).state;
  EXPECT_TRUE(state.running() || state.active_state == "failed" || r.admin_stopped) << state.active_state;
  EXPECT_FALSE(state.running() && r.admin_stopped) << "an administrator stopped it, we started it";
}

void check_notices(const Machine& r) {
  for (const auto& [id, times] : r.guest.sent) {
    const auto answers = r.guest.answers.find(id);
    EXPECT_EQ(answers == r.guest.answers.end() ? 0 : answers->second, times) << "answers to " << id;
  }
}

// Bounded work: events a second while something happens, and requests to each server.
void check_work(const Machine& r, nanoseconds played) {
  const auto seconds = static_cast<std::uint64_t>(played / 1s) + 1;
  const auto corrections = static_cast<std::uint64_t>(r.guest.published) + 1;
  // Ticks of 250 ms for each of three probes, the RTC's edges, the world's own tick; an edge search takes 600 reads.
  EXPECT_LE(r.world.scheduler.ran - r.ran_before, seconds * 20 + corrections * 6000) << "calls in " << seconds << " s";
  std::map<std::string, std::vector<core::MonotonicPoint>> asked;
  for (const auto& sent : r.world.network.sent) asked[sent.peer.text].push_back(sent.at.monotonic);
  for (const auto& [server, times] : asked)
    for (std::size_t i = 32; i < times.size(); ++i)
      EXPECT_GE(times[i] - times[i - 32], 59s) << server << ": more than a burst of 16 and 16 a minute";
  EXPECT_LE(r.guest.largest_report(), 100U) << "a report is bounded";
}

// Nothing sleeps for ever: the RTC is watched, NTP is asked again.
void check_awake(Machine& r) {
  const auto reads = r.world.rtc.reads;
  const auto requests = r.world.network.sent.size();
  r.world.run(2500s);
  if (r.world.rtc.there) {
    EXPECT_GT(r.world.rtc.reads, reads + 500) << "the RTC is not watched any more";
  }
  EXPECT_GT(r.world.network.sent.size(), requests) << "NTP is not asked any more";
}

// The last thing done was to leave a small offset to the daemon or the kernel: that takes minutes, and is not over yet.
bool being_worked_off(const Machine& r) {
  const std::string reason = r.guest.reports.empty() ? "" : r.report().reason;
  return reason.find("left to the time daemon") != std::string::npos || reason.find("slewed away") != std::string::npos;
}

void play_random(std::uint64_t seed) {
  Dice dice(seed);
  const MachineSpec spec = random_machine(dice);
  const core::Policy policy = random_policy(dice);
  Machine r(spec, policy, seed);
  const auto began = r.world.clock.snapshot().monotonic;
  const auto events = 1 + dice.upto(5);
  for (int i = 0; i < events; ++i) {
    random_event(r, dice);
    r.world.run(dice.one_in(3) ? dice.within(3s) : dice.within(90s));
  }
  r.world.run(90s);
  SCOPED_TRACE("CLOCKMEND_SEEDS=" + std::to_string(seed) + ".." + std::to_string(seed) + story(r));
  check_steps(r, policy);
  EXPECT_LE(r.guest.engine().counters().foreign_steps, r.world.foreign_steps) << "own steps are never somebody's";
  EXPECT_FALSE(r.guest.engine().busy());
  check_notices(r);
  check_daemons(r, spec);
  check_work(r, r.world.clock.snapshot().monotonic - began);
  check_awake(r);
  // Two idle verifications: without an administrator's own clock, NTP has put everything right by then.
  if ((spec.daemon == DaemonKind::none || r.admin_stopped) && r.world.foreign_steps > 0) return;
  // One source alone may not move a clock far (the guards): then it must say so.
  const bool refused = !r.guest.reports.empty() && r.report().outcome == core::Outcome::refused;
  if (honest(spec) == 1 && (refused || r.guest.engine().state() == core::ClockState::refused)) return;
  if (being_worked_off(r)) return;
  EXPECT_LE(r.error(), best_bound(spec)) << "in the end" << story(r);
}

class Property : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Property, HoldsForRandomMachines) {
  const Seeds s = seeds();
  const auto& result = *testing::UnitTest::GetInstance()->current_test_info()->result();
  std::uint64_t failed = 0;
  for (std::uint64_t seed = s.first; seed <= s.last && failed < 5; ++seed) {
    if (seed % kShards != GetParam()) continue;
    const int before = result.total_part_count();
    play_random(seed);
    failed += result.total_part_count() != before ? 1 : 0;
  }
  RecordProperty("seeds", static_cast<int>((s.last - s.first + 1) / kShards));
}
INSTANTIATE_TEST_SUITE_P(Seeds, Property, testing::Range(std::uint64_t{0}, kShards));

}  // namespace
}  // namespace clockmend::sim
