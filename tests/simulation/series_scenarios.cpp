// Pauses in a row, each while the correction of the one before runs: what was measured before a pause must not be mixed with what
// was measured after it. No step of ours may leave the clock farther off than it found it.
#include <gtest/gtest.h>

#include "tests/simulation/dice.hpp"

namespace clockmend::sim {
namespace {

enum class Told { always, sometimes, never };

const char* name(Told told) { return told == Told::always ? "Told" : told == Told::sometimes ? "SometimesTold" : "NobodyTells"; }

class Series : public testing::TestWithParam<Told> {};
INSTANTIATE_TEST_SUITE_P(Simulation, Series, testing::Values(Told::always, Told::sometimes, Told::never),
                         [](const auto& p) { return name(p.param); });

TEST_P(Series, OfPausesCloserThanCorrections) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Dice dice(seed);
    Machine r(MachineSpec{}, default_policy(), seed);
    for (int pause = 0; pause < 20; ++pause) {
      r.world.pause(60ms + dice.within(dice.one_in(2) ? 2s : 300ms));
      const bool told = GetParam() == Told::always || (GetParam() == Told::sometimes && dice.one_in(2));
      if (told) r.host_tells(core::NoticeEvent::resumed, true);
      r.world.run(200ms + dice.within(5s));
    }
    r.world.run(120s);
    SCOPED_TRACE("seed " + std::to_string(seed) + story(r));
    EXPECT_LE(r.error(), core::Policy{}.step_threshold) << "less is the time daemon's";
    EXPECT_TRUE(r.world.daemon_running());
    for (const auto& s : r.world.steps) EXPECT_LE(core::magnitude({s.error_after}), core::magnitude({s.error_before}) + 20ms);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace clockmend::sim
