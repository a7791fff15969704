// The three small probes: clocks, host, clocksource.
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "probes/clock_divergence.hpp"
#include "probes/clocksource.hpp"
#include "probes/host_notice.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::probes {
namespace {

using namespace std::chrono_literals;

class FakeWatch final : public core::ClockSetWatch {
 public:
  core::Status start(std::function<void()> on_set) override {
    call = std::move(on_set);
    return result;
  }
  std::function<void()> call;
  core::Status result = core::success();
};

TEST(ClockDivergence, EveryClockSetHandsOverTheClocks) {
  fakes::FakeClock clock;
  FakeWatch watch;
  ClockDivergenceProbe probe(watch, clock);
  std::vector<core::ClockSnapshot> seen;
  probe.start([&](const core::Observation& o) { seen.push_back(std::get<core::ClocksCompared>(o).at); });
  EXPECT_TRUE(seen.empty());
  const auto before = core::realtime_minus_monotonic(clock.snapshot());
  clock.step(-5s);
  watch.call();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(core::realtime_minus_monotonic(seen[0]) - before, -5s);
  clock.suspend(1h);
  watch.call();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(core::boottime_minus_monotonic(seen[1]) - core::boottime_minus_monotonic(seen[0]), 1h);
  probe.measure_now();
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(probe.health().state, core::ProbeState::running);
}

TEST(ClockDivergence, WithoutTheWatchItIsDegradedButStillAnswers) {
  fakes::FakeClock clock;
  FakeWatch watch;
  watch.result = core::Error{core::ErrorCode::unsupported, "timerfd_create: no"};
  ClockDivergenceProbe probe(watch, clock);
  int seen = 0;
  probe.start([&](const core::Observation&) { ++seen; });
  EXPECT_EQ(probe.health().state, core::ProbeState::degraded);
  EXPECT_NE(probe.health().why.find("timerfd_create: no"), std::string::npos);
  probe.measure_now();
  EXPECT_EQ(seen, 1);
}

TEST(HostNotice, PassesOnWhatTheChannelChecked) {
  HostNoticeProbe probe;
  std::vector<std::string> ids;
  core::HostNotice notice;
  notice.id = "n1";
  probe.deliver(notice);  // before start: nobody listens
  probe.start([&](const core::Observation& o) { ids.push_back(std::get<core::HostNotice>(o).id); });
  EXPECT_EQ(probe.health().state, core::ProbeState::starting);
  probe.set_channel_state(core::ProbeState::running, "connected");
  notice.exchange = core::OffsetReading{};
  notice.exchange->witness = core::Witness::host;
  probe.deliver(notice);
  probe.measure_now();
  EXPECT_EQ(ids, std::vector<std::string>{"n1"});
  EXPECT_EQ(probe.health().why, "connected");
  EXPECT_TRUE(probe.health().last.has_value());
}

TEST(Clocksource, SaysWhatIsHidden) {
  fakes::FakeClock clock;
  clock.source = "kvm-clock";
  ClocksourceProbe probe(clock);
  int seen = 0;
  probe.start([&](const core::Observation&) { ++seen; });
  EXPECT_EQ(probe.health().why.find("kvm-clock: stands still"), 0U);
  clock.source = "tsc";
  probe.measure_now();
  EXPECT_EQ(probe.health().why.find("tsc: may run on"), 0U);
  clock.source = "unknown";
  probe.measure_now();
  EXPECT_EQ(probe.health().state, core::ProbeState::degraded);
  EXPECT_EQ(seen, 0);
}

}  // namespace
}  // namespace clockmend::probes
