#include "agent/cli/history_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/cli/world.hpp"

namespace clockmend::tests {
namespace {

constexpr const char* kPath = "/var/lib/clockmend/history.jsonl";

std::string lines(std::uint64_t first, std::uint64_t last) {
  std::string text;
  for (std::uint64_t n = first; n <= last; ++n) text += wire::report_line(report_number(n)) + "\n";
  return text;
}

long count_lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

TEST(History, NewestFirstAndNoMoreThanAsked) {
  World world;
  world.files.contents[kPath] = lines(1, 30);
  const cli::Output out = cli::run_history(world.context(), {.records = 3});
  EXPECT_EQ(count_lines(out.text), 3);
  EXPECT_EQ(out.text.rfind("#30 ", 0), 0U) << out.text;
  EXPECT_NE(out.text.find("#28 "), std::string::npos);
  EXPECT_EQ(count_lines(cli::run_history(world.context(), {.records = 100}).text), 30);
}

TEST(History, NothingYet) {
  World world;
  EXPECT_EQ(cli::run_history(world.context(), {}).text, "Nothing has happened to the clock yet.\n");
  EXPECT_EQ(cli::run_history(world.context(), {.json = true}).text, "");
}

TEST(History, DamagedRecordsAreLeftOutAndCounted) {
  World world;
  world.files.contents[kPath] = lines(1, 1) + "garbage\n\n" + lines(2, 2) + "{\"half";
  const cli::Output out = cli::run_history(world.context(), {});
  EXPECT_EQ(out.code, 0);
  EXPECT_EQ(count_lines(out.text), 2);
  EXPECT_NE(out.error.find("2 damaged"), std::string::npos);
}

TEST(History, JsonRecordsParseBack) {
  World world;
  world.files.contents[kPath] = lines(7, 7);
  const std::string text = cli::run_history(world.context(), {.json = true}).text;
  const auto report = wire::parse_report(text.substr(0, text.size() - 1));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->number, 7U);
}

TEST(History, FullSaysTheSignInWords) {
  World world;
  world.files.contents[kPath] = lines(7, 7);
  EXPECT_NE(cli::run_history(world.context(), {.full = true}).text.find("47.550 s behind"), std::string::npos);
}

}  // namespace
}  // namespace clockmend::tests
