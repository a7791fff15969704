// hwclock -w in the place of our own write.
#include "correctors/backends/hwclock_writer.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_commands.hpp"
#include "tests/fakes/fake_rtc.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::correctors {
namespace {

using namespace std::chrono_literals;

struct HwclockWriterTest : testing::Test {
  void SetUp() override {
    commands.result = core::CommandResult{0, ""};
    commands.takes = 900ms;
    commands.on_run = [this](const std::string&) {
      if (writes) rtc.shift(-rtc.offset());
    };
    writer.on_written([this] { ++told; });
  }
  HwclockResult write() {
    std::optional<HwclockResult> result;
    writer.write([&](const HwclockResult& r) { result = r; });
    scheduler.run_for(12s);
    return result.value_or(HwclockResult{false, false, false, "never answered"});
  }

  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeCommands commands{scheduler};
  fakes::FakeRtc rtc{clock, -30s};
  HwclockWriter writer{commands, rtc, clock, {}};
  bool writes = true;
  int told = 0;
};

TEST_F(HwclockWriterTest, WrittenAndReadBack) {
  const HwclockResult result = write();
  EXPECT_TRUE(result.ok);
  EXPECT_TRUE(result.written);
  EXPECT_EQ(result.detail, "written by hwclock --utc");
  EXPECT_EQ(told, 1);
  EXPECT_EQ(commands.log, std::vector<std::string>{"/sbin/hwclock -w --utc"});
}

TEST_F(HwclockWriterTest, ASuccessThatIsNoneIsFoundOut) {
  writes = false;
  const HwclockResult result = write();
  EXPECT_FALSE(result.ok);
  EXPECT_TRUE(result.written) << "whatever it did: the RTC must be learned anew";
  EXPECT_EQ(result.detail, "failed: written by hwclock, but the RTC is off by -31 s");
  EXPECT_EQ(told, 1);
}

TEST_F(HwclockWriterTest, EveryFailureSaysWhy) {
  writes = false;
  const std::pair<core::Result<core::CommandResult>, const char*> rows[] = {
      {core::Error{core::ErrorCode::not_found, "x"}, "failed: /sbin/hwclock cannot be run: is it installed?"},
      {core::Error{core::ErrorCode::timeout, "it did not end by itself"}, "failed: hwclock: it did not end by itself"},
      {core::CommandResult{1, "hwclock: Cannot access the Hardware Clock via any known method.\nUse --verbose\n"},
       "failed: hwclock ended with 1: Use --verbose"},
  };
  for (const auto& [result, words] : rows) {
    commands.result = result;
    const HwclockResult r = write();
    EXPECT_FALSE(r.ok);
    EXPECT_FALSE(r.written);
    EXPECT_EQ(r.detail, words);
  }
  EXPECT_EQ(told, 0);
}

// A second pause before the write: nothing else may tell of it.
TEST_F(HwclockWriterTest, AnRtcThatWentAheadIsLeftAlone) {
  std::optional<HwclockResult> result;
  const core::OffsetInterval expected{{-31s}, {-30s}};
  rtc.shift(7s);
  writer.write([&](const HwclockResult& r) { result = r; }, expected);
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->ok);
  EXPECT_FALSE(result->written);
  EXPECT_TRUE(result->went_ahead);
  EXPECT_EQ(result->detail, "failed: the RTC went ahead before the write, by another pause or another writer");
  EXPECT_TRUE(commands.log.empty());
  rtc.shift(-7s);
  writer.write([&](const HwclockResult& r) { result = r; }, expected);
  scheduler.run_for(12s);
  EXPECT_TRUE(result->ok) << result->detail;
}

TEST_F(HwclockWriterTest, AHangingOneIsGivenUp) {
  commands.takes = 600s;
  EXPECT_EQ(write().detail, "failed: hwclock: it did not end by itself");
}

TEST_F(HwclockWriterTest, WithoutAnRtcNothingIsRun) {
  rtc.there = false;
  const HwclockResult result = write();
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.detail, "skipped: no RTC device");
  EXPECT_TRUE(commands.log.empty());
}

TEST_F(HwclockWriterTest, AReadBackThatFailsIsTold) {
  commands.on_run = [this](const std::string&) { rtc.error = core::Error{core::ErrorCode::io, "I/O error"}; };
  EXPECT_EQ(write().detail, "failed: written by hwclock, but the read-back failed: I/O error");
}

}  // namespace
}  // namespace clockmend::correctors
