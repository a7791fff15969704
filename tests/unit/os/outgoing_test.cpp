#include "agent/os/outgoing.hpp"

#include <gtest/gtest.h>

namespace clockmend::os {
namespace {

TEST(Outgoing, TakesAllOrNothing) {
  Outgoing out{10};
  EXPECT_TRUE(out.add("12345678").ok());
  const auto refused = out.add("abc");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, core::ErrorCode::busy);
  EXPECT_EQ(out.front(), "12345678");
  out.drop(5);
  EXPECT_EQ(out.size(), 3U);
  EXPECT_TRUE(out.add("abcdefg").ok());
  EXPECT_EQ(out.front(), "678abcdefg");
  out.drop(10);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(out.front(), "");
}

}  // namespace
}  // namespace clockmend::os
