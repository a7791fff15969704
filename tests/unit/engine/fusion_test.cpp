#include "agent/engine/fusion.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine {
namespace {

using namespace std::chrono_literals;
using core::Basis;
using core::Evidence;
using core::OnDisagreement;
using core::Witness;

Evidence says(Witness w, core::nanoseconds offset, core::nanoseconds error, Basis basis = Basis::differential) {
  Evidence e;
  e.reading.witness = w;
  e.reading.offset.value = offset;
  e.basis = basis;
  e.needed = core::interval_around({offset}, error);
  return e;
}
Evidence servers(core::nanoseconds offset, unsigned agreeing, unsigned answered) {
  Evidence e = says(Witness::ntp, offset, 5ms, Basis::absolute);
  e.reading.agreeing = agreeing;
  e.reading.answered = answered;
  return e;
}

struct VoteRow {
  const char* name;
  std::vector<Evidence> evidence;
  OnDisagreement rule;
  std::optional<core::nanoseconds> offset;  // nothing: no estimate
  unsigned witnesses;
  bool conflict;
};

TEST(VoteTest, Table) {
  const auto ntp = OnDisagreement::ntp;
  const auto host = OnDisagreement::host;
  const auto hold = OnDisagreement::hold;
  const VoteRow rows[] = {
      {"nobody", {}, ntp, std::nullopt, 0, false},
      {"one alone", {says(Witness::host, 47s, 50ms)}, ntp, 47s, 1, false},
      {"the tightest of those that agree",
       {says(Witness::rtc, 47550ms, 505ms), says(Witness::host, 47540ms, 50ms)},
       ntp,
       47540ms,
       2,
       false},
      {"two against one", {says(Witness::host, 47s, 50ms), says(Witness::rtc, 47s, 5ms), servers(99s, 1, 1)}, ntp, 47s, 2, true},
      {"a majority of servers against host and RTC",
       {says(Witness::host, 47s, 50ms), says(Witness::rtc, 47s, 5ms), servers(46s, 3, 4)},
       ntp,
       46s,
       1,
       true},
      {"the same where the host is to win",
       {says(Witness::host, 47s, 50ms), says(Witness::rtc, 47s, 5ms), servers(46s, 3, 4)},
       host,
       47s,
       2,
       true},
      {"host against NTP, NTP rules", {says(Witness::host, 47s, 50ms), servers(46700ms, 1, 1)}, ntp, 46700ms, 1, true},
      {"host against NTP, the host rules", {says(Witness::host, 47s, 50ms), servers(46700ms, 1, 1)}, host, 47s, 1, true},
      {"host against NTP, hold", {says(Witness::host, 47s, 50ms), servers(46700ms, 1, 1)}, hold, std::nullopt, 0, true},
      {"hold, but they agree", {says(Witness::host, 47s, 50ms), servers(47010ms, 1, 1)}, hold, 47010ms, 2, false},
      {"hold, two against one is no tie",
       {says(Witness::host, 47s, 50ms), says(Witness::rtc, 47s, 5ms), servers(46s, 1, 1)},
       hold,
       47s,
       2,
       true},
      {"an RTC whose phase moved, against the host", {says(Witness::rtc, 46400ms, 5ms), says(Witness::host, 47s, 50ms)}, ntp, 47s, 1, true},
      {"host and a bare RTC are one source",
       {says(Witness::host, 3600s, 50ms, Basis::absolute), says(Witness::rtc, 3600s, 1005ms, Basis::absolute)},
       ntp,
       3600s,
       1,
       false},
      {"NTP and a bare RTC are two", {servers(3600s, 1, 1), says(Witness::rtc, 3600s, 1005ms, Basis::absolute)}, ntp, 3600s, 2, false},
  };
  for (const VoteRow& row : rows) {
    core::Policy policy;
    policy.on_disagreement = row.rule;
    std::vector<Evidence> evidence = row.evidence;
    const Vote v = vote(evidence, policy, true);
    EXPECT_EQ(v.estimate.has_value(), row.offset.has_value()) << row.name;
    EXPECT_EQ(!v.conflict.empty(), row.conflict) << row.name << ": " << v.conflict;
    if (!v.estimate || !row.offset) continue;
    EXPECT_EQ(v.estimate->offset.value, *row.offset) << row.name;
    EXPECT_EQ(v.estimate->witnesses, row.witnesses) << row.name;
  }
}

TEST(VoteTest, OrderOfEvidenceDoesNotMatter) {
  std::vector<Evidence> evidence = {says(Witness::host, 47s, 50ms), says(Witness::rtc, 47s, 5ms), servers(99s, 1, 1)};
  const auto less = [](const Evidence& a, const Evidence& b) { return a.reading.witness < b.reading.witness; };
  std::sort(evidence.begin(), evidence.end(), less);
  do {
    std::vector<Evidence> copy = evidence;
    const Vote v = vote(copy, core::Policy{}, true);
    ASSERT_TRUE(v.estimate);
    EXPECT_EQ(v.estimate->offset.value, 47s);
    EXPECT_EQ(v.conflict_distance, 99s - 47s - 10ms);
  } while (std::next_permutation(evidence.begin(), evidence.end(), less));
}

TEST(VoteTest, MajorityMeansTwoServersAndMoreThanHalf) {
  for (const auto& [agreeing, answered, majority] :
       {std::tuple{1U, 1U, false}, {2U, 2U, true}, {2U, 3U, true}, {2U, 4U, false}, {3U, 4U, true}}) {
    std::vector<Evidence> evidence = {servers(1s, agreeing, answered)};
    EXPECT_EQ(vote(evidence, core::Policy{}, true).estimate->ntp_majority, majority) << agreeing << "/" << answered;
  }
}

class TestifyTest : public testing::Test {
 protected:
  core::OffsetReading reading(Witness w, core::nanoseconds shift = {}, core::nanoseconds uncertainty = 2ms) {
    core::OffsetReading r;
    r.witness = w;
    r.offset.value = clock.error().value + shift;
    r.uncertainty = uncertainty;
    r.systematic = w == Witness::rtc ? core::nanoseconds{1s} : w == Witness::host ? core::nanoseconds{50ms} : 0ns;
    r.at = clock.snapshot();
    return r;
  }
  Evidence hear(const core::OffsetReading& r, EventContext event = {}) { return testify(r, baselines, event, policy); }

  fakes::FakeClock clock;
  core::Policy policy;
  Baselines baselines;
};

TEST_F(TestifyTest, WithoutABaselineTheSystematicErrorCounts) {
  EXPECT_EQ(hear(reading(Witness::rtc)).needed.half_width(), 1002ms);
  EXPECT_EQ(hear(reading(Witness::host)).needed.half_width(), 52ms);
  EXPECT_EQ(hear(reading(Witness::rtc)).basis, Basis::absolute);
}

TEST_F(TestifyTest, AHostThatIsWrongDragsNobodyAlong) {
  baselines.relearn(reading(Witness::host, 300ms), true);
  clock.pause(20s);
  const Evidence e = hear(reading(Witness::host, 300ms));
  EXPECT_EQ(e.basis, Basis::differential);
  EXPECT_TRUE(e.needed.contains({20s}));
  EXPECT_LE(e.needed.half_width(), 5ms);
}

TEST_F(TestifyTest, HostBaselineNeedsDisciplineAndTheSameHost) {
  baselines.relearn(reading(Witness::host, 300ms), false);
  EXPECT_EQ(hear(reading(Witness::host, 300ms)).basis, Basis::absolute);
  baselines.relearn(reading(Witness::host, 300ms), true);
  EXPECT_EQ(hear(reading(Witness::host, 300ms), {.foreign_step = false, .host_moved = true}).basis, Basis::absolute);
}

TEST_F(TestifyTest, AnOldHostBaselineIsWorthLessThanTheReading) {
  baselines.relearn(reading(Witness::host, 300ms), true);
  clock.advance(3600s);
  EXPECT_EQ(hear(reading(Witness::host)).basis, Basis::absolute) << "0.2 ms/s of drift for an hour is 720 ms";
}

TEST_F(TestifyTest, RtcPhaseIsUncertainAcrossARestore) {
  baselines.relearn(reading(Witness::rtc, -670ms), true);
  clock.pause(20s);
  const Evidence e = hear(reading(Witness::rtc, 100ms), {.foreign_step = false, .host_moved = true});
  EXPECT_TRUE(e.needed.contains({20s}));
  EXPECT_GE(e.needed.half_width(), 1s);
}

TEST_F(TestifyTest, SetClockAndUndisciplinedRtcProveLittle) {
  baselines.relearn(reading(Witness::rtc), false);
  clock.step(700ms);
  EXPECT_GE(hear(reading(Witness::rtc), {.foreign_step = true, .host_moved = false}).needed.half_width(), 1s);
  baselines.relearn(reading(Witness::rtc), true);
  EXPECT_LE(hear(reading(Witness::rtc), {.foreign_step = true, .host_moved = false}).needed.half_width(), 5ms);
}

TEST_F(TestifyTest, AnErrorThatWasLeftIsNotGoneBackTo) {
  clock.pause(2500ms);  // observed only; the baseline was learned with the clock wrong
  baselines.relearn(reading(Witness::rtc, -670ms), false);
  const Evidence e = hear(reading(Witness::rtc, -670ms));
  EXPECT_EQ(e.basis, Basis::absolute);
  EXPECT_TRUE(e.needed.contains({2500ms}));
  EXPECT_FALSE(e.needed.contains({}));
}

TEST_F(TestifyTest, NtpIsAlwaysAbsolute) {
  baselines.relearn(reading(Witness::ntp), true);
  EXPECT_EQ(hear(reading(Witness::ntp)).basis, Basis::absolute);
}

}  // namespace
}  // namespace clockmend::engine
