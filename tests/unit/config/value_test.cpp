#include "agent/config/value.hpp"

#include <gtest/gtest.h>

namespace clockmend::tests {
namespace {

using namespace std::chrono_literals;

TEST(ConfigDuration, TextToValueExactly) {
  const std::pair<const char*, core::nanoseconds> cases[] = {{"100 ms", 100ms},
                                                             {"2s", 2s},
                                                             {"17 min", 17min},
                                                             {"1.5 s", 1500ms},
                                                             {"0.000000001 s", 1ns},
                                                             {"1.0 ns", 1ns},
                                                             {"0 s", 0s},
                                                             {"1 d", 24h},
                                                             {"0.1 h", 6min},
                                                             {"7   us", 7us},
                                                             {"106751 d", 24h * 106751},
                                                             {"0.3 s", 300ms},
                                                             {"2.500000000000 s", 2500ms}};
  for (const auto& [text, value] : cases) {
    const auto parsed = config::parse_duration(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().text;
    EXPECT_EQ(*parsed, value) << text;
  }
}

TEST(ConfigDuration, WhatIsNoDuration) {
  for (const char* text :
       {"", " ", "s", "1", ".5 s", "1. s", "+1 s", "1 S", "1 s ", "1e3 s", "0x1 s", "1 ns2", "106752 d", "0.5 ns", "١ s"}) {
    EXPECT_FALSE(config::parse_duration(text)) << text;
  }
}

TEST(ConfigDuration, ValueToText) {
  EXPECT_EQ(config::duration_text(100ms), "100 ms");
  EXPECT_EQ(config::duration_text(1000s), "1000 s");
  EXPECT_EQ(config::duration_text(17min), "17 min");
  EXPECT_EQ(config::duration_text(0s), "0 s");
}

TEST(ConfigNearest, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> keys{"servers", "discover", "port"};
  EXPECT_EQ(config::nearest("server", keys), "servers");
  EXPECT_EQ(config::nearest("sevrers", keys), "servers");
  EXPECT_EQ(config::nearest("prot", keys), "port");
  EXPECT_EQ(config::nearest("xyzzy", keys), std::nullopt);
  EXPECT_EQ(config::nearest("", keys), std::nullopt);
  EXPECT_EQ(config::nearest(std::string(100'000, 's'), keys), std::nullopt);
}

}  // namespace
}  // namespace clockmend::tests
