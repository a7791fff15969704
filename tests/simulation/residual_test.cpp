// How exactly a PTP clock puts the time right: the error that is left by the first step, over many machines and freezes.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "tests/simulation/dice.hpp"
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

constexpr std::uint64_t kSeeds = 400;

struct Left {
  nanoseconds by_step{};  // |truth - REALTIME| right after the first step
  nanoseconds in_the_end{};
  std::uint64_t seed = 0;
};

// Brackets of at least 30 us, one sample of a hundred disturbed for 1 ms, timers up to 20 ms late.
Left freeze(std::uint64_t seed, bool ntp) {
  Dice dice(seed);
  MachineSpec spec;
  spec.clocksource = Clocksource::kvm_clock;
  spec.devices.ptp = "KVM virtual PTP";
  spec.jitter = 20ms;
  Machine r(spec, default_policy(), seed, 40s);
  r.world.devices.phcs.devices.front()->outliers = 0.01;
  r.world.run(35s + dice.within(30s));  // its baseline is one of those
  if (!ntp) r.world.set_server(0, {Server::Kind::dead, {}});
  const core::MonotonicPoint frozen = r.world.clock.snapshot().monotonic;
  r.world.pause(200ms + dice.within(dice.one_in(4) ? 23 * 24h : 60s));
  r.world.run(30s);
  SCOPED_TRACE("seed " + std::to_string(seed) + story(r));
  EXPECT_FALSE(r.world.steps.empty());
  if (r.world.steps.empty()) return {1h, 1h, seed};
  EXPECT_LE(r.guest.reports.front().discontinuity.detected.monotonic - frozen, 271ms) << "a tick, and a timer's delay";
  return {core::magnitude({r.world.steps.front().error_after}), r.error(), seed};
}

nanoseconds percentile(std::vector<Left>& all, nanoseconds Left::*what, std::size_t percent) {
  std::sort(all.begin(), all.end(), [what](const Left& a, const Left& b) { return a.*what < b.*what; });
  return all[(all.size() - 1) * percent / 100].*what;
}

double us(nanoseconds t) { return static_cast<double>(t.count()) / 1e3; }

void print(const char* machine, const char* when, std::vector<Left>& all, nanoseconds Left::*what) {
  std::printf("| %s | %s | %.1f | %.1f | %.1f | %.1f (seed %llu) |\n", machine, when, us(percentile(all, what, 50)),
              us(percentile(all, what, 95)), us(percentile(all, what, 99)), us(percentile(all, what, 100)),
              static_cast<unsigned long long>(all.back().seed));
}

class Residual : public testing::TestWithParam<bool> {};

TEST_P(Residual, OfAPtpClocksStepIsBelow50Microseconds) {
  std::vector<Left> all;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) all.push_back(freeze(seed, GetParam()));
  const char* machine = GetParam() ? "PTP, RTC, NTP" : "PTP, RTC; NTP gone";
  std::printf("| %llu seeds | error left, us | median | 95 %% | 99 %% | largest |\n", static_cast<unsigned long long>(kSeeds));
  print(machine, "by the first step", all, &Left::by_step);
  EXPECT_LE(all.back().by_step, 50us) << "seed " << all.back().seed;
  print(machine, "in the end", all, &Left::in_the_end);
  EXPECT_LE(percentile(all, &Left::in_the_end, 95), 2ms);
}
INSTANTIATE_TEST_SUITE_P(Simulation, Residual, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& with) { return with.param ? "WithNtp" : "WithoutNtp"; });

}  // namespace
}  // namespace clockmend::sim
