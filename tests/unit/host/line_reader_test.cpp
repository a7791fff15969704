#include "agent/host/line_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace clockmend::host {
namespace {

std::vector<std::string> all(LineReader& reader) {
  std::vector<std::string> lines;
  while (auto line = reader.next()) lines.push_back((line->delimited ? "!" : "") + line->text);
  return lines;
}

TEST(LineReader, JoinsPiecesAndSkipsEmptyLines) {
  LineReader reader(100);
  reader.feed("ab");
  EXPECT_FALSE(reader.next());
  reader.feed("c\n\n\nde");
  reader.feed("\nrest");
  EXPECT_EQ(all(reader), (std::vector<std::string>{"abc", "de"}));
}

TEST(LineReader, TheDelimiterDropsTheHalfLineBeforeIt) {
  LineReader reader(100);
  reader.feed("{\"return\": gar\xff{\"return\": 1}\n{\"return\": 2}\n");
  EXPECT_EQ(all(reader), (std::vector<std::string>{"!{\"return\": 1}", "{\"return\": 2}"}));
}

TEST(LineReader, AnOversizeLineIsDroppedWholeAndCounted) {
  LineReader reader(8);
  reader.feed("12345678\n123456789\nok\n");
  EXPECT_EQ(all(reader), (std::vector<std::string>{"12345678", "ok"}));
  EXPECT_EQ(reader.oversize(), 1U);
  reader.feed(std::string(1000, 'x') + "\xff" + "after\n");
  EXPECT_EQ(all(reader), (std::vector<std::string>{"!after"}));
}

TEST(LineReader, RandomBytesInRandomPiecesNeverExceedTheLimit) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  LineReader reader(16);
  for (int i = 0; i < 20000; ++i) {
    std::string piece(random() % 40, 'x');
    for (char& c : piece) c = "ab\n\xff"[random() % 4];
    reader.feed(piece);
    while (auto line = reader.next()) {
      ASSERT_LE(line->text.size(), 16U);
      ASSERT_EQ(line->text.find_first_of("\n\xff"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace clockmend::host
