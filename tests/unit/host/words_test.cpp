#include "agent/host/words.hpp"

#include <gtest/gtest.h>

namespace clockmend::host {
namespace {

using core::milliseconds;
using core::Offset;

core::CorrectionReport corrected() {
  core::CorrectionReport report;
  report.outcome = core::Outcome::corrected;
  report.total = Offset{milliseconds{47'550}};
  report.duration = milliseconds{812};
  return report;
}

TEST(Words, SaysTheSign) {
  EXPECT_EQ(in_words(Offset{milliseconds{47'550}}), "47.550 s behind");
  EXPECT_EQ(in_words(Offset{milliseconds{-3}}), "3.000 ms ahead");
  EXPECT_EQ(in_words(Offset{}), "exactly right");
}

TEST(Words, ACorrectionWithProof) {
  core::CorrectionReport report = corrected();
  report.residual = Offset{core::microseconds{-213}};
  report.residual_uncertainty = core::microseconds{400};
  report.verified = true;
  EXPECT_EQ(headline(report), "The clock was 47.550 s behind; corrected in 812.000 ms. Verified: now 213.000 us ahead +- 400.000 us.");
}

TEST(Words, ACorrectionWithoutProofSaysSo) {
  EXPECT_EQ(headline(corrected()), "The clock was 47.550 s behind; corrected in 812.000 ms. Not verified.");
}

TEST(Words, ARefusalSaysWhatIsBelieved) {
  core::CorrectionReport report;
  report.outcome = core::Outcome::refused;
  report.reason = "one server alone may not move the clock so far";
  report.estimate = core::Estimate{};
  report.estimate->offset = Offset{core::seconds{-7200}};
  report.estimate->uncertainty = milliseconds{5};
  EXPECT_EQ(headline(report),
            "Refused: one server alone may not move the clock so far. The clock is believed to be 7200.000 s ahead (+- 5.000 ms).");
}

TEST(Words, NothingToDo) {
  core::CorrectionReport report;
  report.outcome = core::Outcome::no_action;
  EXPECT_EQ(headline(report), "Nothing to do.");
}

TEST(Words, NoEscapeReachesTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a [2Jb c ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "  2J");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f\xc2\xa0"), "gr\xc3\xbc\xc3\x9f\xc2\xa0") << "letters stay";
  core::CorrectionReport report;
  report.outcome = core::Outcome::failed;
  report.reason = "\x1b]0;owned\x07";
  EXPECT_EQ(headline(report).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace clockmend::host
