#include <gtest/gtest.h>

#include "agent/engine/planner.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine {
namespace {

using namespace std::chrono_literals;
using core::Evidence;
using core::OnDisagreement;
using core::Witness;

struct Row {
  const char* name;
  core::nanoseconds ntp;
  core::nanoseconds error;
  unsigned agreeing;
  std::optional<core::nanoseconds> local;  // what the local witness still calls for, +-5 ms
  Witness who;
  OnDisagreement rule;
  bool trim;
  bool hold;
};

TEST(DecideTrimTest, Table) {
  const auto ntp = OnDisagreement::ntp;
  const Row rows[] = {
      {"within the threshold", 900us, 100us, 1, 0s, Witness::rtc, ntp, false, false},
      {"within the error", 8ms, 10ms, 1, 0s, Witness::rtc, ntp, false, false},
      {"beyond both", 12ms, 2ms, 1, 10ms, Witness::rtc, ntp, true, false},
      {"a host that is 300 ms wrong", -300ms, 2ms, 1, 0s, Witness::host, ntp, true, false},
      {"the same, the host rules", -300ms, 2ms, 1, 0s, Witness::host, OnDisagreement::host, false, true},
      {"the RTC is not the host", -300ms, 2ms, 1, 0s, Witness::rtc, OnDisagreement::host, true, false},
      {"the same, hold", -300ms, 2ms, 1, 0s, Witness::rtc, OnDisagreement::hold, false, true},
      {"one server, far off", 500s, 2ms, 1, 0s, Witness::rtc, ntp, false, true},
      {"a majority, far off", 500s, 2ms, 3, 0s, Witness::rtc, ntp, true, false},
      {"no local witness", 500s, 2ms, 1, std::nullopt, Witness::rtc, ntp, true, false},
      {"no local witness, too far", 5000s, 2ms, 1, std::nullopt, Witness::rtc, ntp, false, true},
      {"backward by one server alone", -800ms, 2ms, 1, std::nullopt, Witness::rtc, ntp, false, true},
      {"backward, the RTC agrees", -800ms, 2ms, 1, -800ms, Witness::rtc, ntp, true, false},
  };
  fakes::FakeClock clock;
  for (const Row& row : rows) {
    core::Policy policy;
    policy.on_disagreement = row.rule;
    core::OffsetReading r;
    r.offset.value = row.ntp;
    r.uncertainty = row.error;
    r.agreeing = row.agreeing;
    r.answered = row.agreeing;
    std::vector<Evidence> local;
    if (row.local) {
      local.emplace_back();
      local.back().reading.witness = row.who;
      local.back().needed = core::interval_around({*row.local}, 5ms);
    }
    const TrimDecision d = decide_trim(r, local, {}, {clock.snapshot(), false, {}}, policy);
    EXPECT_EQ(d.trim.has_value(), row.trim) << row.name;
    EXPECT_EQ(!d.hold.empty(), row.hold) << row.name << ": " << d.hold;
    if (d.trim) {
      EXPECT_EQ(d.trim->offset.value, row.ntp) << row.name;
    }
  }
}

TEST(DecideTrimTest, PartOfOurOwnForwardStepMayBeTakenBack) {
  fakes::FakeClock clock;
  core::OffsetReading r;
  r.offset.value = -900ms;
  r.uncertainty = 2ms;
  EXPECT_TRUE(decide_trim(r, {}, {}, {clock.snapshot(), false, 47s}, core::Policy{}).trim);
  EXPECT_FALSE(decide_trim(r, {}, {}, {clock.snapshot(), false, {}}, core::Policy{}).trim);
}

}  // namespace
}  // namespace clockmend::engine
