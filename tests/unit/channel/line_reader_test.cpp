#include "agent/channel/line_reader.hpp"

#include <gtest/gtest.h>

#include "agent/wire/request.hpp"

namespace clockmend::tests {
namespace {

using core::Arrival;

struct Taken final : channel::LineReader::Sink {
  void on_line(std::string_view line, Arrival arrival) override {
    lines.emplace_back((arrival == Arrival::backlog ? "old:" : "") + std::string(line));
  }
  void on_oversize() override { ++oversize; }
  std::vector<std::string> lines;
  int oversize = 0;
};

using Lines = std::vector<std::string>;

TEST(LineReader, SplitsAndJoins) {
  channel::LineReader reader;
  Taken taken;
  reader.feed("one\ntwo\r\nth", Arrival::live, taken);
  EXPECT_EQ(taken.lines, (Lines{"one", "two"}));
  reader.feed("re", Arrival::live, taken);
  reader.feed("e\n\n \t\r\n\n", Arrival::live, taken);
  EXPECT_EQ(taken.lines, (Lines{"one", "two", "three"}));
}

TEST(LineReader, EveryCutGivesTheSameLines) {
  const std::string text = "{\"a\":1}\n\xff{\"b\":2}\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    channel::LineReader reader;
    Taken taken;
    reader.feed(text.substr(0, cut), Arrival::live, taken);
    reader.feed(text.substr(cut), Arrival::live, taken);
    EXPECT_EQ(taken.lines, (Lines{"{\"a\":1}", "{\"b\":2}"})) << cut;
  }
}

TEST(LineReader, AnObjectIsARequestWithoutANewline) {
  const std::string text = R"({"a":"}\"{"} {"b":{"c":[{}]}}{"d":1} rest {"e":1})"
                           "\n{\"f\":\n1}\n{\"g\":1}";
  const Lines whole{R"({"a":"}\"{"})", R"({"b":{"c":[{}]}})", R"({"d":1})", R"(rest {"e":1})", R"({"f":)", "1}", R"({"g":1})"};
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    channel::LineReader reader;
    Taken taken;
    reader.feed(text.substr(0, cut), Arrival::live, taken);
    reader.feed(text.substr(cut), Arrival::live, taken);
    EXPECT_EQ(taken.lines, whole) << cut;
  }
}

TEST(LineReader, FlushByteDropsWhatCameBefore) {
  channel::LineReader reader;
  Taken taken;
  reader.feed("half a line\xff\xff{}\n", Arrival::live, taken);
  EXPECT_EQ(taken.lines, Lines{"{}"});
}

TEST(LineReader, TheLongestLineIsStillOne) {
  const std::string longest(wire::kMaxRequestLine, 'x');
  channel::LineReader reader;
  Taken taken;
  reader.feed(longest + "\n" + longest + "\r\n" + longest + "x\nshort\n", Arrival::live, taken);
  EXPECT_EQ(taken.lines, (Lines{longest, longest, "short"}));
  EXPECT_EQ(taken.oversize, 1);
}

TEST(LineReader, TenMegabytesWithoutANewlineCostOneComplaintAndNoMemory) {
  channel::LineReader reader;
  Taken taken;
  const std::string chunk(4096, 'x');
  for (int i = 0; i < 2560; ++i) reader.feed(chunk, Arrival::live, taken);
  EXPECT_EQ(taken.oversize, 1);
  reader.feed("\nafter\n", Arrival::live, taken);
  EXPECT_EQ(taken.lines, Lines{"after"});
}

TEST(LineReader, FlushByteEndsAnOversizeLine) {
  channel::LineReader reader;
  Taken taken;
  reader.feed(std::string(10000, 'x') + "\xff{}\n", Arrival::live, taken);
  EXPECT_EQ(taken.lines, Lines{"{}"});
  EXPECT_EQ(taken.oversize, 1);
}

TEST(LineReader, ALineIsAsOldAsItsOldestByte) {
  channel::LineReader reader;
  Taken taken;
  reader.feed("old\nmix", Arrival::backlog, taken);
  reader.feed("ed\nnew\n", Arrival::live, taken);
  EXPECT_EQ(taken.lines, (Lines{"old:old", "old:mixed", "new"}));
}

TEST(LineReader, ResetForgetsHalfALine) {
  channel::LineReader reader;
  Taken taken;
  reader.feed("half", Arrival::backlog, taken);
  reader.reset();
  reader.feed("whole\n", Arrival::live, taken);
  EXPECT_EQ(taken.lines, Lines{"whole"});
}

}  // namespace
}  // namespace clockmend::tests
