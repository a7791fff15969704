#include "probes/ntp/selection.hpp"

#include <gtest/gtest.h>

#include <random>

namespace clockmend::probes::ntp {
namespace {

using namespace std::chrono_literals;

Candidate at(const std::string& name, core::nanoseconds offset, core::nanoseconds uncertainty) {
  Sample s;
  s.offset = {offset};
  s.uncertainty = uncertainty;
  s.at.realtime = core::RealtimePoint{1747000000s};  // May 2025: no leap second near
  s.at.raw = core::RawPoint{100s};
  s.stratum = 2;
  return {name, s};
}

TEST(NtpSelection, NobodyAnswered) {
  const auto s = select({});
  EXPECT_FALSE(s.usable);
  EXPECT_EQ(s.answered, 0U);
}

TEST(NtpSelection, OneServerIsTakenAsItIs) {
  const auto s = select({at("a", 40s, 2ms)});
  EXPECT_TRUE(s.usable);
  EXPECT_EQ(s.agreeing, 1U);
  EXPECT_EQ(s.answered, 1U);
  EXPECT_EQ(s.offset.value, 40s);
  EXPECT_EQ(s.uncertainty, 2ms);
  EXPECT_TRUE(s.reason.empty());
}

TEST(NtpSelection, TwoThatAgree) {
  const auto s = select({at("a", 10ms, 2ms), at("b", 11ms, 2ms)});
  EXPECT_TRUE(s.usable);
  EXPECT_EQ(s.agreeing, 2U);
  EXPECT_NEAR(static_cast<double>(s.offset.value.count()), 10.5e6, 2.0);
  EXPECT_EQ(s.uncertainty, 2ms);
}

TEST(NtpSelection, TwoThatDisagreeAreInconclusive) {
  const auto s = select({at("a", 0s, 2ms), at("b", 5s, 2ms)});
  EXPECT_FALSE(s.usable);
  EXPECT_EQ(s.agreeing, 1U);
  EXPECT_EQ(s.answered, 2U);
  EXPECT_EQ(s.reason, "no majority among 2 NTP servers: a says +0.000 ms, b says +5000.000 ms");
}

TEST(NtpSelection, TheLiarAmongFourIsNamed) {
  const auto s = select({at("a", 1ms, 3ms), at("liar", 3600s, 1us), at("b", 2ms, 3ms), at("c", 0ms, 3ms)});
  ASSERT_TRUE(s.usable);
  EXPECT_EQ(s.agreeing, 3U);
  EXPECT_EQ(s.answered, 4U);
  EXPECT_EQ(s.truechimer, (std::vector<bool>{true, false, true, true}));
  EXPECT_EQ(s.reason, "falsetickers: liar says +3600000.000 ms");
  EXPECT_LE(core::magnitude(s.offset), 3ms);
}

TEST(NtpSelection, TwoAgainstTwoIsNoMajority) {
  const auto s = select({at("a", 0s, 1ms), at("b", 0s, 1ms), at("c", 9s, 1ms), at("d", 9s, 1ms)});
  EXPECT_FALSE(s.usable);
  EXPECT_EQ(s.agreeing, 2U);
}

TEST(NtpSelection, ThreeDifferentLiarsCannotOutvoteTwoHonest) {
  const auto s = select({at("h1", 0s, 1ms), at("h2", 0s, 1ms), at("l1", 5s, 1ms), at("l2", 9s, 1ms), at("l3", -7s, 1ms)});
  EXPECT_FALSE(s.usable);  // two of five are the largest group but no majority
  EXPECT_EQ(s.agreeing, 2U);
}

TEST(NtpSelection, ResultStaysInsideTheIntersection) {
  const auto s = select({at("exact", 0ms, 1ms), at("late", 10ms, 9500us), at("early", -10ms, 9500us)});
  ASSERT_TRUE(s.usable);
  EXPECT_EQ(s.agreeing, 2U);
  // exact meets late at [0.5, 1] and early at [-1, -0.5]: two of three each way. The result must span both.
  EXPECT_LE(core::magnitude(s.offset), 1ms);
  EXPECT_GE(s.uncertainty, 1ms - core::magnitude(s.offset));
  EXPECT_GE(s.offset.value + s.uncertainty, 1ms);
  EXPECT_LE(s.offset.value - s.uncertainty, -1ms);
}

TEST(NtpSelection, AClippingLiarDoesNotMakeTheResultLookExact) {
  const auto s = select({at("a", 0ms, 5ms), at("b", 0ms, 5ms), at("clip", 9900us, 5ms)});
  ASSERT_TRUE(s.usable);
  EXPECT_EQ(s.agreeing, 3U);
  EXPECT_GE(s.uncertainty, 5ms);
}

TEST(NtpSelection, OlderSamplesAreWidenedByDrift) {
  auto old = at("old", 0ms, 1us);
  old.sample.at.raw -= 3s;  // 300 us at 100 ppm
  EXPECT_TRUE(select({old, at("new", 200us, 1us)}).usable);
  EXPECT_FALSE(select({at("old", 0ms, 1us), at("new", 200us, 1us)}).usable);
}

TEST(NtpSelection, ReadingIsDatedAtTheNewestAgreeingSample) {
  auto late_liar = at("liar", 60s, 1ms);
  late_liar.sample.at.raw += 2s;
  auto newer = at("b", 0s, 1ms);
  newer.sample.at.raw += 1s;
  EXPECT_EQ(select({at("a", 0s, 1ms), newer, late_liar}).at.raw, newer.sample.at.raw);
}

TEST(NtpSelection, SmearIsRecognisedNearALeapDateOnly) {
  const auto around = [](core::RealtimePoint when, int leap) {
    std::vector<Candidate> all = {at("a", 0s, 2ms), at("b", 0s, 2ms), at("other", 250ms, 2ms)};
    for (auto& c : all) c.sample.at.realtime = when;
    all[0].sample.leap = leap;
    return select(all).reason;
  };
  const std::chrono::sys_days july{std::chrono::year{2027} / 7 / 1};
  const core::RealtimePoint midnight{july.time_since_epoch()};
  EXPECT_NE(around(midnight - 6h, 0).find("smear"), std::string::npos);
  EXPECT_NE(around(midnight + 6h, 0).find("smear"), std::string::npos);
  EXPECT_EQ(around(midnight - 10 * 24h, 0).find("smear"), std::string::npos);
  EXPECT_NE(around(midnight - 10 * 24h, 1).find("smear"), std::string::npos);  // a server announces a leap second
}

TEST(NtpSelection, WithAnHonestMajorityTheTruthIsInsideTheBound) {
  const unsigned seed = 1234;
  std::mt19937_64 random(seed);
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return core::nanoseconds{low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1))};
  };
  for (int i = 0; i < 5000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " i " + std::to_string(i));
    const auto honest = 1 + random() % 8;
    const auto liars = random() % honest;
    const auto truth = between(-100'000'000'000, 100'000'000'000);
    std::vector<Candidate> all;
    for (std::size_t n = 0; n < honest; ++n) {
      const auto u = between(1000, 20'000'000);
      all.push_back(at("h", truth + between(-u.count(), u.count()), u));
    }
    for (std::size_t n = 0; n < liars; ++n) all.push_back(at("l", truth + between(-500'000'000, 500'000'000), between(1, 10'000'000)));
    std::shuffle(all.begin(), all.end(), random);
    const auto s = select(all);
    ASSERT_TRUE(s.usable);
    ASSERT_GE(s.agreeing, honest);
    const auto wrong_by = core::magnitude(s.offset - core::Offset{truth});
    // Liars may clip the intersection, but an honest server is always in the group and holds the result near the truth.
    ASSERT_LE(wrong_by, 2 * 20ms);
    if (liars == 0) {
      ASSERT_LE(wrong_by, s.uncertainty);
    }
  }
}

}  // namespace
}  // namespace clockmend::probes::ntp
