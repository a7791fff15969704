#include "agent/engine/planner.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine {
namespace {

using namespace std::chrono_literals;
using core::Basis;
using core::Evidence;
using core::Witness;

Evidence says(Witness w, core::nanoseconds offset, core::nanoseconds error, Basis basis = Basis::differential, bool disciplined = true) {
  Evidence e;
  e.reading.witness = w;
  e.reading.offset.value = offset;
  e.basis = basis;
  e.needed = core::interval_around({offset}, error);
  e.disciplined = basis == Basis::differential && disciplined;
  return e;
}
Evidence ntp(core::nanoseconds offset, unsigned agreeing = 1, unsigned answered = 1, core::nanoseconds error = 5ms) {
  Evidence e = says(Witness::ntp, offset, error, Basis::absolute);
  e.reading.agreeing = agreeing;
  e.reading.answered = answered;
  return e;
}
Evidence rtc(core::nanoseconds offset, core::nanoseconds error = 5ms) { return says(Witness::rtc, offset, error); }
Evidence host(core::nanoseconds offset) { return says(Witness::host, offset, 51ms, Basis::absolute); }

const char* name_of(const Decision& d) {
  constexpr const char* kNames[] = {"wait", "nothing", "step", "gradually", "refuse"};
  return kNames[d.index()];
}

struct Row {
  const char* name;
  std::vector<Evidence> evidence;
  const char* now;             // decision while more may come
  const char* at_last;         // and after the deadline
  core::nanoseconds offset{};  // of a step
};

class PlannerTest : public testing::Test {
 protected:
  PlannerTest() { policy.floor = clock.truth() - 365 * 24h; }
  bool attested = true;
  Decision decide_on(std::vector<Evidence> evidence, bool at_last, bool announced = false) {
    PlanContext c;
    c.guard.now = clock.snapshot();
    c.guard.forced = forced;
    c.deadline_passed = at_last;
    c.gap_announced = announced;
    c.attested = attested;
    return decide(evidence, history, c, policy);
  }
  void check(const Row& row) {
    for (const bool at_last : {false, true}) {
      const Decision d = decide_on(row.evidence, at_last);
      EXPECT_STREQ(name_of(d), at_last ? row.at_last : row.now) << row.name << (at_last ? ", at the deadline" : "");
      if (const auto* step = std::get_if<Step>(&d)) {
        EXPECT_EQ(step->estimate.offset.value, row.offset) << row.name;
      }
    }
  }

  fakes::FakeClock clock;
  core::Policy policy;
  StepHistory history;
  bool forced = false;
};

TEST_F(PlannerTest, Thresholds) {
  const Row rows[] = {
      {"right", {ntp(2ms)}, "nothing", "nothing"},
      {"below the record threshold", {ntp(49ms)}, "nothing", "nothing"},
      {"between record and step", {ntp(90ms)}, "nothing", "nothing"},
      {"beyond the step threshold", {ntp(110ms)}, "step", "step", 110ms},
      {"RTC right", {rtc(2ms)}, "nothing", "nothing"},
      {"the RTC's error reaches the threshold", {rtc(98ms)}, "wait", "nothing"},
  };
  for (const Row& row : rows) check(row);
}

TEST_F(PlannerTest, OnlyWhatIsWorthARecordIsRecorded) {
  EXPECT_FALSE(std::get<NothingToDo>(decide_on({ntp(49ms)}, false)).recorded);
  EXPECT_TRUE(std::get<NothingToDo>(decide_on({ntp(51ms)}, false)).recorded);
  EXPECT_TRUE(std::get<NothingToDo>(decide_on({ntp(2ms)}, false, true)).recorded) << "somebody asked: it must be answered";
}

TEST_F(PlannerTest, RtcAlone) {
  const Row rows[] = {
      {"below 1 s: a moved phase would show the same", {rtc(600ms)}, "wait", "refuse"},
      {"with NTP beside it", {rtc(600ms), ntp(605ms)}, "step", "step", 600ms},
      {"above 1 s", {rtc(1100ms)}, "step", "step", 1100ms},
      {"whole seconds only, gap unknown", {rtc(300ms, 505ms)}, "wait", "nothing"},
      {"whole seconds only, a long gap", {rtc(47s, 505ms)}, "wait", "step", 47s},
      {"backward below 1 s", {rtc(-700ms)}, "wait", "refuse"},
      {"backward above 1 s", {rtc(-2s)}, "wait", "refuse"},
      {"more than one source may move alone", {rtc(1001s)}, "wait", "refuse"},
  };
  for (const Row& row : rows) check(row);
}

TEST_F(PlannerTest, CoarseEstimatesWaitAndThenMustCertainlyHelp) {
  const Row rows[] = {
      {"contains zero", {ntp(100ms, 1, 1, 150ms)}, "wait", "nothing"},
      {"wrong, but the step might be as wrong", {ntp(250ms, 1, 1, 150ms)}, "wait", "refuse"},
      {"certainly better off", {ntp(400ms, 1, 1, 150ms)}, "wait", "step", 400ms},
  };
  for (const Row& row : rows) check(row);
  EXPECT_FALSE(std::get<NothingToDo>(decide_on({ntp(100ms, 1, 1, 150ms)}, true)).proved);
  EXPECT_TRUE(std::get<Wait>(decide_on({ntp(400ms, 1, 1, 150ms)}, false)).proved_wrong);
  EXPECT_FALSE(std::get<Wait>(decide_on({ntp(200ms, 1, 1, 150ms)}, false)).proved_wrong);
}

TEST_F(PlannerTest, Backward) {
  const Row rows[] = {
      {"small: never a jump", {ntp(-300ms)}, "gradually", "gradually"},
      {"small: not even for a majority", {ntp(-300ms, 3, 3)}, "gradually", "gradually"},
      {"beyond the slew limit, one server", {ntp(-800ms)}, "wait", "refuse"},
      {"beyond the slew limit, two witnesses", {ntp(-800ms), rtc(-800ms)}, "step", "step", -800ms},
      {"beyond the slew limit, a majority", {ntp(-800ms, 2, 3)}, "step", "step", -800ms},
      {"an hour, one server", {ntp(-3600s)}, "wait", "refuse"},
      {"an hour, two witnesses", {ntp(-3600s), rtc(-3600s)}, "step", "step", -3600s},
  };
  for (const Row& row : rows) check(row);
  forced = true;
  check({"an hour, forced", {ntp(-3600s)}, "step", "step", -3600s});
}

TEST_F(PlannerTest, Contradictions) {
  const Row rows[] = {
      {"one server lies about a pause the RTC saw", {rtc(47s), ntp(500s)}, "wait", "step", 47s},
      {"one server lies about a right clock", {rtc(0s), ntp(500s)}, "wait", "nothing"},
      {"one server against the host", {host(47s), ntp(500s)}, "wait", "step", 47s},
      {"a server within an RTC's phase is believed", {rtc(47s), ntp(46400ms)}, "step", "step", 46400ms},
      {"a majority is believed", {rtc(0s), ntp(500s, 2, 3)}, "step", "step", 500s},
      {"an RTC that never saw the clock right proves nothing",
       {says(Witness::rtc, 0s, 5ms, Basis::differential, false), ntp(500s)},
       "wait",
       "refuse"},
      {"a bare RTC neither", {says(Witness::rtc, 0s, 1005ms, Basis::absolute), ntp(500s)}, "wait", "refuse"},
      {"two local witnesses against one server", {rtc(47s), host(47s), ntp(500s)}, "step", "step", 47s},
  };
  for (const Row& row : rows) check(row);
}

TEST_F(PlannerTest, OutvotedServerIsNotMarkedAsUsed) {
  PlanContext c;
  c.guard.now = clock.snapshot();
  c.deadline_passed = true;
  std::vector<Evidence> evidence = {ntp(500s), rtc(47s)};
  (void)decide(evidence, history, c, policy);
  ASSERT_EQ(evidence.size(), 2U);
  for (const Evidence& e : evidence) EXPECT_EQ(e.used, e.reading.witness == Witness::rtc);
}

TEST_F(PlannerTest, ForcedTakesTheOperatorsWord) {
  forced = true;
  check({"one server, far forward", {ntp(2035372s)}, "step", "step", 2035372s});
  check({"RTC alone, below 1 s", {rtc(600ms)}, "step", "step", 600ms});
}

TEST_F(PlannerTest, NoWitnessAtAll) {
  check({"nobody", {}, "wait", "refuse"});
  PlanContext c;
  c.guard.now = clock.snapshot();
  c.at_least = core::Offset{47s};
  std::vector<Evidence> none;
  EXPECT_TRUE(std::get<Wait>(decide(none, history, c, policy)).proved_wrong) << "the host's stamp alone proves that much";
  c.at_least = core::Offset{20ms};
  EXPECT_FALSE(std::get<Wait>(decide(none, history, c, policy)).proved_wrong);
}

TEST_F(PlannerTest, HoldWaitsAndRefuses) {
  policy.on_disagreement = core::OnDisagreement::hold;
  check({"host against one server", {host(47s), ntp(46700ms)}, "wait", "refuse"});
}

}  // namespace
}  // namespace clockmend::engine
