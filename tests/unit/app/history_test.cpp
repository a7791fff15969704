#include "agent/app/history.hpp"

#include <gtest/gtest.h>

#include "agent/wire/report.hpp"
#include "tests/fakes/fake_files.hpp"

namespace clockmend::app {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPath = "/var/lib/clockmend/history.jsonl";

class Disk final : public core::FileWriter {
 public:
  explicit Disk(fakes::FakeFiles& tree) : tree_(tree) {}
  core::Status replace(const std::string& path, const std::string& content, bool) override {
    if (full) return core::Error{core::ErrorCode::io, path + ": No space left on device"};
    tree_.files[path] = content;
    return core::Done{};
  }
  core::Status append(const std::string& path, const std::string& line, bool) override {
    if (full) return core::Error{core::ErrorCode::io, path + ": No space left on device"};
    tree_.files[path] += line + "\n";
    return core::Done{};
  }
  core::Status remove(const std::string& path) override {
    tree_.files.erase(path);
    return core::Done{};
  }
  bool full = false;

 private:
  fakes::FakeFiles& tree_;
};

core::CorrectionReport record(std::uint64_t number, core::Confidence confidence = core::Confidence::corroborated,
                              core::nanoseconds total = 5s, bool verified = true) {
  core::CorrectionReport r;
  r.number = number;
  r.outcome = core::Outcome::corrected;
  r.total.value = total;
  r.verified = verified;
  r.discontinuity.confidence = confidence;
  r.ended_realtime = core::RealtimePoint{core::seconds{1'735'689'600 + static_cast<std::int64_t>(number)}};
  return r;
}

class HistoryTest : public testing::Test {
 protected:
  History make(std::uint32_t most = 100) { return {tree, disk, kPath, most}; }
  History loaded() {
    History h = make();
    h.load();
    return h;
  }
  void write(const std::vector<core::CorrectionReport>& reports) {
    History h = make();
    for (const auto& r : reports) ASSERT_TRUE(h.add(r));
  }
  fakes::FakeFiles tree;
  Disk disk{tree};
};

TEST_F(HistoryTest, NothingYet) {
  const History h = loaded();
  EXPECT_EQ(h.next_number(), 1U);
  EXPECT_FALSE(h.last());
  EXPECT_FALSE(h.last_good_time());
  EXPECT_TRUE(h.lone_steps().empty());
}

TEST_F(HistoryTest, NumbersGoOnAfterARestart) {
  write({record(1), record(2)});
  const History h = loaded();
  EXPECT_EQ(h.next_number(), 3U);
  EXPECT_EQ(h.last()->number, 2U);
}

TEST_F(HistoryTest, DamagedLinesAreSkippedAndCounted) {
  write({record(1)});
  tree.files[kPath] += "garbage\n{\"half";
  const History h = loaded();
  EXPECT_EQ(h.damaged(), 2U);
  EXPECT_EQ(h.next_number(), 2U);
}

TEST_F(HistoryTest, OneSourcesWordDoesNotLiftTheFloor) {
  write({record(1), record(2, core::Confidence::single), record(3, core::Confidence::corroborated, 5s, false)});
  EXPECT_EQ(loaded().last_good_time(), record(1).ended_realtime);
  History h = loaded();
  ASSERT_TRUE(h.add(record(9, core::Confidence::single)));
  EXPECT_EQ(h.last_good_time(), record(1).ended_realtime);
  ASSERT_TRUE(h.add(record(10)));
  EXPECT_EQ(h.last_good_time(), record(10).ended_realtime);
}

TEST_F(HistoryTest, LoneStepsAreRememberedAcrossARestart) {
  write({record(1), record(2, core::Confidence::single, -3s), record(3, core::Confidence::single, 0s),
         record(4, core::Confidence::single, 7s)});
  const History h = loaded();
  ASSERT_EQ(h.lone_steps().size(), 2U);
  EXPECT_EQ(h.lone_steps()[0].total.value, -3s);
  EXPECT_EQ(h.lone_steps()[1].ended, record(4).ended_realtime);
}

TEST_F(HistoryTest, IsBounded) {
  History h = make(20);
  for (std::uint64_t n = 1; n <= 200; ++n) ASSERT_TRUE(h.add(record(n)));
  EXPECT_LE(h.newest(1000, std::nullopt).size(), 20U);
  EXPECT_EQ(h.newest(1, std::nullopt).at(0), wire::report_line(record(200)));
  EXPECT_EQ(h.newest(1, 200).at(0), wire::report_line(record(199)));
}

TEST_F(HistoryTest, AFullDiskIsToldAndForgetsNothingInMemory) {
  History h = make();
  disk.full = true;
  EXPECT_FALSE(h.add(record(1)));
  EXPECT_EQ(h.next_number(), 2U);
  EXPECT_EQ(h.last()->number, 1U);
}

TEST_F(HistoryTest, WhatTheDiskDidNotTakeFollowsWithTheNextRecord) {
  History h = make();
  disk.full = true;
  for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_FALSE(h.add(record(n)));
  EXPECT_TRUE(h.newest(10, std::nullopt).empty());
  disk.full = false;
  EXPECT_TRUE(h.add(record(4)));
  const auto lines = h.newest(10, std::nullopt);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines.front(), wire::report_line(record(4)));
  EXPECT_EQ(lines.back(), wire::report_line(record(1)));
}

TEST_F(HistoryTest, ADiskThatStaysFullCostsABoundedAmountOfMemory) {
  History h = make();
  disk.full = true;
  for (std::uint64_t n = 1; n <= 500; ++n) EXPECT_FALSE(h.add(record(n)));
  disk.full = false;
  EXPECT_TRUE(h.add(record(501)));
  EXPECT_LE(h.newest(1000, std::nullopt).size(), 100U);
}

}  // namespace
}  // namespace clockmend::app
