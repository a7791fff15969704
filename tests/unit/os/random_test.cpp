#include "agent/os/random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace clockmend::os {
namespace {

TEST(KernelRandom, DoesNotRepeat) {
  KernelRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.next64());
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace clockmend::os
