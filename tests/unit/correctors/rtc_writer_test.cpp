#include "correctors/rtc_writer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <random>
#include <vector>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_rtc.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::correctors {
namespace {

using namespace std::chrono_literals;
using core::nanoseconds;

/// Every timer after the first `punctual` ones comes so much later than asked.
class SlowScheduler final : public core::Scheduler {
 public:
  explicit SlowScheduler(core::Scheduler& inner) : inner_(inner) {}
  core::MonotonicPoint now() override { return inner_.now(); }
  core::TimerHandle at(core::MonotonicPoint when, std::function<void()> call) override {
    if (punctual > 0) return --punctual, inner_.at(when, std::move(call));
    return inner_.at(when + late, std::move(call));
  }
  nanoseconds late{};
  unsigned punctual = 0;

 private:
  core::Scheduler& inner_;
};

struct RtcWriterTest : testing::Test {
  void write() {
    writer.write([this](const RtcWriteResult& r) { results.push_back(r); });
  }
  bool finished(nanoseconds limit = 3s) {
    return scheduler.run_while_not([this] { return !results.empty(); }, limit);
  }
  fakes::FakeClock clock;
  fakes::FakeRtc rtc{clock, -670ms};
  fakes::FakeScheduler scheduler{clock};
  SlowScheduler slow{scheduler};
  RtcWriter writer{rtc, clock, slow};
  std::vector<RtcWriteResult> results;
};

TEST_F(RtcWriterTest, AlignsTheEdgeWhateverTheMomentAndTheDevice) {
  std::mt19937 random(42);
  std::uniform_int_distribution<long> any(0, 999'999'999);
  for (const auto first_edge : {500ms, 1000ms}) {
    rtc.first_edge = first_edge;
    for (int i = 0; i < 50; ++i) {
      clock.advance(nanoseconds{any(random)});
      rtc.shift(nanoseconds{any(random)} - 500ms);
      results.clear();
      const auto begun = scheduler.now();
      write();
      EXPECT_TRUE(results.empty());  // never from inside write()
      ASSERT_TRUE(finished());
      EXPECT_TRUE(results[0].ok) << results[0].detail;
      EXPECT_TRUE(results[0].written);
      EXPECT_EQ(results[0].detail, "written");
      EXPECT_LE(scheduler.now() - begun, first_edge == 500ms ? 1600ms : 2100ms);
      EXPECT_LE(std::abs(rtc.offset().count()), 1'000'000) << i;
    }
  }
}

TEST_F(RtcWriterTest, CmosIsGivenTheSecondHalfwayThroughIt) {
  write();
  ASSERT_TRUE(finished());
  ASSERT_EQ(rtc.writes.size(), 1U);
  const nanoseconds late = rtc.writes[0].at.realtime.time_since_epoch() - rtc.writes[0].utc - 500ms;
  EXPECT_GE(late, 0ns);
  EXPECT_LE(late, 100us) << "the look before the write";
}

TEST_F(RtcWriterTest, TimerLatencyOnlyAddsToTheError) {
  slow.late = 6ms;
  write();
  ASSERT_TRUE(finished());
  EXPECT_TRUE(results[0].ok) << results[0].detail;
  EXPECT_LE(std::abs(rtc.offset().count()), 7'000'000);
}

// Every miss costs a second and allows the next one 20 ms more.
TEST_F(RtcWriterTest, AMissedMomentIsTriedAgainWithMorePatience) {
  slow.late = 35ms;
  const auto begun = scheduler.now();
  write();
  ASSERT_TRUE(finished(4s));
  EXPECT_TRUE(results[0].ok) << results[0].detail;
  EXPECT_EQ(rtc.writes.size(), 1U);
  EXPECT_GT(scheduler.now() - begun, 1s);
  EXPECT_LE(std::abs(rtc.offset().count()), 36'000'000);
}

// The time daemon starts while the proof is due, and a busy guest wakes us after the edge.
TEST_F(RtcWriterTest, ALookThatComesTooLateLeavesTheEarlierOne) {
  write();
  while (rtc.writes.empty()) scheduler.run_for(1ms);
  slow.late = 30ms;
  ASSERT_TRUE(finished());
  EXPECT_EQ(results[0].detail, "written");
  EXPECT_EQ(rtc.writes.size(), 1U);
}

// Later than both looks: the second is still proved, and no second write costs another second.
TEST_F(RtcWriterTest, ALookBackThatComesTooLateProvesTheSecondOnly) {
  slow.late = 120ms;
  slow.punctual = 2;  // the begin and the write
  write();
  ASSERT_TRUE(finished());
  EXPECT_TRUE(results[0].ok);
  EXPECT_EQ(results[0].detail, "written; the read-back came too late to see its second edge");
  EXPECT_EQ(rtc.writes.size(), 1U);
  EXPECT_LE(std::abs(rtc.offset().count()), 1'000'000);
}

TEST_F(RtcWriterTest, AMissedMomentIsTriedAgainAndGivenUp) {
  slow.late = 70ms;
  write();
  ASSERT_TRUE(finished(4s));
  EXPECT_FALSE(results[0].ok);
  EXPECT_FALSE(results[0].written);
  EXPECT_NE(results[0].detail.find("missed"), std::string::npos);
  EXPECT_TRUE(rtc.writes.empty());
}

// hwclock(8) and whoever else reads the device has it open for a moment, and there is only one place.
TEST_F(RtcWriterTest, ADeviceThatIsHeldForAMomentIsTriedAgain) {
  rtc.write_error = core::Error{core::ErrorCode::busy, "/dev/rtc0 is held by another process"};
  write();
  scheduler.run_for(1100ms);
  EXPECT_TRUE(results.empty());
  rtc.write_error.reset();
  ASSERT_TRUE(finished());
  EXPECT_TRUE(results[0].ok) << results[0].detail;
  EXPECT_EQ(rtc.writes.size(), 1U);
}

TEST_F(RtcWriterTest, ADeviceThatStaysHeldIsGivenUp) {
  rtc.write_error = core::Error{core::ErrorCode::busy, "/dev/rtc0 is held by another process"};
  write();
  ASSERT_TRUE(finished(4s));
  EXPECT_FALSE(results[0].ok);
  EXPECT_EQ(results[0].detail, "failed: /dev/rtc0 is held by another process");
}

TEST_F(RtcWriterTest, AStepMeanwhileChoosesAnotherMoment) {
  write();
  scheduler.run_for(100ms);
  clock.step(-300ms);
  ASSERT_TRUE(finished());
  EXPECT_TRUE(results[0].ok) << results[0].detail;
  EXPECT_LE(std::abs(rtc.offset().count()), 1'000'000);
}

TEST_F(RtcWriterTest, ADeviceThatKeepsItsEdgeIsWithinHalfASecondAndNamed) {
  rtc.keeps_phase = true;
  std::mt19937 random(43);
  std::uniform_int_distribution<long> any(0, 999'999'999);
  for (int i = 0; i < 50; ++i) {
    results.clear();
    rtc.writes.clear();
    rtc.shift(nanoseconds{any(random) * 7});
    clock.advance(nanoseconds{any(random)});
    write();
    ASSERT_TRUE(finished(4s));
    EXPECT_TRUE(results[0].ok) << results[0].detail;
    EXPECT_EQ(rtc.writes.size(), 1U);
    EXPECT_EQ(results[0].detail.find("written"), 0U);
    EXPECT_LE(std::abs(rtc.offset().count()), 501'000'000);
    if (std::abs(rtc.offset().count()) > 21'000'000) {
      EXPECT_NE(results[0].detail.find(rtc.offset() < 0ns ? "comes late" : "comes early"), std::string::npos) << results[0].detail;
    }
  }
}

TEST_F(RtcWriterTest, AnotherTimeIsTriedTwiceAndFails) {
  rtc.write_error_by = -5s;
  write();
  ASSERT_TRUE(finished(4s));
  EXPECT_FALSE(results[0].ok);
  EXPECT_TRUE(results[0].written);
  EXPECT_EQ(rtc.writes.size(), 2U);
  EXPECT_EQ(results[0].detail, "failed: written, but it shows another time");
}

// The pause stops our clocks and not the RTC: set back to them, it could no longer tell of it.
TEST_F(RtcWriterTest, APauseBeforeTheWriteLeavesTheRtcAlone) {
  for (const auto gap : {2s, 40s, 1000000s}) {
    results.clear();
    write();
    scheduler.run_for(20ms);
    clock.pause(gap);
    ASSERT_TRUE(finished());
    EXPECT_FALSE(results[0].ok);
    EXPECT_FALSE(results[0].written);
    EXPECT_EQ(results[0].detail, "failed: the RTC went ahead before the write, by another pause or another writer");
    EXPECT_TRUE(rtc.writes.empty());
    clock.step(gap);
  }
}

TEST_F(RtcWriterTest, AnRtcAheadOfWhatIsExpectedIsLeftAlone) {
  const nanoseconds offset = rtc.offset();
  for (const auto gap : {2s, 7s, 0s}) {
    results.clear();
    rtc.writes.clear();
    clock.pause(gap);  // before the write was asked for
    writer.write([this](const RtcWriteResult& r) { results.push_back(r); }, core::interval_around({offset}, 500ms));
    ASSERT_TRUE(finished());
    EXPECT_EQ(results[0].ok, gap == 0s) << results[0].detail;
    EXPECT_EQ(rtc.writes.size(), gap == 0s ? 1U : 0U);
    clock.step(gap);
  }
}

TEST_F(RtcWriterTest, APauseAfterTheWriteIsNotWrittenOver) {
  for (const auto after : {1ms, 250ms, 450ms, 490ms}) {
    results.clear();
    rtc.writes.clear();
    core::TimerHandle pause;
    writer.on_written([&] { pause = scheduler.after(after, [&] { clock.pause(3s); }); });
    write();
    ASSERT_TRUE(finished());
    EXPECT_FALSE(results[0].ok);
    EXPECT_TRUE(results[0].written);
    EXPECT_EQ(results[0].detail, "failed: written, but the RTC went ahead since, by another pause or another writer");
    EXPECT_EQ(rtc.writes.size(), 1U);
    clock.step(3s);
  }
}

TEST_F(RtcWriterTest, AWriteThatTookTooLongIsTriedAgain) {
  rtc.write_cost = 60ms;
  writer.on_written([&] { rtc.write_cost = 60us; });
  write();
  ASSERT_TRUE(finished(4s));
  EXPECT_TRUE(results[0].ok);
  EXPECT_EQ(rtc.writes.size(), 2U);
  EXPECT_LE(std::abs(rtc.offset().count()), 1'000'000);
}

TEST_F(RtcWriterTest, TheWriteIsAnnouncedBeforeTheReadBack) {
  int announced = 0;
  writer.on_written([&] {
    ++announced;
    EXPECT_TRUE(results.empty());
    EXPECT_EQ(rtc.writes.size(), 1U);
  });
  write();
  ASSERT_TRUE(finished());
  EXPECT_EQ(announced, 1);
}

TEST_F(RtcWriterTest, FailuresSayWhy) {
  rtc.write_error = core::Error{core::ErrorCode::not_permitted, "/dev/rtc0: RTC_SET_TIME: Operation not permitted"};
  write();
  ASSERT_TRUE(finished());
  EXPECT_FALSE(results[0].ok);
  EXPECT_FALSE(results[0].written);
  EXPECT_EQ(results[0].detail, "failed: /dev/rtc0: RTC_SET_TIME: Operation not permitted");
  results.clear();
  rtc.there = false;
  write();
  EXPECT_TRUE(results.empty());
  ASSERT_TRUE(finished());
  EXPECT_TRUE(results[0].ok);
  EXPECT_FALSE(results[0].written);
  EXPECT_EQ(results[0].detail, "skipped: no RTC device");
}

TEST_F(RtcWriterTest, AFailedReadBackIsNoProof) {
  writer.on_written([&] { rtc.error = core::Error{core::ErrorCode::io, "RTC_RD_TIME: I/O error"}; });
  write();
  ASSERT_TRUE(finished());
  EXPECT_FALSE(results[0].ok);
  EXPECT_TRUE(results[0].written);
}

TEST_F(RtcWriterTest, ANewerWriteEndsTheOlder) {
  std::vector<std::string> order;
  for (const char* name : {"first", "second", "third"}) {
    writer.write([&order, name](const RtcWriteResult& r) { order.push_back(std::string(name) + ": " + r.detail); });
  }
  EXPECT_TRUE(order.empty());
  scheduler.run_for(3s);
  EXPECT_EQ(order, (std::vector<std::string>{"first: failed: cancelled by a newer write", "second: failed: cancelled by a newer write",
                                             "third: written"}));
}

TEST_F(RtcWriterTest, TheAnswerMayWriteAgain) {
  int written = 0;
  std::function<void(const RtcWriteResult&)> again = [&](const RtcWriteResult& r) {
    written += r.ok ? 1 : 0;
    if (written < 3) writer.write(again);
  };
  writer.write(again);
  scheduler.run_for(10s);
  EXPECT_EQ(written, 3);
  EXPECT_EQ(scheduler.pending(), 0U);
}

}  // namespace
}  // namespace clockmend::correctors
