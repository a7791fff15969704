#include <gtest/gtest.h>

#include "agent/wire/journal_line.hpp"

namespace clockmend::tests {
namespace {

core::JournalRecord record(core::JournalState state) {
  return {state, 7, {{"ntpsec.service", "0123abcd"}, {"chrony.service", ""}}, core::Offset{core::nanoseconds(-5)}, "boot-1"};
}

TEST(WireJournal, RoundTripOfEveryState) {
  using S = core::JournalState;
  for (const S state : {S::intent, S::stopped, S::stepped, S::rtc, S::started, S::done}) {
    const auto back = wire::parse_journal_line(wire::journal_line(record(state)));
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(*back, record(state));
  }
  core::JournalRecord bare{S::intent, 1, {}, std::nullopt, "b"};
  EXPECT_EQ(*wire::parse_journal_line(wire::journal_line(bare)), bare);
  EXPECT_EQ(wire::journal_line(bare).find("realtime"), std::string::npos) << "an older agent reads it, too";
  EXPECT_EQ(wire::journal_line(bare).find("tool"), std::string::npos);
  bare.tool = "ntpdate";
  EXPECT_EQ(*wire::parse_journal_line(wire::journal_line(bare)), bare);
  bare.realtime_minus_monotonic = core::nanoseconds(-17);
  EXPECT_EQ(*wire::parse_journal_line(wire::journal_line(bare)), bare);
}

TEST(WireJournal, EveryHalfLineIsRefused) {
  const std::string line = wire::journal_line(record(core::JournalState::stopped));
  for (std::size_t length = 0; length < line.size(); ++length) EXPECT_FALSE(wire::parse_journal_line(line.substr(0, length))) << length;
}

TEST(WireJournal, MissingUnknownAndMistypedMembersAreErrors) {
  EXPECT_FALSE(wire::parse_journal_line(R"({"state":"intent","correction":1,"units":[],"boot_id":"b"})"));
  EXPECT_FALSE(wire::parse_journal_line(R"({"state":"intent","correction":1,"units":[],"offset_ns":null,"boot_id":"b","x":1})"));
  EXPECT_FALSE(wire::parse_journal_line(R"({"state":"later","correction":1,"units":[],"offset_ns":null,"boot_id":"b"})"));
  EXPECT_FALSE(wire::parse_journal_line(R"({"state":"intent","correction":-1,"units":[],"offset_ns":null,"boot_id":"b"})"));
  EXPECT_FALSE(wire::parse_journal_line(R"({"state":"intent","correction":1,"units":["u"],"offset_ns":null,"boot_id":"b"})"));
}

TEST(WireJournal, ATornTailIsNormalAndReported) {
  const std::string one = wire::journal_line(record(core::JournalState::intent));
  const std::string two = wire::journal_line(record(core::JournalState::stopped));
  const wire::Journal journal = wire::parse_journal(one + "\n" + two.substr(0, two.size() - 1));
  ASSERT_EQ(journal.records.size(), 1U);
  EXPECT_EQ(journal.records[0].state, core::JournalState::intent);
  EXPECT_TRUE(journal.torn_tail);
  EXPECT_EQ(journal.damaged, 0U);
}

TEST(WireJournal, DamageInTheMiddleIsSkippedAndCounted) {
  const std::string one = wire::journal_line(record(core::JournalState::intent));
  const wire::Journal journal =
      wire::parse_journal("\n" + one + "\n" + std::string("\0\0\0", 3) + "\n" + one.substr(0, 20) + one + "\n" + one + "\n");
  EXPECT_EQ(journal.records.size(), 2U);
  EXPECT_EQ(journal.damaged, 2U);
  EXPECT_FALSE(journal.torn_tail);
}

TEST(WireJournal, EmptyTextIsAnEmptyJournal) {
  const wire::Journal journal = wire::parse_journal("");
  EXPECT_TRUE(journal.records.empty());
  EXPECT_FALSE(journal.torn_tail);
}

}  // namespace
}  // namespace clockmend::tests
