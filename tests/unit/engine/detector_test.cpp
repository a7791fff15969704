#include "agent/engine/detector.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine {
namespace {

using namespace std::chrono_literals;
using core::OffsetReading;
using core::Witness;

class JudgeRtcTest : public testing::Test {
 protected:
  OffsetReading rtc(core::nanoseconds uncertainty = 2ms) {
    OffsetReading r;
    r.witness = Witness::rtc;
    r.offset.value = clock.error().value + phase;
    r.uncertainty = uncertainty;
    r.at = clock.snapshot();
    return r;
  }
  Judgement judge(const OffsetReading& r) { return judge_rtc(r, baselines, policy); }

  fakes::FakeClock clock;
  core::nanoseconds phase{250ms};
  core::Policy policy;
  Baselines baselines;
};

TEST_F(JudgeRtcTest, FirstReadingIsLearned) {
  const Judgement j = judge(rtc());
  EXPECT_FALSE(j.detection);
  EXPECT_EQ(j.learn, Learn::keep);
}

TEST_F(JudgeRtcTest, StepsAndSlewsAreNotItsBusiness) {
  baselines.relearn(rtc(), true);
  clock.step(100s);
  clock.drift_ppm = 83'000;
  clock.advance(10s);
  EXPECT_FALSE(judge(rtc()).detection);
}

struct GapRow {
  core::nanoseconds gap;
  core::nanoseconds uncertainty;
  bool detected;
  Learn learn;
};

TEST_F(JudgeRtcTest, GapsBySizeAndExactness) {
  const GapRow rows[] = {
      {3ms, 2ms, false, Learn::keep},      {30ms, 2ms, false, Learn::replace}, {60ms, 2ms, true, Learn::keep},
      {47550ms, 2ms, true, Learn::keep},   {300ms, 505ms, false, Learn::keep}, {600ms, 505ms, true, Learn::keep},
      {47550ms, 505ms, true, Learn::keep},
  };
  for (const GapRow& row : rows) {
    baselines.relearn(rtc(), true);
    clock.pause(row.gap);
    const Judgement j = judge(rtc(row.uncertainty));
    EXPECT_EQ(j.detection.has_value(), row.detected) << row.gap.count() << " ns +- " << row.uncertainty.count();
    if (!row.detected) {
      EXPECT_EQ(j.learn, row.learn) << row.gap.count() << " ns";
    }
  }
}

TEST_F(JudgeRtcTest, RtcThatWentBackIsAWriteAndAsksNtp) {
  baselines.relearn(rtc(), true);
  phase -= 400ms;
  const Judgement j = judge(rtc());
  EXPECT_FALSE(j.detection);
  EXPECT_TRUE(j.ask_ntp);
  EXPECT_EQ(j.learn, Learn::replace);
  EXPECT_NE(j.note.find("400 ms"), std::string::npos) << j.note;
}

TEST(JudgeNtpTest, OnlyWhatIsCertainlyBeyondTheThreshold) {
  core::Policy policy;
  struct Row {
    core::nanoseconds offset;
    core::nanoseconds uncertainty;
    bool detected;
  };
  const Row rows[] = {{99ms, 1ms, false}, {102ms, 1ms, true}, {-102ms, 1ms, true}, {150ms, 60ms, false}, {-500s, 60ms, true}};
  for (const Row& row : rows) {
    OffsetReading r;
    r.offset.value = row.offset;
    r.uncertainty = row.uncertainty;
    EXPECT_EQ(judge_ntp(r, policy).detection.has_value(), row.detected) << row.offset.count();
  }
}

TEST(InWordsTest, SignIsInTheWords) {
  EXPECT_EQ(in_words({47'550ms}), "clock behind by 47.550 s");
  EXPECT_EQ(in_words({-1'050ms}), "clock ahead by 1.050 s");
}

}  // namespace
}  // namespace clockmend::engine
